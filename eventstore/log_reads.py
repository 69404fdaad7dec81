"""The reads of the event log: streams, tails, organizations and the tables next to the events."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ParamSpec, TypeVar
from uuid import UUID

from msgspec import Struct

from domain.base import Event, OrgId
from eventstore.append import KeptSince, UsedKey
from eventstore.codec import KEYED_TAGS, Cipher, decode, decode_events
from eventstore.engine.calls import LOG_DEADLINE_S
from eventstore.engine.claim_reads import ClaimReads
from eventstore.engine.news import News
from eventstore.engine.turns import Turns
from eventstore.keys import KeyWrapper, SubjectKeys, key_owner_in
from eventstore.partition import partition_of
from eventstore.past.events import NumberRange, Prefix
from eventstore.recorded import Recorded, Row, mark_of, recorded_time
from eventstore.store import STREAM_MAX, LogIdentity, Store, Wrapped
from eventstore.trees import TreeHead, TreeNode

P = ParamSpec("P")
T = TypeVar("T")

SEQUENCE_MAX = 2**62
"""More than any organization's sequence number will ever be."""

HEADS_AT_ONCE = 500
"""Tree heads of different organizations per statement: 5 ms."""


class History(Struct, frozen=True):
    """Events of one stream, with the version, organization and time of the last one."""

    events: list[Event]
    version: int
    org_id: OrgId | None
    at: datetime | None


class TreeReads(ClaimReads):
    """The signed tree heads in a log's database, and the nodes that proofs are made of."""

    async def tree_heads(self, org_id: OrgId, since: int = 0) -> list[TreeHead]:
        """Return the signed tree heads of an organization of at least *since*."""
        return await self._read(self.store.tree_heads, org_id, since)

    async def newest_tree_head(
        self, org_id: OrgId, size_max: int = SEQUENCE_MAX
    ) -> TreeHead | None:
        """Return the largest signed tree head of an organization up to *size_max*."""
        return await self._read(self.store.newest_tree_head, org_id, size_max)

    async def newest_tree_heads(self, part: int) -> dict[OrgId, TreeHead]:
        """Return the largest signed tree head of every organization of a partition."""
        heads: dict[OrgId, TreeHead] = {}
        after: OrgId | None = None
        while some := await self._read(self.store.newest_tree_heads, after, HEADS_AT_ONCE, part):
            after = some[-1].org_id
            heads.update((head.org_id, head) for head in some)
        return heads

    async def put_tree_heads(self, heads: Sequence[TreeHead]) -> None:
        """Store signed tree heads, all or none."""
        await self._calls.write(self.store.put_tree_heads, heads)

    async def tree_nodes(
        self, org_id: OrgId, level: int, first: int, last: int
    ) -> dict[int, bytes]:
        """Return the nodes from *first* to below *last* of a level, as far as they are stored."""
        return await self._read(self.store.tree_nodes, org_id, level, first, last)

    async def put_tree_nodes(self, nodes: Sequence[TreeNode]) -> None:
        """Store nodes of trees."""
        await self._calls.write(self.store.put_tree_nodes, nodes)


