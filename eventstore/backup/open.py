"""The database that a URL names, as it is backed up and restored."""

from pathlib import Path

from eventstore.append import LogUnfit
from eventstore.backup.database import EventDatabase
from eventstore.backup.sqlite import SqliteDatabase
from eventstore.open import SQLITE, take_partitions
from eventstore.operations.open import operations_file


def open_database(url: str) -> EventDatabase:
    """Return the database at *url*; nothing is made there before ``create``."""
    address, _ = take_partitions(url)
    if not address.startswith(SQLITE):
        raise LogUnfit("backups are of SQLite for now; back PostgreSQL up with its own tools")
    path = Path(address.removeprefix(SQLITE))
    return SqliteDatabase(path, operations_file(address))
