"""Decides, under the locks of the partitions, which commands of a batch may write.

The code is pure: the caller reads the heads inside the transaction, so the decisions are exact.
Commands are settled in the order of arrival; each sees what the ones before it write.
"""

from collections.abc import Sequence
from uuid import UUID

from domain.base import DomainError, OrgId
from eventstore.append import AlreadyDone, Append, Appended, Conflict, Outcome, Refused
from eventstore.claim import ClaimKey, CountChange, CountKey, Held
from eventstore.mode import LogClosed, LogMode
from eventstore.partition import partition_of
from eventstore.recorded import Row


class Heads:
    """The state that a batch is settled against, updated with each command.

    ``done`` maps the bytes of events that a lost commit did record, for each command that of its
    ``telling_row``, to their positions; ``used`` maps the hashes of used Idempotency-Keys to the
    positions of their commands; ``keyed`` holds those subjects of new keys that already have one;
    ``modes`` holds the mode of each partition that is locked, ``written`` those that got an event.
    ``left_out`` holds the partitions that were to be locked and are not, because others write to
    them. ``began`` is the position at which partition 0 was locked, -1 if it was not.
    """

    def __init__(self, parts: int) -> None:
        self.parts = parts
        self.positions: dict[int, int] = {}
        self.began = -1
        self.left_out: set[int] = set()
        self.written: set[int] = set()
        # By the integers of their ids, because UUIDs are hashed in Python.
        self._streams: dict[int, int] = {}
        self._last: Sequence[Row] = ()
        self.organizations: dict[int, int] = {}
        self.claims: dict[ClaimKey, Held] = {}
        self.counts: dict[CountKey, int] = {}
        self.done: dict[bytes, int] = {}
        self.used: dict[bytes, int] = {}
        self.keyed: set[UUID] = set()
        self.modes: set[LogMode] = set()

    @property
    def streams(self) -> dict[int, int]:
        """The versions of streams.

        Those that the last command leaves are added when they are asked for: of a large one alone,
        once the locks are released.
        """
        if self._last:
            self._note()
        return self._streams

    @streams.setter
    def streams(self, versions: dict[int, int]) -> None:
        self._streams, self._last = versions, ()

    def _note(self) -> None:
        for row in self._last:
            self._streams[row.stream_id.int] = row.version
        self._last = ()

    def locked(self, appends: Sequence[Append]) -> list[Append]:
        """Return the commands none of whose partitions is left out."""
        return [a for a in appends if self.left_out.isdisjoint(parts_written([a], self.parts))]

    def admit(self, append: Append) -> Appended:
        """Assign to each row its position and its sequence number in its organization."""
        if self._last:
            self._note()
        self._last = rows = append.rows
        positions, numbers = self.positions, self.organizations
        part = own = partition_of(append.org_id, self.parts)
        owner: OrgId | None = None
        position = org_seq = 0
        in_own = False
        for row in rows:
            if row.org_id is not owner:
                if owner is not None:
                    positions[part], numbers[owner.int] = position, org_seq
                owner = row.org_id
                part = partition_of(owner, self.parts)
                in_own = in_own or part == own
                self.written.add(part)
                position, org_seq = positions.get(part, 0), numbers.get(owner.int, 0)
            row.position = position = position + 1
            row.org_seq = org_seq = org_seq + 1
        if owner is not None:
            positions[part], numbers[owner.int] = position, org_seq
        if in_own:
            part = own
        return Appended(positions.get(part, 0), part)


class Settled:
    """One outcome per command, the commands that write, and the changed claims and counts.

    ``tried`` holds the commands that have an outcome, if others were left out; None if none were.
    """

    def __init__(self, heads: Heads) -> None:
        self.heads = heads
        self.tried: Sequence[Append] | None = None
        self.outcomes: list[Outcome] = []
        self.admitted: list[Append] = []
        self.claims: dict[ClaimKey, Held | None] = {}
        self.counts: dict[CountKey, int] = {}
        self.numbers: dict[ClaimKey, Held] = {}
        self.positions: dict[int, int] = {}

    @property
    def events(self) -> list[Row]:
        """Everything that the batch records, in order."""
        return [row for append in self.admitted for row in append.rows]

    @property
    def all_admitted(self) -> bool:
        return len(self.admitted) == len(self.outcomes)

    def outcomes_of(self, appends: Sequence[Append]) -> Sequence[Outcome | None]:
        """Return the outcome of each of *appends*, None for those that were not tried."""
        tried = appends if self.tried is None else self.tried
        found = {id(append): o for append, o in zip(tried, self.outcomes, strict=True)}
        return [found.get(id(append)) for append in appends]