class LogReads(TreeReads):
    """Reads of a store in this process run on the event loop, those over the network on threads.

    Reading a stream in process takes about 20 µs.
    """

    def __init__(
        self, store: Store, wrapper: KeyWrapper, *, deadline_s: float = LOG_DEADLINE_S
    ) -> None:
        super().__init__(store, deadline_s=deadline_s)
        self.keys = SubjectKeys(wrapper, self._load_keys)
        self.epoch = 1
        """The epoch of the log when its identity was last read: at the start, and by its guard."""
        self.turns = Turns()
        self.news = News(self.tail_rows)

    @property
    def parts(self) -> int:
        """How many partitions there are; each counts its positions from 1."""
        return self.store.parts

    async def identity(self) -> LogIdentity:
        """Return which log this is."""
        found = await self._read(self.store.identity)
        self.epoch = found.epoch
        return found

    def still_has(self, versions: Mapping[UUID, int]) -> bool:
        """Return whether streams are known, without a read, to have these *versions* still."""
        found = self._unchanged.found()
        known = {} if found is None else found.versions
        return [known.get(stream.int) for stream in versions] == [*versions.values()]

    async def stream(
        self, stream_id: UUID, org_id: OrgId, after: int = 0, limit: int = STREAM_MAX
    ) -> list[Recorded]:
        """Return at most *limit* events of an organization's stream above version *after*."""
        return await self.decoded(await self.stream_rows(stream_id, org_id, after, limit))

    async def stream_rows(
        self, stream_id: UUID, org_id: OrgId, after: int = 0, limit: int = STREAM_MAX
    ) -> list[Row]:
        """Return what ``stream`` returns, but not decoded."""
        return await self._read(self.store.stream, stream_id, after, self.part(org_id), limit)

    async def history(
        self, stream_id: UUID, org_id: OrgId, after: int = 0, limit: int = STREAM_MAX
    ) -> History:
        """Return at most *limit* events of a stream above version *after*, without envelopes."""
        rows = await self._read(self.store.stream, stream_id, after, self.part(org_id), limit)
        if not rows:
            return History([], after, None, None)
        last, events = rows[-1], await self.events(rows)
        return History(events, last.version, last.org_id, recorded_time(last.recorded_at))

    async def tail(
        self, after: int, limit: int, tags: Sequence[str] = (), part: int = 0
    ) -> list[Recorded]:
        """Return at most *limit* events of a partition above *after*, in commit order."""
        return await self.decoded(await self.tail_rows(after, limit, tags, part))

    async def tail_rows(
        self, after: int, limit: int, tags: Sequence[str] = (), part: int = 0
    ) -> list[Row]:
        """Return what ``tail`` returns, but not decoded; they end with ``READ_BYTES_MAX``."""
        return await self._read(self.store.tail, after, limit, tags, part)

    async def mark_at(self, position: int, part: int = 0) -> str:
        """Return the mark of the event at *position*, readable or not; "" if there is none."""
        found = await self.tail_rows(position - 1, 1, part=part) if position > 0 else []
        return mark_of(found[0]) if found and found[0].position == position else ""

    async def organization(self, org_id: OrgId, after: int, limit: int) -> list[Row]:
        """Return an organization's rows with a sequence above *after*, in order."""
        return await self._read(self.store.organization, org_id, after, limit)

    async def organization_at(self, org_id: OrgId, sequences: Sequence[int]) -> list[Row]:
        """Return the rows of an organization that have these sequences, in order."""
        found: list[Row] = []
        left = sorted({*sequences})
        while left:
            some = await self._read(self.store.organization_at, org_id, left)
            found += some
            left = [each for each in left if some and each > some[-1].org_seq]
        return found

    async def organization_before(self, org_id: OrgId, before: int, limit: int) -> list[Row]:
        """Return an organization's rows with a sequence below *before*, newest first."""
        return await self._read(self.store.organization_before, org_id, before, limit)

    async def times(self, org_id: OrgId, after: int, limit: int) -> list[int]:
        """Return when events of an organization were recorded, as ``PastEvents.times`` does."""
        return await self._read(self.store.times, org_id, after, limit)

    async def prefixes(
        self, org_id: OrgId, streams: Sequence[UUID], prefix: Prefix, limit: int
    ) -> list[Row]:
        """Return events of several streams up to a sequence, as ``PastEvents.prefixes`` does."""
        return await self._read(self.store.prefixes, org_id, streams, prefix, limit)

    async def numbered_between(self, numbers: NumberRange) -> list[UUID]:
        """Return who holds each of *numbers*, in their order."""
        return await self._read(self.store.numbered_between, numbers)

    async def organization_head(self, org_id: OrgId) -> int:
        """Return the newest sequence of one organization, 0 if it has no events."""
        newest = await self.organization_before(org_id, SEQUENCE_MAX, 1)
        return newest[0].org_seq if newest else 0

    async def newest_position(self, org_id: OrgId) -> int:
        """Return the position of an organization's newest event, 0 if it has none.

        What another process records is seen from the next turn of the event loop on.
        """
        found = self._unchanged.found()
        known = None if found is None else found.positions.get(org_id.int)
        if known is None:
            known = await self._read(self.store.newest_position, org_id)
            if found is not None:
                found.positions[org_id.int] = known
        return known

    async def organization_heads(self, *parts: int) -> dict[OrgId, int]:
        """Return the newest sequence of every organization, or of those in some partitions."""
        heads: dict[OrgId, int] = {}
        for part in parts or range(self.parts):
            heads.update(await self._read(self.store.organization_heads, part))
        return heads

    async def heads(self, streams: Mapping[UUID, OrgId]) -> dict[UUID, int]:
        """Return the newest version of each stream, given with its owner; no unknown ones.

        What another process records is seen from the next turn of the event loop on.
        """
        if self.parts == 1:
            return await self._heads_of_one(list(streams))
        heads: dict[UUID, int] = {}
        for part, some in self._by_part(streams).items():
            heads.update(await self._heads_in(part, some))
        return heads

    def part(self, org_id: OrgId) -> int:
        """Return the partition that holds an organization's events."""
        return partition_of(org_id, self.parts)

    def _by_part(self, owned: Mapping[UUID, OrgId]) -> dict[int, list[UUID]]:
        parts: dict[int, list[UUID]] = {}
        for subject, org_id in owned.items():
            parts.setdefault(self.part(org_id), []).append(subject)
        return parts

    def _load_keys(self, subjects: Mapping[UUID, OrgId]) -> dict[UUID, bytes | None]:
        keys: dict[UUID, bytes | None] = {}
        for part, some in self._by_part(subjects).items():
            keys.update(self.store.keys(some, part))
        return keys

    async def last_position(self, part: int = 0) -> int:
        """Return the newest position of a partition, 0 when it is empty."""
        return await self._read(self.store.last_position, part)

    async def fetch_keys(self, subjects: Mapping[UUID, OrgId]) -> None:
        """Load the data keys of *subjects*, given with their owners, unless they are cached."""
        missing = self.keys.missing(subjects)
        if missing:
            await self._read(self.keys.fetch, missing)

    async def used_key(self, key_hash: bytes, org_id: OrgId) -> UsedKey | None:
        """Return what an Idempotency-Key was used for, None if it is new."""
        return await self._read(self.store.used_key, key_hash, self.part(org_id))

    async def drop_replies(self, kept: KeptSince, limit: int, part: int) -> int:
        """Forget at most *limit* replies of each kind older than *kept*; return how many."""
        return await self._read(self.store.drop_replies, kept, limit, part)

    async def recorded_with_keys(self, part: int) -> dict[int, UUID]:
        """Return the last events of the commands that used a key, their ids by their positions."""
        return await self._read(self.store.recorded_with_keys, part)

    async def secret(self, owner: UUID, org_id: OrgId, name: str) -> bytes | None:
        """Return a sealed secret of *owner*."""
        return (await self.secrets(owner, org_id)).get(name)

    async def wrapped(self, after: Wrapped | None, limit: int, part: int) -> list[Wrapped]:
        """Return data keys and secrets of a partition behind *after*, in a fixed order."""
        return await self._read(self.store.wrapped, after, limit, part)

    async def secrets(self, owner: UUID, org_id: OrgId) -> dict[str, bytes]:
        """Return all sealed secrets of *owner* by name."""
        return dict(await self._read(self.store.secrets, owner, self.part(org_id)))

    async def events(self, rows: Sequence[Row]) -> list[Event]:
        """Return what ``decoded`` does without envelopes, which is enough to fold."""
        ciphers = await _ciphers(self, rows)
        return decode_events(rows, ciphers)

    async def decoded(self, rows: Sequence[Row]) -> list[Recorded]:
        """Return *rows* of one partition decoded, with their personal values decrypted."""
        ciphers = await _ciphers(self, rows)
        return [decode(row, ciphers.get(row.position)) for row in rows]


async def _ciphers(log: LogReads, rows: Sequence[Row]) -> dict[int, Cipher | None]:
    """Return what opens the personal values of *rows* by position, for those that have any."""
    cached = log.keys.cached
    owners = {row.position: key_owner_in(row) for row in rows if row.tag in KEYED_TAGS}
    ciphers = {position: cached(subject) for position, (subject, _) in owners.items()}
    if None in ciphers.values():
        await log.fetch_keys(dict(owners.values()))
        ciphers = {position: cached(subject) for position, (subject, _) in owners.items()}
    return ciphers
