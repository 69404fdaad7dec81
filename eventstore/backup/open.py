"""Opens the database at a URL for a backup, a restore or a move."""

from pathlib import Path

from eventstore.backup.database import EventDatabase
from eventstore.backup.postgres import PostgresDatabase
from eventstore.backup.sqlite import SqliteDatabase
from eventstore.engine.schema import DISTRIBUTED_GUARDS, POSTGRES_GUARDS
from eventstore.open import SQLITE, check_url, is_distributed, take_partitions
from eventstore.operations.open import operations_file


def open_database(url: str) -> EventDatabase:
    """Return the database at *url*; nothing is created there before ``create``.

    :raises LogUnavailable: it does not answer.
    :raises LogUnfit: *url* is malformed.
    """
    check_url(url)
    address, _ = take_partitions(url)
    if not address.startswith(SQLITE):
        return PostgresDatabase(
            address, DISTRIBUTED_GUARDS if is_distributed(url) else POSTGRES_GUARDS
        )
    path = Path(address.removeprefix(SQLITE))
    return SqliteDatabase(path, operations_file(address))
