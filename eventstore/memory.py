"""The log in memory, for unit tests and dry runs."""

from collections.abc import Iterable, Sequence
from threading import RLock
from uuid import UUID

from msgspec.structs import replace

from domain.base import OrgId
from eventstore.append import Append, KeptSince, Outcome, UsedKey
from eventstore.claim import ClaimKey, CountKey, Held
from eventstore.engine.memory_keys import MemoryKeys
from eventstore.engine.settle import Heads, Settled, last_own_row, refuse_closed, settle
from eventstore.identifiers import new_id
from eventstore.mode import LogMode
from eventstore.partition import check_part, partition_of
from eventstore.past.memory import MemoryPast
from eventstore.recorded import READ_BYTES_MAX, Row, row_bytes
from eventstore.store import STREAM_MAX, LogIdentity, Mark


class MemoryStore(MemoryKeys, MemoryPast):
    """An event database in the memory of one process, lost when the process ends."""

    inline = True
    separate = False

    def __init__(self, *, parts: int = 1) -> None:
        MemoryKeys.__init__(self)
        MemoryPast.__init__(self)
        self.parts = parts
        self._lock = RLock()
        self._mode = LogMode.OPEN
        self._identity = LogIdentity(new_id(), 1)
        self._rows: list[list[Row]] = [[] for _ in range(parts)]
        self._counts: dict[CountKey, int] = {}
        self._used_keys: dict[tuple[int, bytes], UsedKey] = {}

    def create(self) -> None:
        """Nothing to create."""

    def open(self) -> None:
        """Nothing to check."""

    def identity(self) -> LogIdentity:
        return self._identity

    def raise_epoch(self, epoch: int) -> None:
        self._identity = LogIdentity(self._identity.id, max(epoch, self._identity.epoch))

    def mode(self, part: int | None = None) -> LogMode:
        return self._mode

    def set_mode(self, mode: LogMode) -> None:
        with self._lock:
            self._mode = mode

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        with self._lock:
            heads = self._heads(appends)
            refuse_closed(appends, heads)
            settled = settle(appends, heads)
            for append in settled.admitted:
                self._admit(append)
            self._write_beside(settled)
            return settled.outcomes

    commit_free = commit  # nobody else ever holds the lock for long

    def rehearse(self, append: Append) -> Outcome:
        with self._lock:
            return settle([append], self._heads([append])).outcomes[0]

    def _heads(self, appends: Sequence[Append]) -> Heads:
        heads = Heads(self.parts)
        heads.positions = {part: len(rows) for part, rows in enumerate(self._rows)}
        heads.organizations = {owner.int: len(rows) for owner, rows in self._organizations.items()}
        heads.claims, heads.counts = dict(self._claims), dict(self._counts)
        heads.used = {key_hash: used.position for (_, key_hash), used in self._used_keys.items()}
        heads.modes = {self._mode}
        for append in appends:
            for stream in append.expects:
                rows = self._streams.get((self._part(append.owner(stream)), stream))
                if rows:
                    heads.streams[stream.int] = rows[-1].version
            for subject in append.keys:
                if (self._part(append.owner(subject)), subject) in self._keys:
                    heads.keyed.add(subject)
        return heads

    def _admit(self, append: Append) -> None:
        for row in append.rows:
            part = self._part(row.org_id)
            self._rows[part].append(row)
            self._streams.setdefault((part, row.stream_id), []).append(row)
            self._organizations.setdefault(row.org_id, []).append(row)
        for stream, version, private in append.redacted:
            self._streams[self._part(append.org_id), stream][version - 1].private = private
        self._write_keys(append, lambda owner: self._part(append.owner(owner)))
        if (use := append.key_use) is not None:
            last = last_own_row(append, self.parts)
            self._used_keys[self._part(append.org_id), use.key_hash] = UsedKey(
                request_hash=use.request_hash,
                position=0 if last is None else last.position,
                event_id=None if last is None else last.id,
                at=use.at,
                reply=use.reply,
            )

    def _write_beside(self, settled: Settled) -> None:
        for claim, held in settled.claims.items():
            if held is None:
                self._claims.pop(claim, None)
            else:
                self._claims[claim] = held
        self._claims.update(settled.numbers)
        self._counts.update(settled.counts)

    def _part(self, org_id: OrgId) -> int:
        return partition_of(org_id, self.parts)

    def stream(
        self, stream_id: UUID, after: int = 0, part: int = 0, limit: int = STREAM_MAX
    ) -> list[Row]:
        # Versions count from 1 without a gap.
        return self._streams.get((part, stream_id), [])[after : after + limit]

    def tail(self, after: int, limit: int, tags: Sequence[str] = (), part: int = 0) -> list[Row]:
        check_part(part, self.parts)
        return _bounded(self._rows[part][after:], limit, tags)

    def organization(self, org_id: OrgId, after: int, limit: int) -> list[Row]:
        return _bounded(self._organizations.get(org_id, [])[after : after + limit], limit)

    def organization_at(self, org_id: OrgId, sequences: Sequence[int]) -> list[Row]:
        rows = self._organizations.get(org_id, [])
        return _bounded((rows[n - 1] for n in sorted({*sequences}) if n <= len(rows)), len(rows))

    def organization_before(self, org_id: OrgId, before: int, limit: int) -> list[Row]:
        rows = self._organizations.get(org_id, [])[: max(before - 1, 0)]
        return _bounded(rows[::-1][:limit], limit)

    def heads(self, streams: Sequence[UUID], part: int = 0) -> dict[UUID, int]:
        found = ((s, self._streams.get((part, s))) for s in streams)
        return {stream: rows[-1].version for stream, rows in found if rows}

    def newest_position(self, org_id: OrgId) -> int:
        return self._organizations[org_id][-1].position if org_id in self._organizations else 0

    def organization_heads(self, part: int = 0) -> dict[OrgId, int]:
        check_part(part, self.parts)
        heads = self._organizations.items()
        return {org_id: len(rows) for org_id, rows in heads if self._part(org_id) == part}

    def mark(self) -> Mark | None:
        return None

    def own_commits(self, since: Mark, until: Mark) -> None:
        """Nobody asks: there are no marks."""

    def last_position(self, part: int = 0) -> int:
        check_part(part, self.parts)
        return len(self._rows[part])

    def holders(self, claims: Sequence[ClaimKey]) -> dict[ClaimKey, Held]:
        return {claim: self._claims[claim] for claim in claims if claim in self._claims}

    def claimed(self, org_id: OrgId, scope: str, within: UUID) -> list[UUID]:
        found = [
            (claim.value, held.holder)
            for claim, held in self._claims.items()
            if claim[:3] == (org_id, scope, within) and not held.free_at
        ]
        return [holder for _, holder in sorted(found)]

    def claimed_between(self, claim: ClaimKey, below: bytes, limit: int) -> list[bytes]:
        held = [each for each, held in self._claims.items() if not held.free_at]
        found = [each.value for each in held if each[:3] == claim[:3]]
        return sorted(each for each in found if claim.value < each < below)[:limit]

    def claimed_in(self, part: int, scope: str) -> list[tuple[UUID, UUID]]:
        found = [(*key, held) for key, held in self.claims_in(part).items() if not held.free_at]
        return [(within, held.holder) for name, within, _, held in sorted(found) if name == scope]

    def counted(self, counts: Sequence[CountKey]) -> dict[CountKey, int]:
        return {count: self._counts[count] for count in counts if count in self._counts}

    def claims_in(self, part: int) -> dict[tuple[str, UUID, bytes], Held]:
        held = self._claims.items()
        return {claim[1:]: found for claim, found in held if self._part(claim.org_id) == part}

    def counts_in(self, part: int) -> dict[tuple[str, UUID], int]:
        ours = [count for count in self._counts if self._part(count.org_id) == part]
        return {(count.scope, count.within): self._counts[count] for count in ours}

    def used_key(self, key_hash: bytes, part: int = 0) -> UsedKey | None:
        return self._used_keys.get((part, key_hash))

    def drop_replies(self, kept: KeptSince, limit: int, part: int = 0) -> int:
        replies, secrets = 0, 0
        for place, used in self._used_keys.items():
            reply = used.reply if place[0] == part else None
            if reply and used.at < kept.replies and replies < limit:
                replies, self._used_keys[place] = replies + 1, replace(used, reply=None)
            elif reply and reply.secret and used.at < kept.secrets and secrets < limit:
                secrets += 1
                self._used_keys[place] = replace(used, reply=replace(reply, secret=None))
        return replies + secrets

    def recorded_with_keys(self, part: int) -> dict[int, UUID]:
        used = [used for (where, _), used in self._used_keys.items() if where == part]
        return {u.position: u.event_id for u in used if u.event_id is not None}

    def may_change_events(self) -> bool:
        return False

    def hang_up(self) -> None:
        """Nothing hangs."""

    def close(self) -> None:
        """Nothing to close."""


def _bounded(rows: Iterable[Row], limit: int, tags: Sequence[str] = ()) -> list[Row]:
    """Return the first *rows* of *tags*, as many as fill a read."""
    found: list[Row] = []
    size = 0
    for row in rows:
        if len(found) == limit or size >= READ_BYTES_MAX:
            break
        if not tags or row.tag in tags:
            found.append(row)
            size += row_bytes(row)
    return found