def settle(appends: Sequence[Append], heads: Heads) -> Settled:
    """Accept or refuse each command."""
    settled = Settled(heads)
    for append in appends:
        outcome = _conflict(append, heads) or _reserve(append, heads, settled)
        if outcome is None:
            outcome = heads.admit(append)
            settled.admitted.append(append)
            if append.keys:
                heads.keyed.update(append.keys)
            if append.key_use is not None:
                last = last_own_row(append, heads.parts)
                heads.used[append.key_use.key_hash] = 0 if last is None else last.position
        settled.outcomes.append(outcome)
    settled.positions = {part: heads.positions[part] for part in heads.written}
    return settled


def refuse_closed(appends: Sequence[Append], heads: Heads) -> None:
    """Refuse a whole batch when the log takes no commands.

    :raises LogClosed: it takes none, and one of them is not allowed all the same.
    """
    closed = sorted(heads.modes - {LogMode.OPEN})
    if closed and not all(append.although_closed for append in appends):
        raise LogClosed(closed[0])


def _conflict(append: Append, heads: Heads) -> Outcome | None:
    telling = telling_row(append, heads.parts) if heads.done else None
    if telling is not None and telling.state in heads.done:
        return AlreadyDone(heads.done[telling.state])
    if append.key_use is not None and append.key_use.key_hash in heads.used:
        return AlreadyDone(heads.used[append.key_use.key_hash])
    streams = heads.streams
    for stream, version in append.expects.items():
        if streams.get(stream.int, 0) != version:
            return Conflict(stream)
    for subject in append.keys:
        if subject in heads.keyed:
            return Conflict(subject)
    return None


def _reserve(append: Append, heads: Heads, settled: Settled) -> Refused | None:
    """Take and release claims, change counts and assign numbers: all of them or none."""
    if not (append.claims or append.counts or append.numbers):
        return None
    claims: dict[ClaimKey, Held | None] = {}
    counts: dict[CountKey, int] = {}
    refusal = _take(append, heads, claims) or _count(append.counts, heads, counts)
    if refusal is not None:
        return Refused(refusal)
    _fill(append, heads, counts, settled)
    for claim, held in claims.items():
        settled.claims[claim] = held
        if held is None:
            heads.claims.pop(claim, None)
        else:
            heads.claims[claim] = held
    heads.counts.update(counts)
    settled.counts.update(counts)
    return None


def _take(append: Append, heads: Heads, claims: dict[ClaimKey, Held | None]) -> DomainError | None:
    now = append.rows[-1].recorded_at if append.rows else 0
    for change in append.claims:
        claim, holder = change.claim, change.holder
        found = claims[claim] if claim in claims else heads.claims.get(claim)
        ours = found is not None and found.holder == holder
        if change.release:
            if ours:
                claims[claim] = Held(holder, change.keep_until) if change.keep_until else None
        elif found is None or ours or 0 < found.free_at <= now:
            claims[claim] = Held(holder)
        else:
            return change.refusal or DomainError()
    return None


def _count(
    changes: Sequence[CountChange], heads: Heads, counts: dict[CountKey, int]
) -> DomainError | None:
    for change in changes:
        count = change.count
        before = counts[count] if count in counts else heads.counts.get(count, 0)
        by = change.by
        if change.times:
            by *= sum(counts.get(each, heads.counts.get(each, 0)) for each in change.times)
        after = before + by
        if change.limit is not None and after > change.limit:
            return change.refusal(before) if change.refusal is not None else DomainError()
        if by:
            counts[count] = after
    return None


def _fill(append: Append, heads: Heads, counts: dict[CountKey, int], settled: Settled) -> None:
    for number in append.numbers:
        count = number.count
        taken = (counts[count] if count in counts else heads.counts.get(count, 0)) + 1
        number.fill(taken)
        counts[count] = taken
        settled.numbers[number.claim(taken)] = Held(number.holder)


def last_own_row(append: Append, parts: int) -> Row | None:
    """Return the last event of a command in its own partition, None without one."""
    own = partition_of(append.org_id, parts)
    for row in reversed(append.rows):
        if partition_of(row.org_id, parts) == own:
            return row
    return None


def telling_row(append: Append, parts: int) -> Row | None:
    """Return the event that tells whether a command was recorded, and at which position.

    That is its last one in its own partition or, without one there, its last; None without events.
    """
    last = append.rows[-1] if append.rows else None
    return last_own_row(append, parts) or last


def parts_written(appends: Sequence[Append], parts: int) -> list[int]:
    """Return the partitions that a batch writes to, in the order in which they are locked."""
    if parts == 1:
        return [0]
    written: set[int] = set()
    for append in appends:
        owners = {row.org_id for row in append.rows}
        owners.update(change.claim.org_id for change in append.claims)
        owners.update(change.count.org_id for change in append.counts)
        owners.update(number.count.org_id for number in append.numbers)
        owners.update(map(append.owner, append.keys))
        if append.key_use is not None:
            owners.add(append.org_id)
        written.update(partition_of(owner, parts) for owner in owners)
    return sorted(written)
