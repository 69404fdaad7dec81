"""The log in PostgreSQL, for production; shared by any number of processes."""

import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from psycopg import Connection, Cursor, Rollback
from psycopg.sql import SQL, Identifier
from psycopg_pool import PoolTimeout, TooManyRequests

from eventstore.append import Append, LogUnavailable, LogUnfit, Outcome
from eventstore.counters import LOG_DRIVER, counters_of
from eventstore.engine.beside import INSERT_EVENTS, SqlSideTables, event_rows
from eventstore.engine.calls import LOG_LOCK_WAIT_S
from eventstore.engine.lookups import BatchTry, Question
from eventstore.engine.postgres.pooling import (
    KEEPALIVE,
    CountedPool,
    outages,
    prepare_connection,
)
from eventstore.engine.postgres.staging import MOVE_STAGED, Staged, stage
from eventstore.engine.probes import Rows
from eventstore.engine.schema import (
    DISTRIBUTED_GUARDS,
    NOT_MIGRATED,
    OLD_SHAPE,
    OLD_TABLE,
    POSTGRES_GUARDS,
    POSTGRES_TYPES,
    statements,
)
from eventstore.engine.settle import Settled
from eventstore.recorded import Row

_logger = logging.getLogger(__name__)

_GRANTS = (
    "GRANT USAGE ON SCHEMA public TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    "REVOKE UPDATE, DELETE, TRUNCATE ON events FROM {role}",
    "GRANT UPDATE (private) ON events TO {role}",  # to redact; a trigger lets it only lose values
)

_MAY_CHANGE = (
    # What is sealed beside an event may go, so that it can be redacted.
    "SELECT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum > 0"
    " AND NOT attisdropped AND attname <> 'private'"
    " AND has_column_privilege(pg_class.oid, attnum, 'UPDATE'))"
    " OR has_table_privilege('events', 'DELETE')"
    " OR has_table_privilege('events', 'TRUNCATE')"
    " OR pg_has_role(relowner, 'MEMBER')"
    " FROM pg_class WHERE oid = 'events'::regclass"
)

T = TypeVar("T")
TupleCursor = Cursor[tuple[Any, ...]]

LOST_MAX = 2
"""Connections that may break during one batch before its callers get an error."""

WAITING_READS_MAX = 10_000
"""How many reads may wait for a connection."""


