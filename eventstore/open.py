"""The store that a URL names."""

import sqlite3
from pathlib import Path

from eventsourcing.persistence import PersistenceError

from eventstore.append import LogUnavailable
from eventstore.postgres import PostgresStore
from eventstore.sqlite import SqliteStore
from eventstore.store import Store

SQLITE = "sqlite:///"


def open_store(url: str) -> Store:
    """Return the event database at *url*: ``sqlite:///path`` or ``postgresql://…``.

    :raises LogUnavailable: when it cannot be reached.
    """
    try:
        if url.startswith(SQLITE):
            path = Path(url.removeprefix(SQLITE))
            path.parent.mkdir(parents=True, exist_ok=True)
            return SqliteStore(str(path))
        return PostgresStore(url)
    except (PersistenceError, sqlite3.Error, OSError) as error:
        raise LogUnavailable(str(error)) from error
