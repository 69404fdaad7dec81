"""What an SQLite file holds, found out without changing or creating anything."""

import sqlite3
from contextlib import closing
from pathlib import Path

from eventstore.append import LogUnavailable


def tables_in(path: Path) -> set[str]:
    """Return the names of the tables of the database at *path*; an empty file has none.

    :raises LogUnavailable: it is no database, or cannot be read.
    """
    address = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            return {name for (name,) in found}
    except sqlite3.Error as error:
        raise LogUnavailable(f"{path}: {error}") from error
