"""Opens the event store at a URL."""

import sqlite3
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import psycopg

from eventstore.append import LogUnavailable, LogUnfit
from eventstore.postgres import PostgresStore
from eventstore.sqlite import SqliteStore
from eventstore.store import Store

SQLITE = "sqlite:///"
PARTITIONS = "partitions"


def open_store(url: str) -> Store:
    """Return the event database at *url*: ``sqlite:///path`` or ``postgresql://…``.

    ``?partitions=N`` sets the number of partitions of a new log. The rest of a PostgreSQL URL is
    passed to the driver unchanged.

    :raises LogUnavailable: it cannot be reached.
    :raises LogUnfit: *url* is malformed.
    """
    address, parts = take_partitions(url)
    try:
        if address.startswith(SQLITE):
            path = Path(address.removeprefix(SQLITE))
            path.parent.mkdir(parents=True, exist_ok=True)
            return SqliteStore(str(path), parts=parts)
        return PostgresStore(address, parts=parts)
    except (psycopg.Error, sqlite3.Error, OSError) as error:
        raise LogUnavailable(str(error)) from error


def take_partitions(url: str) -> tuple[str, int | None]:
    """Return *url* without ``partitions``, and the number given there."""
    address, _, query = url.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    named = [value for name, value in pairs if name == PARTITIONS]
    if not named:
        return url, None
    if len(named) > 1 or not named[0].isdecimal():
        raise LogUnfit("write the partitions in EVENTS_URL as one number, like ?partitions=64")
    rest = urlencode([pair for pair in pairs if pair[0] != PARTITIONS])
    return f"{address}?{rest}" if rest else address, int(named[0])
