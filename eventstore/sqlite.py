"""The log in SQLite: one file in WAL mode, every commit on disk before it is acknowledged."""

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import cache
from operator import attrgetter
from threading import Lock, local
from typing import Any, NamedTuple, cast
from uuid import UUID

from domain.base import OrgId
from eventstore.append import Append, LogUnavailable, LogUnfit, Outcome
from eventstore.counters import LOG_DRIVER, counters_of
from eventstore.engine.beside import SqlSideTables
from eventstore.engine.calls import LOG_LOCK_WAIT_S
from eventstore.engine.lookups import BatchTry, Question
from eventstore.engine.probes import Rows, marks
from eventstore.engine.remembered_heads import OwnCommits
from eventstore.engine.schema import (
    OLD_SHAPE,
    OLD_TABLE,
    SQLITE_GUARDS,
    SQLITE_TYPES,
    statements,
)
from eventstore.engine.settle import Settled
from eventstore.engine.sqlite.driver import (
    CREATE,
    FAILURES,
    ConstraintError,
    Database,
    committing,
    connect,
    fire_triggers,
)
from eventstore.engine.sqlite.file import Checkpoints, once_unlocked
from eventstore.engine.sqlite.rows import MANY_EVENTS, add_all
from eventstore.identifiers import id_of
from eventstore.recorded import READ_BYTES_MAX, Row
from eventstore.store import Mark, OwnCommit

_STATE, _PRIVATE = 4, 5
"""Where they are in ``COLUMNS``."""

_REDACTED = attrgetter("redacted")

_owner = cast(Callable[[bytes], OrgId], id_of)  # OrgId() is a call for each row

WRITER_CACHE_KIB = 8 * 1024
"""Pages in memory: what a large append changes is then written once, by its commit."""

# FULL: each commit is synced to the disk, so that power loss loses nothing either.
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL")


@cache
def _positions_of(parts: int) -> tuple[str, tuple[int, ...]]:
    """Return the query for the position of each partition, with which most requests begin."""
    which = f"WHERE part IN ({marks(parts)})"
    return f"SELECT position FROM part_heads {which} ORDER BY part", tuple(range(parts))


class _Opened(NamedTuple):
    """A connection, and the lock of whoever uses or closes it."""

    connection: Database
    lock: Lock


