"""The tables next to the events in SQL: keys, secrets, claims, counts."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from domain.base import OrgId
from eventstore.append import Append, Secret
from eventstore.claim import ClaimKey, Held
from eventstore.engine.idempotency import USED_KEYS
from eventstore.engine.probes import marks
from eventstore.engine.schema import Insert
from eventstore.engine.settle import Settled
from eventstore.engine.trees import NOBODY, SqlTrees
from eventstore.recorded import Row
from eventstore.store import Wrapped

KEYS_AT_ONCE = 500

INSERT_EVENTS = Insert(
    "events",
    {
        "part": "part",
        "position": "int",
        "stream_id": "id",
        "version": "int",
        "tag": "text",
        "state": "bytes",
        "private": "bytes",
        "org_id": "id",
        "org_seq": "int",
        "recorded_at": "int",
    },
)
_KEYS = Insert("subject_keys", {"part": "part", "subject": "id", "wrapped": "bytes"})
_CLAIM_COLUMNS = {
    "part": "part",
    "scope": "text",
    "within": "id",
    "value": "bytes",
    "holder": "id",
    "free_at": "int",
}
# A claim that was looked up may exist as a released one; a number must be new.
_CLAIMS = Insert(
    "claims",
    _CLAIM_COLUMNS,
    "ON CONFLICT (part, scope, within, value)"
    " DO UPDATE SET holder = excluded.holder, free_at = excluded.free_at",
)
_NUMBERS = Insert("claims", _CLAIM_COLUMNS)
_COUNTS = Insert(
    "counts",
    {"part": "part", "scope": "text", "within": "id", "n": "int"},
    "ON CONFLICT (part, scope, within) DO UPDATE SET n = excluded.n",
)

_DESTROY_KEY = (
    "INSERT INTO subject_keys (part, subject, wrapped, destroyed_at) VALUES (?, ?, NULL, 1)"
    " ON CONFLICT (part, subject) DO UPDATE SET wrapped = NULL, destroyed_at = 1"
)

REDACT = "UPDATE events SET private = ? WHERE part = ? AND stream_id = ? AND version = ?"
"""The one change of an event."""

TableWrite = Insert | str
"""A statement that adds rows, or another one."""
SqlWrite = tuple[str, Sequence[Any]]


class SqlSideTables(SqlTrees):
    """Reads and writes of the tables next to the events."""

    def claims_in(self, part: int) -> dict[tuple[str, UUID, bytes], Held]:
        statement = "SELECT scope, within, value, holder, free_at FROM claims WHERE part = ?"
        return {
            (scope, self._uuid(within), bytes(value)): Held(self._uuid(holder), free_at)
            for scope, within, value, holder, free_at in self._query(statement, (part,))
        }

    def claimed_in(self, part: int, scope: str) -> list[tuple[UUID, UUID]]:
        statement = (
            "SELECT within, holder FROM claims WHERE part = ? AND scope = ? AND free_at = 0"
            " ORDER BY within, value"
        )
        found = self._query(statement, (part, scope))
        return [(self._uuid(within), self._uuid(holder)) for within, holder in found]

    def counts_in(self, part: int) -> dict[tuple[str, UUID], int]:
        statement = "SELECT scope, within, n FROM counts WHERE part = ?"
        found = self._query(statement, (part,))
        return {(scope, self._uuid(within)): n for scope, within, n in found}

    def keys(self, subjects: Sequence[UUID], part: int = 0) -> dict[UUID, bytes | None]:
        found: dict[UUID, bytes | None] = {}
        for start in range(0, len(subjects), KEYS_AT_ONCE):
            some = subjects[start : start + KEYS_AT_ONCE]
            statement = (
                "SELECT subject, wrapped FROM subject_keys"
                f" WHERE part = ? AND subject IN ({marks(len(some))})"
            )
            for subject, wrapped in self._query(statement, [part, *map(self._id, some)]):
                found[self._uuid(subject)] = None if wrapped is None else bytes(wrapped)
        return found

    def destroy_key(self, subject: UUID, part: int = 0) -> None:
        self._execute(_DESTROY_KEY, (part, self._id(subject)))

    def secrets(self, owner: UUID, part: int = 0) -> Mapping[str, bytes]:
        statement = "SELECT name, sealed FROM secrets WHERE part = ? AND owner = ?"
        found = self._query(statement, (part, self._id(owner)))
        return {name: bytes(sealed) for name, sealed in found}

    def put_secret(self, secret: Secret, part: int = 0) -> None:
        self._execute(*self._secret_write(secret, part))

    def wrapped(self, after: Wrapped | None, limit: int, part: int = 0) -> list[Wrapped]:
        owner, name = (NOBODY, "") if after is None else (after.owner, after.name)
        place = (part, self._id(owner), self._id(owner), name)
        statement = (
            "SELECT owner, name, value FROM ("
            " SELECT part, subject AS owner, '' AS name, wrapped AS value FROM subject_keys"
            "  WHERE wrapped IS NOT NULL"
            " UNION ALL SELECT part, owner, name, sealed FROM secrets) AS everything"
            " WHERE part = ? AND (owner > ? OR (owner = ? AND name > ?))"
            f" ORDER BY owner, name LIMIT {limit}"
        )
        found = self._query(statement, place)
        return [Wrapped(self._uuid(owner), name, bytes(value)) for owner, name, value in found]

    def wrap_again(self, found: Wrapped, value: bytes, part: int = 0) -> bool:
        place = (part, self._id(found.owner))
        if found.name:
            statement = (
                "UPDATE secrets SET sealed = ?"
                " WHERE part = ? AND owner = ? AND name = ? AND sealed = ?"
            )
            return bool(self._execute(statement, (value, *place, found.name, found.value)))
        statement = (
            "UPDATE subject_keys SET wrapped = ? WHERE part = ? AND subject = ? AND wrapped = ?"
        )
        return bool(self._execute(statement, (value, *place, found.value)))

    # The writes of an append --------------------------------------------------

    def _writes(self, settled: Settled) -> Iterator[tuple[TableWrite, Sequence[Sequence[Any]]]]:
        """Yield each statement beside the events, with its parameters for each row it writes."""
        admitted = settled.admitted
        yield (
            _KEYS,
            [
                (self._part(append.owner(subject)), self._id(subject), wrapped)
                for append in admitted
                for subject, wrapped in append.keys.items()
            ],
        )
        yield from self._values_gone(admitted)
        secrets = (
            self._secret_write(secret, self._part(append.owner(secret.owner)))
            for append in admitted
            for secret in append.secrets
        )
        for statement, writes in groupby(secrets, itemgetter(0)):
            yield statement, [parameters for _, parameters in writes]
        yield (
            USED_KEYS,
            [
                self._used_key_row(append, append.key_use)
                for append in admitted
                if append.key_use is not None
            ],
        )
        yield from self._claim_writes(settled)
        yield (
            _COUNTS,
            [
                (self._part(count.org_id), count.scope, self._id(count.within), n)
                for count, n in settled.counts.items()
            ],
        )
        heads = [(position, part) for part, position in sorted(settled.positions.items())]
        yield "UPDATE part_heads SET position = ? WHERE part = ?", heads

    def _values_gone(
        self, admitted: Sequence[Append]
    ) -> Iterator[tuple[TableWrite, Sequence[Sequence[Any]]]]:
        gone = [(append.owner(each), each) for append in admitted for each in append.destroyed]
        if gone:
            yield _DESTROY_KEY, [(self._part(org_id), self._id(each)) for org_id, each in gone]
        left = [
            (each.private, self._part(append.org_id), self._id(each.stream), each.version)
            for append in admitted
            for each in append.redacted
        ]
        if left:
            yield REDACT, left

    def _secret_write(self, secret: Secret, part: int) -> SqlWrite:
        if secret.sealed is None:
            statement = "DELETE FROM secrets WHERE part = ? AND owner = ? AND name = ?"
            return statement, (part, self._id(secret.owner), secret.name)
        statement = (
            "INSERT INTO secrets (part, owner, name, sealed) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (part, owner, name) DO UPDATE SET sealed = excluded.sealed"
        )
        return statement, (part, self._id(secret.owner), secret.name, secret.sealed)

    def _claim_writes(self, settled: Settled) -> Iterator[tuple[TableWrite, list[Sequence[Any]]]]:
        held, gone = list[Sequence[Any]](), list[Sequence[Any]]()
        for claim, holder in settled.claims.items():
            if holder is None:
                gone.append(self._claim_key(claim))
            else:
                held.append((*self._claim_key(claim), self._id(holder.holder), holder.free_at))
        numbers: list[Sequence[Any]] = [
            (*self._claim_key(claim), self._id(holder.holder), holder.free_at)
            for claim, holder in settled.numbers.items()
        ]
        delete = "DELETE FROM claims WHERE part = ? AND scope = ? AND within = ? AND value = ?"
        yield _CLAIMS, held
        yield _NUMBERS, numbers
        yield delete, gone

    def _claim_key(self, claim: ClaimKey) -> tuple[Any, ...]:
        return self._part(claim.org_id), claim.scope, self._id(claim.within), claim.value


def event_rows(
    events: Iterable[Row], part_of: Callable[[OrgId], int], stored: Callable[[UUID], Any]
) -> list[tuple[Any, ...]]:
    """Return *events* as rows; what a row shares with the one before is not made again."""
    rows: list[tuple[Any, ...]] = []
    owner: OrgId | None = None
    stream: UUID | None = None
    part, owned, within = 0, None, None
    for row in events:
        if row.org_id is not owner:
            owner = row.org_id
            part, owned = part_of(owner), stored(owner)
        if row.stream_id is not stream:
            stream = row.stream_id
            within = stored(stream)
        rows.append(
            (
                part,
                row.position,
                within,
                row.version,
                row.tag,
                row.state,
                row.private,
                owned,
                row.org_seq,
                row.recorded_at,
            )
        )
    return rows
