"""What Python's module for SQLite does with parameters in a process of ours."""

import sqlite3
from contextlib import closing

import pytest

from eventstore.engine.sqlite_file import bind_quickly


@pytest.mark.parametrize(
    ("value", "kind"),
    [(None, "null"), (b"", "blob"), (b"\0\xff", "blob"), ("", "text"), (0, "integer")],
)
def test_parameters_that_are_bound_quickly_are_stored_as_before(value: object, kind: str) -> None:
    bind_quickly()

    with closing(sqlite3.connect(":memory:")) as connection:
        [found] = connection.execute("SELECT ?1, typeof(?1)", (value,)).fetchall()

    assert found == (value, kind)


def test_what_has_no_adapter_is_refused_as_before() -> None:
    bind_quickly()

    with (
        closing(sqlite3.connect(":memory:")) as connection,
        pytest.raises(sqlite3.ProgrammingError, match="not supported"),
    ):
        connection.execute("SELECT ?", (object(),))
