"""Opens the operational state of the log at a URL."""

from pathlib import Path

from eventstore.open import SQLITE, take_partitions
from eventstore.operations.sqlite import SqliteOperations
from eventstore.operations.store import CALL_DEADLINE_S, OperationalStore

FILE = "operations.db"


def operations_file(events_url: str) -> Path:
    """Return the path of the operational file of a log in SQLite, which is in the same folder.

    ``events.db`` has ``operations.db``; for another log, the name begins with the name of the log.
    """
    log = Path(take_partitions(events_url)[0].removeprefix(SQLITE))
    return log.with_name(FILE if log.stem == "events" else f"{log.stem}.{FILE}")


def open_operations(events_url: str, deadline_s: float = CALL_DEADLINE_S) -> OperationalStore:
    """Return the operational state of the log at *events_url*; ``open`` it before use."""
    address, _ = take_partitions(events_url)
    if address.startswith(SQLITE):
        return SqliteOperations(
            str(operations_file(events_url)), deadline_s=deadline_s, lock_wait_s=deadline_s / 2
        )
    # Imported here, like the log's: where it is not used, psycopg is not loaded.
    from eventstore.operations.postgres import PostgresOperations  # noqa: PLC0415 - see above

    return PostgresOperations(address, deadline_s=deadline_s, lock_wait_s=deadline_s / 2)
