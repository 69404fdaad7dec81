"""Tells a test of each statement that a connection runs."""

from collections.abc import Callable
from typing import Any, cast

import apsw

from eventstore.engine.sqlite.driver import Database


def note_statements(connection: Database, note: Callable[[str], object] | None) -> None:
    """Call *note* with each statement before it runs, or no longer."""

    def seen(_cursor: object, statement: str, _parameters: Any) -> bool:
        if note is not None:
            note(statement)
        return True

    cast(apsw.Connection, connection).set_exec_trace(None if note is None else seen)
