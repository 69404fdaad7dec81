"""The operational state that belongs to a log, found by the log's URL."""

from pathlib import Path

from eventstore.open import SQLITE
from eventstore.operations.postgres import PostgresOperations
from eventstore.operations.sqlite import SqliteOperations
from eventstore.operations.store import OperationalStore

FILE = "operations.db"


def operations_file(events_url: str) -> Path:
    """Return where the operational file of a log in SQLite stands: beside it.

    ``events.db`` has ``operations.db``; a log of another name has one that begins with that name.
    """
    log = Path(events_url.removeprefix(SQLITE))
    return log.with_name(FILE if log.stem == "events" else f"{log.stem}.{FILE}")


def open_operations(events_url: str) -> OperationalStore:
    """Return the operational state beside the log at *events_url*; ``open`` it before use."""
    if events_url.startswith(SQLITE):
        return SqliteOperations(str(operations_file(events_url)))
    return PostgresOperations(events_url)