class PostgresStore(SqlSideTables):
    """A database that any number of processes append to.

    A writer holds the row of its partition in ``part_heads`` until the commit and takes the next
    positions from it. Positions are therefore in commit order, and a reader that follows the
    partition never misses a late commit.
    """

    LOCK = " FOR UPDATE"
    POOL_SIZE = 8
    GUARDS: tuple[str, ...] = POSTGRES_GUARDS
    """What refuses changes of events to every role."""
    inline = False

    def __init__(
        self,
        url: str,
        *,
        parts: int | None = None,
        lock_timeout_s: float = LOG_LOCK_WAIT_S,
    ) -> None:
        super().__init__(parts)
        self._lock_timeout_s = lock_timeout_s
        # The URL is passed to libpq unchanged: sslmode, target_session_attrs, passfile, options …
        self._pool = CountedPool(
            url,
            counters_of(LOG_DRIVER),
            kwargs={**KEEPALIVE, "autocommit": True},
            min_size=1,
            max_size=self.POOL_SIZE,
            max_waiting=WAITING_READS_MAX,
            timeout=lock_timeout_s,
            configure=self._configure,
            open=False,
        )
        self._pool.open()

    def _configure(self, connection: Connection[Any]) -> None:
        self._remembered.forget()  # the server may have been restored meanwhile
        prepare_connection(connection, self._lock_timeout_s)

    def create(self) -> None:
        """Create what is missing of the schema; concurrent processes wait for each other."""
        self._refuse_old()
        with (
            outages(),
            self._pool.connection() as connection,
            connection.transaction(),
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT pg_advisory_xact_lock(7274)")
            for statement in statements(POSTGRES_TYPES, self.GUARDS):
                cursor.execute(_sql(statement))
            for statement, parameters in self._founding():
                cursor.execute(_sql(statement), parameters)
        self._learn_parts()

    def open(self) -> None:
        """Check that the database has a log.

        :raises LogUnfit: it has none, one of an older shape, or one with other partitions.
        """
        self._refuse_old()
        if not self._has("tree_nodes"):  # the newest table
            raise LogUnfit(NOT_MIGRATED)
        self._learn_parts()

    def grant(self, role: str) -> None:
        """Allow *role* to append and read, but not to change or remove an event."""
        name = Identifier(role)
        with outages(), self._pool.connection() as connection, connection.transaction():
            for statement in _GRANTS:
                connection.execute(SQL(statement).format(role=name))

    def may_change_events(self) -> bool:
        """Return whether our role could change events, which then only triggers prevent.

        The owner of the table can always give itself the rights, and drop the triggers.
        """
        [(may,)] = self._query(_MAY_CHANGE, ())
        return bool(may)

    def _refuse_old(self) -> None:
        if self._has(OLD_TABLE):
            raise LogUnfit(OLD_SHAPE)

    def _has(self, table: str) -> bool:
        [(found,)] = self._query("SELECT to_regclass(?) IS NOT NULL", (table,))
        return bool(found)

    # The append -------------------------------------------------------------

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        return [outcome for outcome in self._commit(appends, free=False) if outcome is not None]

    def commit_free(self, appends: Sequence[Append]) -> Sequence[Outcome | None]:
        return self._commit(appends, free=True)

    def _commit(self, appends: Sequence[Append], *, free: bool) -> Sequence[Outcome | None]:
        attempt, lost = BatchTry(free=free), 0
        while True:
            try:
                return self._attempt(appends, attempt)
            except psycopg.IntegrityError as error:
                if attempt.suspicious:
                    raise LogUnavailable(str(error)) from error
            except (psycopg.Error, PoolTimeout, TooManyRequests) as error:
                # The connection broke, perhaps after the commit: the events will show.
                lost += 1
                counters_of(LOG_DRIVER).retried()
                if lost == LOST_MAX:
                    raise LogUnavailable(str(error)) from error
            # Now all of the batch, and whoever writes to its partitions is waited for.
            attempt = BatchTry(suspicious=True, lost=lost > 0)

    def _attempt(self, appends: Sequence[Append], attempt: BatchTry) -> Sequence[Outcome | None]:
        # In a pipeline, statements whose result is not needed at once do not wait for it: there are
        # two round trips, one up to what is read and one with all that is written and the commit.
        with (
            self._pool.connection() as connection,
            connection.pipeline() as pipeline,
            connection.cursor(binary=True) as cursor,
        ):
            cursor.execute("BEGIN")  # not `transaction()`, whose COMMIT is a round trip of its own
            staged = stage(() if self.separate else appends, cursor, pipeline)

            def ask(questions: Sequence[Question]) -> list[Rows]:
                return _answers(connection, questions)

            settled = self._settle(appends, ask, attempt)
            self._insert(cursor, settled, staged)
            cursor.execute("COMMIT")
            pipeline.sync()  # so that an error is raised here, with its own type
        self._remember_heads(settled)
        return settled.outcomes if settled.tried is None else settled.outcomes_of(appends)

    def rehearse(self, append: Append) -> Outcome:
        with outages(), self._pool.connection() as connection, connection.transaction() as whole:

            def ask(questions: Sequence[Question]) -> list[Rows]:
                return _answers(connection, questions)

            outcome = self._settle([append], ask, BatchTry(suspicious=True)).outcomes[0]
            raise Rollback(whole)
        return outcome

    def _insert(self, cursor: TupleCursor, settled: Settled, staged: Staged) -> None:
        moves, others = staged.moves(settled.admitted, self._part)
        _add(cursor, MOVE_STAGED, moves)
        events = event_rows(others, self._part, self._id)
        for write, rows in chain([(INSERT_EVENTS, events)], self._writes(settled)):
            if isinstance(write, str):
                _add(cursor, write, rows)
                continue
            for some in self._apart(rows, itemgetter(0)):  # each begins with its partition
                if len(some) > 1:
                    columns = [list(column) for column in zip(*some, strict=True)]
                    _add(cursor, write.of_arrays, [columns])
                else:
                    _add(cursor, write.of_values, some)

    # Reads ------------------------------------------------------------------

    def _query(self, statement: str, parameters: Sequence[Any]) -> Rows:
        def read(cursor: TupleCursor) -> Rows:
            return cursor.execute(_sql(statement), parameters, prepare=True).fetchall()

        return self._with_cursor(read)

    def _execute(self, statement: str, parameters: Sequence[Any]) -> int:
        return self._with_cursor(lambda c: c.execute(_sql(statement), parameters).rowcount)

    def _with_cursor(self, work: Callable[[TupleCursor], T]) -> T:
        with outages(), self._pool.connection() as connection:
            return work(connection.cursor(binary=True))

    def _id(self, value: UUID) -> UUID:
        return value

    def _uuid(self, value: UUID) -> UUID:
        return value

    def _rows(self, found: Rows) -> list[Row]:
        return [Row(*columns) for columns in found]

    def _stream_rows(self, stream_id: UUID, found: Rows) -> list[Row]:
        return [Row(position, stream_id, *rest) for position, *rest in found]

    def hang_up(self) -> None:
        self._pool.hang_up()

    def close(self) -> None:
        self._pool.close()


class DistributedStore(PostgresStore):
    """A database whose partitions are on several machines, as with Citus or YugabyteDB."""

    separate = True
    POOL_SIZE = 32
    GUARDS = DISTRIBUTED_GUARDS


def _add(cursor: TupleCursor, statement: str, every: Sequence[Sequence[Any]]) -> None:
    for parameters in every:
        cursor.execute(_sql(statement), parameters, prepare=True)


def _answers(connection: Connection[Any], questions: Sequence[Question]) -> list[Rows]:
    """Send all questions before waiting for the first answer, if the connection is a pipeline."""
    cursors = [
        connection.cursor(binary=True).execute(_sql(statement), parameters, prepare=True)
        for (statement, parameters), _ in questions
    ]
    return [cursor.fetchall() for cursor in cursors]


@lru_cache(1_024)
def _sql(statement: str) -> bytes:
    """Return a statement of this package as the driver takes it; "?" is always a placeholder."""
    return statement.replace("?", "%s").encode()
