"""The database that a URL names, as it is backed up and restored."""

from pathlib import Path

from eventstore.backup.database import EventDatabase
from eventstore.backup.postgres import PostgresDatabase
from eventstore.backup.sqlite import SqliteDatabase
from eventstore.open import SQLITE, take_partitions
from eventstore.operations.open import operations_file


def open_database(url: str) -> EventDatabase:
    """Return the database at *url*; nothing is made there before ``create``.

    :raises LogUnavailable: it does not answer.
    """
    address, _ = take_partitions(url)
    if not address.startswith(SQLITE):
        return PostgresDatabase(address)
    path = Path(address.removeprefix(SQLITE))
    return SqliteDatabase(path, operations_file(address))
