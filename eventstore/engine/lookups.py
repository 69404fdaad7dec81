"""The SQL reads of an append, made under the locks of its partitions before it is settled."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from eventstore.append import Append
from eventstore.claim import ClaimKey
from eventstore.engine.idempotency import SqlUsedKeys
from eventstore.engine.probes import Rows, marks, paired
from eventstore.engine.remembered_heads import RememberedHeads
from eventstore.engine.settle import (
    Heads,
    Settled,
    parts_written,
    refuse_closed,
    settle,
    telling_row,
)
from eventstore.engine.tables import LAST_POSITION
from eventstore.engine.to_look_up import (
    claims_of,
    counts_of,
    heads_to_trust,
    organizations_of,
    streams_to_look_up,
)
from eventstore.mode import LogMode


class Question(NamedTuple):
    """One read of an append and the function that takes its result."""

    query: tuple[str, Sequence[Any]]
    take: Callable[[Rows], None]


Ask = Callable[[Sequence[Question]], list[Rows]]
"""Runs reads inside the transaction of an append, in order."""


class BatchTry(NamedTuple):
    """How a batch is tried.

    ``suspicious`` is true once the unique indexes have refused it: a key was used before, a stream
    is not new after all, a subject got its key in the meantime, or a position is taken. ``lost`` is
    true if the answer to a commit of this batch was lost, so that it may be recorded. ``free`` is
    true if commands whose partitions others are writing to are to be left out.
    """

    suspicious: bool = False
    lost: bool = False
    free: bool = False


class SqlLookups(SqlUsedKeys):
    """Settles a batch by what its transaction reads; the adapter does the writes."""

    LOCK = ""
    """The clause that makes a SELECT lock its rows, if a transaction alone does not."""

    def __init__(self, parts: int | None) -> None:
        super().__init__(parts)
        self._remembered = RememberedHeads()

    def _settle(self, appends: Sequence[Append], ask: Ask, attempt: BatchTry) -> Settled:
        """Settle a batch by what the transaction reads."""
        tried = None
        if not attempt.suspicious:
            heads = self._recall_heads(appends, ask)
            if heads is None:
                heads = self._load_heads(appends, ask, every=False, free=attempt.free)
            if heads.left_out:
                tried = appends = heads.locked(appends)
            settled = settle(appends, heads)
            settled.tried = tried
            if settled.all_admitted:
                return settled
        # A command was refused, so the heads cannot be derived from what the batch would have
        # written.
        heads = self._load_heads(appends, ask, every=True, lost=attempt.lost)
        settled = settle(appends, heads)
        settled.tried = tried
        return settled

    def _recall_heads(self, appends: Sequence[Append], ask: Ask) -> Heads | None:
        """Return the heads, those in memory not read again; None if another process has written."""
        kept = self._remembered.take() if self.parts == 1 else None
        if kept is None:
            return None
        heads, left = kept
        questions = [
            self._lock_question([0], heads),
            *self._head_questions(appends, heads, every=False),
        ]
        for question, answer in zip(questions, ask(questions), strict=True):
            question.take(answer)
        if heads.began != left:
            return None
        refuse_closed(appends, heads)
        return heads

    def _remember_heads(self, settled: Settled) -> None:
        """Keep what a batch that is committed now has left."""
        if self.parts == 1:
            self._remembered.keep(settled.heads)

    def _load_heads(
        self,
        appends: Sequence[Append],
        ask: Ask,
        *,
        every: bool,
        lost: bool = False,
        free: bool = False,
    ) -> Heads:
        heads = Heads(self.parts)
        parts = parts_written(appends, self.parts)
        questions = [
            self._lock_question(some, heads, free=free)
            for some in self._apart(parts, lambda part: part)
        ]
        questions += self._head_questions(appends, heads, every=every)
        if every:
            questions += self._closer_look(appends, parts, heads)
        if lost:
            questions += self._done_questions(appends, heads)
        for question, answer in zip(questions, ask(questions), strict=True):
            question.take(answer)
        refuse_closed(appends, heads)
        return heads

    def _lock_question(self, parts: Sequence[int], heads: Heads, *, free: bool = False) -> Question:
        # In ascending order, so that two commands that write to two partitions never deadlock.
        statement = (
            f"SELECT part, position, mode FROM part_heads WHERE part IN ({marks(len(parts))})"
            f" ORDER BY part{self.LOCK}{' SKIP LOCKED' if free else ''}"
        )

        def lock(rows: Rows) -> None:
            heads.positions.update((part, position) for part, position, _ in rows)
            heads.left_out.update(part for part in parts if part not in heads.positions)
            heads.began = heads.positions.get(0, -1)
            heads.modes.update(LogMode(mode) for _, _, mode in rows)

        return Question((statement, parts), lock)

    def _head_questions(
        self, appends: Sequence[Append], heads: Heads, *, every: bool
    ) -> Iterable[Question]:
        for stream, version in () if every else heads_to_trust(appends):
            heads.streams.setdefault(stream, version)
        owners = streams_to_look_up(appends, heads.streams, every=every)
        streams = list(owners)
        organizations = [o for o in organizations_of(appends) if o.int not in heads.organizations]
        claims, counts = claims_of(appends), counts_of(appends)
        for some in self._apart(streams, lambda stream: self._part(owners[stream])):
            asked = [(self._part(owners[stream]), stream) for stream in some]
            take = _pairs_into(heads.streams, [stream.int for stream in some])
            yield Question(self._streams_query(asked), take)
        for owning in self._apart(organizations, self._part):
            take = _pairs_into(heads.organizations, [org_id.int for org_id in owning])
            yield Question(self._organizations_query(owning), take)
        for claimed in self._apart(claims, self._part_of_claim):

            def held(rows: Rows, claimed: Sequence[ClaimKey] = claimed) -> None:
                heads.claims.update(self._found_claims(claimed, rows))

            yield Question(self._claims_query(claimed), held)
        for counted in self._apart(counts, self._part_of_count):
            yield Question(self._counts_query(counted), _pairs_into(heads.counts, counted))

    def _closer_look(
        self, appends: Sequence[Append], parts: Sequence[int], heads: Heads
    ) -> Iterable[Question]:
        """Look up what the unique indexes check: existing keys and positions."""
        for part in parts:

            def position(rows: Rows, part: int = part) -> None:
                heads.positions[part] = max(heads.positions[part], rows[0][0] if rows else 0)

            yield Question((LAST_POSITION, (part,)), position)
        for append in appends:
            yield from self._used_key_question(append, heads)
            for subject in append.keys:

                def keyed(rows: Rows, subject: UUID = subject) -> None:
                    heads.keyed.update(subject for _ in rows)

                statement = "SELECT 1 FROM subject_keys WHERE part = ? AND subject = ?"
                place = self._part(append.owner(subject))
                yield Question((statement, (place, self._id(subject))), keyed)

    def _done_questions(self, appends: Sequence[Append], heads: Heads) -> Iterable[Question]:
        """Look up whether the telling event of each command is in the log, byte for byte."""
        for row in (telling_row(append, self.parts) for append in appends):
            if row is None:
                continue

            def done(rows: Rows, state: bytes = row.state) -> None:
                heads.done.update(
                    (state, position) for position, found in rows if bytes(found) == state
                )

            statement = (
                "SELECT position, state FROM events"
                " WHERE part = ? AND stream_id = ? AND version = ?"
            )
            place = (self._part(row.org_id), self._id(row.stream_id), row.version)
            yield Question((statement, place), done)

    def _used_key_question(self, append: Append, heads: Heads) -> Iterable[Question]:
        if append.key_use is None:
            return
        key_hash = append.key_use.key_hash

        def used(rows: Rows) -> None:
            heads.used.update((key_hash, position) for (position,) in rows)

        statement = "SELECT position FROM idempotency_keys WHERE part = ? AND key_hash = ?"
        yield Question((statement, (self._part(append.org_id), key_hash)), used)


def _pairs_into(known: dict[Any, int], asked: Sequence[Any]) -> Callable[[Rows], None]:
    def take(rows: Rows) -> None:
        known.update(paired(asked, rows))

    return take
