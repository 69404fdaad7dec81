"""The log in PostgreSQL: the production store, shared by any number of processes."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast
from uuid import UUID

import psycopg
from eventsourcing.persistence import IntegrityError, PersistenceError, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg import Connection, Cursor
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Composed

from domain.base import OrgId
from eventstore.append import Append, LogUnavailable, Outcome
from eventstore.plain import insert_plain
from eventstore.recorded import Row
from eventstore.tables import SIDE_TABLES, SqlTables

_EVENTS_TABLE = (
    "CREATE TABLE IF NOT EXISTS stored_events ("
    " notification_id bigserial PRIMARY KEY,"
    " originator_id uuid NOT NULL, originator_version bigint NOT NULL,"
    " topic text NOT NULL, state bytea NOT NULL, private bytea,"
    " org_id uuid NOT NULL, org_seq bigint NOT NULL,"
    " recorded_at bigint NOT NULL, command_id uuid)"
)
_GUARDS = (
    "CREATE UNIQUE INDEX IF NOT EXISTS events_by_stream"
    " ON stored_events (originator_id, originator_version)",
    "CREATE UNIQUE INDEX IF NOT EXISTS events_by_organization ON stored_events (org_id, org_seq)",
    "CREATE UNIQUE INDEX IF NOT EXISTS events_by_command"
    " ON stored_events (command_id) WHERE command_id IS NOT NULL",
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION 'events are immutable'; END $$",
    "CREATE OR REPLACE TRIGGER events_never_change BEFORE UPDATE OR DELETE ON stored_events"
    " FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE OR REPLACE TRIGGER events_never_go BEFORE TRUNCATE ON stored_events"
    " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
)
_INSERT = (
    "INSERT INTO stored_events (notification_id, originator_id, originator_version, topic, state,"
    " private, org_id, org_seq, recorded_at, command_id)"
    " SELECT * FROM unnest(%b::bigint[], %b::uuid[], %b::bigint[], %b::text[], %b::bytea[],"
    " %b::bytea[], %b::uuid[], %b::bigint[], %b::bigint[], %b::uuid[])"
)

T = TypeVar("T")

LOST_MAX = 2
"""Connections that may break under one batch before its callers are told."""


class PostgresStore(SqlTables, PostgresApplicationRecorder):
    """The library's PostgreSQL recorder with our columns and an append of many commands at once.

    The library's table lock stays: without it a reader that tails the log passes over events
    that commit late. Positions are assigned under that lock, so their order is commit order.
    """

    POSITION = "notification_id"
    inline = False

    def __init__(self, url: str, *, pool_size: int = 8, lock_timeout_s: int = 10) -> None:
        parts = conninfo_to_dict(url)
        datastore = PostgresDatastore(
            str(parts.get("dbname") or ""),
            str(parts.get("host") or ""),
            str(parts.get("port") or 5432),
            str(parts.get("user") or ""),
            str(parts.get("password") or ""),
            pool_size=1,
            max_overflow=pool_size - 1,
            max_waiting=10_000,
            lock_timeout=lock_timeout_s,
        )
        # A black-holed server otherwise holds a writer far past every deadline of ours.
        cast(dict[str, Any], datastore.pool.kwargs).update(tcp_user_timeout=5_000)
        super().__init__(datastore)
        self.sql_create_statements[self.create_table_statement_index] = Composed(
            [SQL(_EVENTS_TABLE)]
        )

    def create(self) -> None:
        self.create_table()
        sides = [t.format(id="uuid", bytes="bytea", int="bigint") for t in SIDE_TABLES]
        with self.datastore.transaction(commit=True) as cursor:
            # Two processes that start together must not create the same things at once.
            cursor.execute("SELECT pg_advisory_xact_lock(7274)")
            for statement in (*_GUARDS, *sides):
                cursor.execute(_sql(statement))
        self._identify()

    # The append -------------------------------------------------------------

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        suspicious, lost = False, 0
        while True:
            try:
                return self._attempt(appends, suspicious=suspicious)
            except IntegrityError:
                if suspicious:
                    raise
            except PersistenceError as error:
                # The connection broke, perhaps after the commit: the command ids will tell.
                lost += 1
                if lost == LOST_MAX:
                    raise LogUnavailable(str(error)) from error
            suspicious = True

    def _attempt(self, appends: Sequence[Append], *, suspicious: bool) -> list[Outcome]:
        with self.datastore.transaction(commit=True) as library_cursor:
            connection: Connection[Any] = library_cursor.connection
            # A pipeline: what needs no answer at once does not wait for one.
            with (
                connection.pipeline() as pipeline,
                connection.cursor(row_factory=tuple_row) as cursor,
            ):
                self._lock_table(library_cursor)

                def read(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
                    return cursor.execute(_sql(statement), parameters, prepare=True).fetchall()

                settled = self._settle(appends, read, suspicious=suspicious)
                self._insert(cursor, settled.admitted)
                self._notify_channel(library_cursor)
                pipeline.sync()  # so that a refusal is raised here, as what it is
        return settled.outcomes

    def _insert(self, cursor: Cursor[tuple[Any, ...]], appends: Sequence[Append]) -> None:
        rows = [row for append in appends for row in append.rows]
        if rows:
            columns = [
                [row.position for row in rows],
                [row.stream_id for row in rows],
                [row.version for row in rows],
                [row.tag for row in rows],
                [row.state for row in rows],
                [row.private for row in rows],
                [row.org_id for row in rows],
                [row.org_seq for row in rows],
                [row.recorded_at for row in rows],
                [row.command_id for row in rows],
            ]
            cursor.execute(SQL(_INSERT), columns, prepare=True)
        keys = [pair for append in appends for pair in append.keys.items()]
        if keys:
            cursor.execute(
                SQL(
                    "INSERT INTO subject_keys (subject, wrapped)"
                    " SELECT * FROM unnest(%b::uuid[], %b::bytea[])"
                ),
                [[subject for subject, _ in keys], [wrapped for _, wrapped in keys]],
                prepare=True,
            )
        for append in appends:
            for secret in append.secrets:
                statement, values = self._secret_write(secret)
                cursor.execute(_sql(statement), values)
            reply = self._reply_write(append)
            if reply:
                cursor.execute(_sql(reply[0]), reply[1])

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        return insert_plain(self, stored_events)

    # Reads ------------------------------------------------------------------

    def _query(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        def read(cursor: Cursor[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
            return cursor.execute(_sql(statement), parameters, prepare=True).fetchall()

        return self._with_cursor(read)

    def _execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        self._with_cursor(lambda cursor: cursor.execute(_sql(statement), parameters))

    def _with_cursor(self, work: Callable[[Cursor[tuple[Any, ...]]], T]) -> T:
        try:
            with (
                self.datastore.get_connection() as connection,
                connection.cursor(row_factory=tuple_row) as cursor,
            ):
                return work(cursor)
        except (PersistenceError, psycopg.Error) as error:
            raise LogUnavailable(str(error)) from error

    def _id(self, value: UUID) -> UUID:
        return value

    def _uuid(self, value: UUID) -> UUID:
        return value

    def _row(self, columns: tuple[Any, ...]) -> Row:
        position, stream, version, tag, state, private, org, seq, at = columns
        opened = None if private is None else bytes(private)
        return Row(position, stream, version, tag, bytes(state), opened, OrgId(org), seq, at, None)

    def close(self) -> None:
        self.datastore.close()


def _sql(statement: str) -> SQL:
    # Built from this package's constants only; "?" never occurs in them but as a placeholder.
    return SQL(cast(Any, statement.replace("?", "%s")))
