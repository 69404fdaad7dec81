"""Backups of a log in PostgreSQL: all of its tables are in one database."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast
from uuid import UUID

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow
from psycopg.sql import SQL

from eventstore.append import LogUnavailable
from eventstore.backup.database import (
    EVENTS_AT_ONCE,
    EVENTS_TABLE,
    ROWS_AT_ONCE,
    Snapshot,
    next_slice,
)
from eventstore.backup.frame import Slice
from eventstore.backup.sql import SqlDatabase
from eventstore.engine.schema import POSTGRES_GUARDS, POSTGRES_TYPES, statements
from eventstore.mode import LogMode
from eventstore.operations.sql import ALL_TABLES
from eventstore.store import LogIdentity

_FETCHED = 50
"""Rows that the server sends at once."""
_CONNECTION = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 5_000,
}


class PostgresDatabase(SqlDatabase):
    """The log and the operational tables through one connection."""

    def __init__(self, url: str, guards: Sequence[str] = POSTGRES_GUARDS) -> None:
        """Connect to *url*; *guards* are created with the tables."""
        self._guards = guards
        with _outages():
            self._connection: psycopg.Connection[TupleRow] = psycopg.connect(
                make_conninfo(url, **_CONNECTION), autocommit=True
            )
            self._connection.execute("SET lock_timeout = '10s'")

    @contextmanager
    def snapshot(self) -> Generator[Snapshot]:
        with _outages(), self._connection.transaction():
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield self

    # The snapshot -----------------------------------------------------------

    def events(self, part: int, after: int) -> Slice:
        columns = self._columns(EVENTS_TABLE)
        statement = (
            f"SELECT {_quoted(columns)} FROM events WHERE part = %s AND position > %s"
            " ORDER BY position LIMIT %s"
        )
        with self._streamed(statement, (part, after, EVENTS_AT_ONCE)) as rows:
            return Slice(EVENTS_TABLE, tuple(columns), next_slice(rows, EVENTS_AT_ONCE))

    def slices(self, table: str) -> Iterator[Slice]:
        columns = self._columns(table)
        if not columns:
            return
        with self._streamed(f"SELECT {_quoted(columns)} FROM {table}") as rows:
            while some := next_slice(rows, ROWS_AT_ONCE):
                yield Slice(table, tuple(columns), some)

    @contextmanager
    def _streamed(
        self, statement: str, parameters: Sequence[Any] = ()
    ) -> Generator[Iterator[tuple[Any, ...]]]:
        """Run a read; its rows do not arrive all at once."""
        with _outages(), self._connection.cursor(name="backup", binary=True) as cursor:
            cursor.itersize = _FETCHED
            cursor.execute(_sql(statement), parameters)
            yield map(_stored, cursor)

    def owners(self, streams: Sequence[bytes]) -> dict[bytes, bytes]:
        statement = (
            "SELECT stream_id, org_id FROM events WHERE part = %s AND version = 1"
            " AND stream_id = ANY(%s)"
        )
        asked = [UUID(bytes=stream) for stream in streams]
        found: dict[bytes, bytes] = {}
        for part in self.heads():
            found.update(map(_stored, self._all(statement, (part, asked))))
        return found

    # The restore ------------------------------------------------------------

    def create(self, identity: LogIdentity, parts: int) -> None:
        with self._transaction() as connection:
            for statement in statements(POSTGRES_TYPES, self._guards):
                connection.execute(_sql(statement))
            for table in ALL_TABLES:
                for statement in table.create_statements():
                    connection.execute(_sql(statement))
            connection.execute(
                "CREATE TABLE IF NOT EXISTS restore_progress (part smallint PRIMARY KEY, at text)"
            )
            connection.execute(
                "INSERT INTO log_identity (part, id, epoch, parts) VALUES (0, %s, %s, %s)"
                " ON CONFLICT (part) DO NOTHING",
                (identity.id, identity.epoch, parts),
            )
            connection.execute(
                "INSERT INTO part_heads (part, position, mode)"
                " SELECT part, 0, %s FROM generate_series(0, %s) AS part"
                " ON CONFLICT (part) DO NOTHING",
                (LogMode.RESTORING.value, parts - 1),
            )

    def load(self, slices: Sequence[Slice], heads: Mapping[int, int], progress: str) -> None:
        with self._transaction() as connection, connection.cursor() as cursor:
            for each in slices:
                self._copy(cursor, each)
            cursor.executemany(
                "UPDATE part_heads SET position = %s WHERE part = %s",
                [(position, part) for part, position in heads.items()],
            )
            cursor.execute(
                "INSERT INTO restore_progress (part, at) VALUES (0, %s)"
                " ON CONFLICT (part) DO UPDATE SET at = excluded.at",
                (progress,),
            )

    def _copy(self, cursor: psycopg.Cursor[TupleRow], rows: Slice) -> None:
        kinds = self._columns(rows.table)
        types = [kinds[column] for column in rows.columns]
        ids = [kind == "uuid" for kind in types]
        statement = f"COPY {rows.table} ({_quoted(rows.columns)}) FROM STDIN (FORMAT BINARY)"
        with cursor.copy(_sql(statement)) as copy:
            copy.set_types(types)
            for row in rows.rows:
                pairs = zip(row, ids, strict=True)
                copy.write_row([UUID(bytes=v) if is_id and v else v for v, is_id in pairs])

    def clear(self, tables: Sequence[str]) -> None:
        with self._transaction() as connection:
            for table in tables:
                connection.execute(_sql(f"DELETE FROM {table}"))

    def set_mode(self, mode: LogMode) -> None:
        # In ascending order, because a command locks several partitions in ascending order.
        for (part,) in self._all("SELECT part FROM part_heads ORDER BY part"):
            with _outages():
                self._connection.execute(
                    "UPDATE part_heads SET mode = %s WHERE part = %s", (mode.value, part)
                )
        with _outages():
            self._connection.execute("DROP TABLE IF EXISTS restore_progress")

    def close(self) -> None:
        self._connection.close()

    # The connection ---------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Generator[psycopg.Connection[TupleRow]]:
        with _outages(), self._connection.transaction():
            yield self._connection

    def _columns(self, table: str) -> dict[str, str]:
        """Return the columns of a table with their types, in order; nothing if there is none."""
        return dict(
            self._all(
                "SELECT attname::text, atttypid::regtype::text FROM pg_attribute"
                " WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped"
                " ORDER BY attnum",
                (table,),
            )
        )

    def _all(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with _outages():
            cursor = self._connection.cursor(binary=True)
            return cursor.execute(_sql(statement), values or None).fetchall()

    def _uuid(self, stored: Any) -> UUID:
        return cast("UUID", stored)


def _stored(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(value.bytes if isinstance(value, UUID) else value for value in row)


def _quoted(columns: Sequence[str] | Mapping[str, str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)  # "open" and others are SQL keywords


@contextmanager
def _outages() -> Generator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise LogUnavailable(str(error)) from error


def _sql(statement: str) -> SQL:
    # Built only from this package's constants and the names of its tables and columns.
    return SQL(cast(Any, statement.replace("?", "%s")))
