"""The SQL that SQLite and PostgreSQL share; placeholders are written ``?``.

``stored_events`` is the library's table with our columns after its own; the other tables hold
what must not be in an event (keys, secrets) or can be made again (replies, tree heads).
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from domain.base import OrgId
from eventstore.append import Append, Secret, StoredReply
from eventstore.identifiers import new_id
from eventstore.recorded import Row
from eventstore.settle import (
    Heads,
    Settled,
    every_organization,
    settle,
    streams_to_look_up,
)
from eventstore.store import LogIdentity, TreeHead, check_part

COLUMNS = (
    "position, originator_id, originator_version, topic, state, private, org_id, org_seq,"
    " recorded_at"
)

SIDE_TABLES = (
    "CREATE TABLE IF NOT EXISTS subject_keys ("
    " subject {id} PRIMARY KEY, wrapped {bytes}, destroyed_at {int})",
    "CREATE TABLE IF NOT EXISTS secrets ("
    " owner {id} NOT NULL, name TEXT NOT NULL, sealed {bytes} NOT NULL, PRIMARY KEY (owner, name))",
    "CREATE TABLE IF NOT EXISTS replies ("
    " reply_key {bytes} PRIMARY KEY, request_hash {bytes} NOT NULL, status {int} NOT NULL,"
    " body {bytes} NOT NULL, etag TEXT, position {int} NOT NULL, created_at {int} NOT NULL)",
    "CREATE TABLE IF NOT EXISTS log_identity ("
    " one {int} PRIMARY KEY CHECK (one = 1), id {id} NOT NULL, epoch {int} NOT NULL)",
    "CREATE TABLE IF NOT EXISTS tree_heads ("
    " org_id {id} NOT NULL, size {int} NOT NULL, frontier {bytes} NOT NULL, note TEXT NOT NULL,"
    " PRIMARY KEY (org_id, size))",
)

Read = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]
"""A read inside the transaction of an append."""

K = TypeVar("K", bound=UUID)

_TREE_HEADS = "SELECT org_id, size, frontier, note FROM tree_heads WHERE org_id = ? "


class SqlTables(ABC):
    """Reads and side tables of a SQL event database; the append itself is the adapter's."""

    POSITION: str
    """The library's name of the position column in this database."""

    @abstractmethod
    def _query(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a read outside any transaction of ours."""

    @abstractmethod
    def _execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        """Run one write in a transaction of its own."""

    @abstractmethod
    def _id(self, value: UUID) -> Any:
        """Return *value* as this database stores ids."""

    @abstractmethod
    def _row(self, columns: tuple[Any, ...]) -> Row:
        """Return a row of ``COLUMNS`` as a Row."""

    def _events(self, rest: str, parameters: Sequence[Any]) -> list[Row]:
        columns = COLUMNS.replace("position", self.POSITION, 1)
        found = self._query(f"SELECT {columns} FROM stored_events {rest}", parameters)
        return [self._row(columns) for columns in found]

    def stream(self, stream_id: UUID, after: int = 0) -> list[Row]:
        rest = "WHERE originator_id = ? AND originator_version > ? ORDER BY originator_version"
        return self._events(rest, (self._id(stream_id), after))

    parts = 1

    def _identify(self) -> None:
        """Give the log its identity, unless it has one."""
        self._execute(
            "INSERT INTO log_identity (one, id, epoch) VALUES (1, ?, 1)"
            " ON CONFLICT (one) DO NOTHING",
            (self._id(new_id()),),
        )

    def identity(self) -> LogIdentity:
        [(log_id, epoch)] = self._query("SELECT id, epoch FROM log_identity")
        return LogIdentity(self._uuid(log_id), epoch)

    def tail(self, after: int, limit: int, tags: Sequence[str] = (), part: int = 0) -> list[Row]:
        check_part(part, self.parts)
        some = f"AND topic IN ({_marks(len(tags))}) " if tags else ""
        rest = f"WHERE {self.POSITION} > ? {some}ORDER BY {self.POSITION} LIMIT ?"
        return self._events(rest, (after, *tags, limit))

    def organization(self, org_id: OrgId, after: int, limit: int) -> list[Row]:
        rest = "WHERE org_id = ? AND org_seq > ? ORDER BY org_seq LIMIT ?"
        return self._events(rest, (self._id(org_id), after, limit))

    def organization_before(self, org_id: OrgId, before: int, limit: int) -> list[Row]:
        rest = "WHERE org_id = ? AND org_seq < ? ORDER BY org_seq DESC LIMIT ?"
        return self._events(rest, (self._id(org_id), before, limit))

    def heads(self, streams: Sequence[UUID]) -> dict[UUID, int]:
        if not streams:
            return {}
        found = self._query(*self._heads_query(streams))
        return _paired(streams, found)

    def _heads_query(self, streams: Sequence[UUID]) -> tuple[str, list[Any]]:
        # One index probe a stream, in the order asked. The number of marks is padded to a power
        # of two, so that the database sees few distinct statements and keeps them prepared.
        padding = _power_of_two(len(streams)) - len(streams)
        marks = ",".join(["(?)"] * (len(streams) + padding))
        statement = (
            "SELECT (SELECT MAX(originator_version) FROM stored_events"
            f" WHERE originator_id = column1) FROM (VALUES {marks}) AS asked"
        )
        return statement, [*map(self._id, streams), *[self._id(_NOBODY)] * padding]

    def _organizations_query(self, organizations: Sequence[OrgId]) -> tuple[str, list[Any]]:
        padding = _power_of_two(len(organizations)) - len(organizations)
        marks = ",".join(["(?)"] * (len(organizations) + padding))
        statement = (
            "SELECT (SELECT MAX(org_seq) FROM stored_events WHERE org_id = column1)"
            f" FROM (VALUES {marks}) AS asked"
        )
        return statement, [*map(self._id, organizations), *[self._id(_NOBODY)] * padding]

    def _settle(self, appends: Sequence[Append], read: Read, *, suspicious: bool) -> Settled:
        """Settle a batch on what the transaction sees.

        *suspicious* after the unique indexes refused it once: a command came twice, a stream is
        not as new as it was thought to be, or a subject got its key meanwhile.
        """
        if not suspicious:
            heads = self._load_heads(appends, read, every=False)
            settled = settle(appends, heads, done={}, held_keys=set())
            if not settled.has_conflicts:
                return settled
        # Some is refused: then what it would have written tells nothing of the heads, and it may
        # have met itself, recorded before.
        return settle(
            appends,
            self._load_heads(appends, read, every=True),
            done=self._done(appends, read),
            held_keys=self._held(appends, read) if suspicious else set(),
        )

    def _load_heads(self, appends: Sequence[Append], read: Read, *, every: bool) -> Heads:
        streams = streams_to_look_up(appends, every=every)
        organizations = every_organization(appends)
        versions = _paired(streams, read(*self._heads_query(streams))) if streams else {}
        sequences = (
            _paired(organizations, read(*self._organizations_query(organizations)))
            if organizations
            else {}
        )
        [(position,)] = read(f"SELECT MAX({self.POSITION}) FROM stored_events", ())
        return Heads(versions, sequences, position or 0)

    def _done(self, appends: Sequence[Append], read: Read) -> dict[UUID, int]:
        """Return which of the commands were recorded before, and where."""
        done: dict[UUID, int] = {}
        for append in appends:
            found = read(
                f"SELECT {self.POSITION} FROM stored_events WHERE command_id = ?",
                (self._id(append.command_id),),
            )
            if found:
                done[append.command_id] = found[0][0]
        return done

    def _held(self, appends: Sequence[Append], read: Read) -> set[UUID]:
        """Return the subjects among the new keys that have one already."""
        return {
            subject
            for append in appends
            for subject in append.keys
            if read("SELECT 1 FROM subject_keys WHERE subject = ?", (self._id(subject),))
        }

    def organization_heads(self) -> dict[OrgId, int]:
        found = self._query("SELECT org_id, MAX(org_seq) FROM stored_events GROUP BY org_id")
        return {OrgId(self._uuid(org_id)): seq for org_id, seq in found}

    def last_position(self, part: int = 0) -> int:
        check_part(part, self.parts)
        [(position,)] = self._query(f"SELECT MAX({self.POSITION}) FROM stored_events")
        return position or 0

    @abstractmethod
    def _uuid(self, value: Any) -> UUID:
        """Return a stored id as a UUID."""

    def keys(self, subjects: Sequence[UUID]) -> dict[UUID, bytes | None]:
        found: dict[UUID, bytes | None] = {}
        for start in range(0, len(subjects), 500):
            some = subjects[start : start + 500]
            statement = (
                f"SELECT subject, wrapped FROM subject_keys WHERE subject IN ({_marks(len(some))})"
            )
            for subject, wrapped in self._query(statement, [self._id(s) for s in some]):
                found[self._uuid(subject)] = None if wrapped is None else bytes(wrapped)
        return found

    def destroy_key(self, subject: UUID) -> None:
        self._execute(
            "INSERT INTO subject_keys (subject, wrapped, destroyed_at) VALUES (?, NULL, 1)"
            " ON CONFLICT (subject) DO UPDATE SET wrapped = NULL, destroyed_at = 1",
            (self._id(subject),),
        )

    def secrets(self, owner: UUID) -> Mapping[str, bytes]:
        statement = "SELECT name, sealed FROM secrets WHERE owner = ?"
        return {name: bytes(sealed) for name, sealed in self._query(statement, (self._id(owner),))}

    def put_secret(self, secret: Secret) -> None:
        self._execute(*self._secret_write(secret))

    def _secret_write(self, secret: Secret) -> tuple[str, tuple[Any, ...]]:
        if secret.sealed is None:
            statement = "DELETE FROM secrets WHERE owner = ? AND name = ?"
            return statement, (self._id(secret.owner), secret.name)
        statement = (
            "INSERT INTO secrets (owner, name, sealed) VALUES (?, ?, ?)"
            " ON CONFLICT (owner, name) DO UPDATE SET sealed = excluded.sealed"
        )
        return statement, (self._id(secret.owner), secret.name, secret.sealed)

    def _reply_write(self, append: Append) -> tuple[str, tuple[Any, ...]] | None:
        reply = append.reply
        if reply is None or append.reply_key is None:
            return None
        at = append.rows[-1].recorded_at if append.rows else time.time_ns() // 1_000
        position = append.rows[-1].position if append.rows else reply.position
        statement = (
            "INSERT INTO replies (reply_key, request_hash, status, body, etag, position,"
            " created_at) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (reply_key) DO NOTHING"
        )
        values = (reply.request_hash, reply.status, reply.body, reply.etag, position, at)
        return statement, (append.reply_key, *values)

    def reply(self, key: bytes) -> StoredReply | None:
        found = self._query(
            "SELECT request_hash, status, body, etag, position FROM replies WHERE reply_key = ?",
            (key,),
        )
        for request_hash, status, body, etag, position in found:
            return StoredReply(bytes(request_hash), status, bytes(body), etag, position)
        return None

    def tree_heads(self, org_id: OrgId, since: int = 0) -> list[TreeHead]:
        statement = _TREE_HEADS + "AND size >= ? ORDER BY size"
        return [self._tree_head(h) for h in self._query(statement, (self._id(org_id), since))]

    def newest_tree_head(self, org_id: OrgId, size_max: int) -> TreeHead | None:
        statement = _TREE_HEADS + "AND size <= ? ORDER BY size DESC LIMIT 1"
        found = self._query(statement, (self._id(org_id), size_max))
        return self._tree_head(found[0]) if found else None

    def _tree_head(self, columns: tuple[Any, ...]) -> TreeHead:
        org_id, size, frontier, note = columns
        return TreeHead(OrgId(self._uuid(org_id)), size, bytes(frontier), note)

    def put_tree_head(self, head: TreeHead) -> None:
        self._execute(
            "INSERT INTO tree_heads (org_id, size, frontier, note) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (org_id, size) DO NOTHING",
            (self._id(head.org_id), head.size, head.frontier, head.note),
        )


_NOBODY = UUID(int=0)


def _marks(count: int) -> str:
    return ",".join("?" * count)


def _power_of_two(count: int) -> int:
    return 1 << (count - 1).bit_length() if count else 0


def _paired(asked: Sequence[K], found: Sequence[tuple[Any, ...]]) -> dict[K, int]:
    return {key: row[0] for key, row in zip(asked, found, strict=False) if row[0] is not None}