class SqliteStore(SqlSideTables):
    """A file that one process writes to; opening creates it."""

    inline = True

    def __init__(
        self, path: str, *, parts: int | None = None, lock_timeout_s: float = LOG_LOCK_WAIT_S
    ) -> None:
        super().__init__(parts)
        self._path, self._lock_timeout_s = path, lock_timeout_s
        self._local, self._own, self._checkpoints = local(), OwnCommits(), Checkpoints(path)
        self._opened: list[_Opened] = []
        self._writer, self._write_lock = self._connect()
        self._writer.set_busy_timeout(0)  # we wait for its lock ourselves
        fire_triggers(self._writer, fire=False)  # see eventstore/engine/schema.py
        self._writer.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KIB}")
        counters_of(LOG_DRIVER).pool_created()

    def create(self) -> None:
        if self._query("SELECT 1 FROM sqlite_master WHERE name = ?", (OLD_TABLE,)):
            raise LogUnfit(OLD_SHAPE)
        with self._write_lock:
            try:
                self._lock()
                with committing(self._writer):
                    for statement in statements(SQLITE_TYPES, SQLITE_GUARDS):
                        self._writer.execute(statement)
                    for write in self._founding():
                        self._writer.execute(*write)
            except FAILURES as error:
                raise LogUnavailable(str(error)) from error
        self._learn_parts()

    open = create

    def _connect(self) -> _Opened:
        connection = connect(self._path, CREATE)
        connection.set_busy_timeout(int(self._lock_timeout_s * 1000))
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        opened = _Opened(connection, Lock())
        self._opened.append(opened)
        counters_of(LOG_DRIVER).connection_created()
        return opened

    # The append -------------------------------------------------------------

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        with self._write_lock:
            try:
                try:
                    return self._attempt(appends, BatchTry())
                except ConstraintError:
                    # Nothing was written; find out why.
                    return self._attempt(appends, BatchTry(suspicious=True))
            except FAILURES as error:
                raise LogUnavailable(str(error)) from error

    def _attempt(self, appends: Sequence[Append], attempt: BatchTry) -> list[Outcome]:
        writer = self._writer
        self._lock()
        try:
            settled = self._settle(appends, self._ask, attempt)
            self._write(settled)
        except BaseException:
            if writer.in_transaction:
                writer.execute("ROLLBACK")
            raise
        self._remember_heads(settled)
        self._own.add(settled)
        return settled.outcomes

    def _write(self, settled: Settled) -> None:
        """Write what was admitted, and commit it."""
        writer, events = self._writer, settled.events
        redacts = any(map(_REDACTED, settled.admitted))
        if redacts:  # the one change of events: its guard looks at it
            fire_triggers(writer, fire=True)
        try:
            add_all(writer, events, self._part, self._writes(settled))
        finally:
            if redacts:
                fire_triggers(writer, fire=False)
        if len(events) >= MANY_EVENTS:
            self._checkpoints.commit(writer)
        else:
            writer.execute("COMMIT")

    def commit_free(self, appends: Sequence[Append]) -> Sequence[Outcome | None]:
        return self.commit(appends)

    def rehearse(self, append: Append) -> Outcome:
        with self._write_lock:
            try:
                return once_unlocked(lambda: self._rehearse(append), self._lock_timeout_s)
            except FAILURES as error:
                raise LogUnavailable(str(error)) from error

    def _rehearse(self, append: Append) -> Outcome:
        self._writer.execute("BEGIN")
        try:
            return self._settle([append], self._ask, BatchTry(suspicious=True)).outcomes[0]
        finally:
            self._writer.execute("ROLLBACK")

    def _lock(self) -> None:
        once_unlocked(lambda: self._writer.execute("BEGIN IMMEDIATE"), self._lock_timeout_s)

    def _ask(self, questions: Sequence[Question]) -> list[Rows]:
        execute = self._writer.execute
        return [execute(*question.query).fetchall() for question in questions]

    # Reads ------------------------------------------------------------------

    def _reader(self) -> _Opened:
        """Return what this thread reads with."""
        reader: _Opened | None = getattr(self._local, "reader", None)
        if reader is None:
            reader = self._local.reader = self._connect()
        return reader

    def mark(self) -> Mark | None:
        found = self._query(*_positions_of(self.parts))
        return tuple([position for (position,) in found])

    def own_commits(self, since: Mark, until: Mark) -> Sequence[OwnCommit] | None:
        return self._own.take(since, until)

    def _query(self, statement: str, parameters: Sequence[Any]) -> Rows:
        try:
            reader = self._reader()
            with reader.lock:
                return reader.connection.execute(statement, parameters).fetchall()
        except FAILURES as error:
            raise LogUnavailable(str(error)) from error

    def _query_bounded(self, statement: str, order: str, parameters: Sequence[Any]) -> Rows:
        found: Rows = []
        size = 0
        try:
            reader = self._reader()
            with reader.lock, closing(reader.connection.execute(statement, parameters)) as cursor:
                for columns in cursor:
                    found.append(columns)
                    size += len(columns[_STATE]) + len(columns[_PRIVATE] or b"")
                    if size >= READ_BYTES_MAX:
                        break
        except FAILURES as error:
            raise LogUnavailable(str(error)) from error
        return found

    def _execute(self, statement: str, parameters: Sequence[Any]) -> int:
        with self._write_lock:
            try:
                return once_unlocked(
                    lambda: self._execute_now(statement, parameters), self._lock_timeout_s
                )
            except FAILURES as error:
                raise LogUnavailable(str(error)) from error

    def _execute_now(self, statement: str, parameters: Sequence[Any]) -> int:
        self._writer.execute(statement, parameters)
        return self._writer.changes()

    def _id(self, value: UUID) -> bytes:
        return value.bytes

    def _uuid(self, value: bytes) -> UUID:
        return id_of(value)

    def _rows(self, found: Rows) -> list[Row]:
        return [
            Row(position, id_of(stream), version, tag, state, private, _owner(org), seq, at)
            for position, stream, version, tag, state, private, org, seq, at in found
        ]

    def _stream_rows(self, stream_id: UUID, found: Rows) -> list[Row]:
        return [
            Row(position, stream_id, version, tag, state, private, _owner(org), seq, at)
            for position, version, tag, state, private, org, seq, at in found
        ]

    def may_change_events(self) -> bool:
        return False

    def hang_up(self) -> None:
        """Leave calls alone: waiting for the lock is limited, and what is queued is committed."""

    def close(self) -> None:
        self._checkpoints.end()
        if self._opened:
            counters_of(LOG_DRIVER).pool_closed()
        for connection, lock in self._opened:
            with lock:
                connection.close()
            counters_of(LOG_DRIVER).connection_closed()
        self._opened.clear()
