"""Claims, counts and numbers beside a dictionary that does the same in the simplest way."""

from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.base import DomainError
from eventstore.append import Appended, Conflict, Outcome, Refused
from eventstore.claim import ClaimChange, ClaimKey, CountChange, CountKey, OpenNumber, numbered
from eventstore.memory import MemoryStore
from eventstore.partition import partition_of
from tests.domain.spec import ACME, OTHER
from tests.eventstore.rows import command

STREAMS = [UUID(int=n) for n in range(1, 6)]
LIMIT = 3
VALUES = st.sampled_from([b"a", b"b", b"c"])
OWNERS = st.sampled_from([ACME, OTHER])

Asked = tuple[str, Any, Any]
"""``take``, ``release``, ``add`` or ``number``, with what it is about."""

CHANGES: st.SearchStrategy[list[Asked]] = st.lists(
    st.one_of(
        st.tuples(st.just("take"), OWNERS, VALUES),
        st.tuples(st.just("release"), OWNERS, VALUES),
        st.tuples(st.just("add"), OWNERS, st.integers(-2, 2)),
        st.tuples(st.just("number"), OWNERS, st.none()),
    ),
    max_size=4,
)
COMMANDS = st.lists(
    st.tuples(st.sampled_from(STREAMS), st.sampled_from([True, True, False]), CHANGES), max_size=5
)


def claim_of(owner: Any, value: bytes) -> ClaimKey:
    return ClaimKey(owner, "key", owner, value)


def count_of(owner: Any) -> CountKey:
    return CountKey(owner, "things", owner)


def numbers_of(owner: Any) -> CountKey:
    return CountKey(owner, "number", owner)


class ReservationMachine(RuleBasedStateMachine):
    """Commits batches to a store of four partitions and to a model."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore(parts=4)
        self.versions: dict[UUID, int] = {}
        self.holders: dict[tuple[Any, bytes], UUID] = {}
        self.counts: dict[Any, int] = {ACME: 0, OTHER: 0}
        self.numbers: dict[Any, list[UUID]] = {ACME: [], OTHER: []}
        self.filled: dict[Any, list[int]] = {ACME: [], OTHER: []}

    @rule(batch=COMMANDS)
    def commit(self, batch: list[tuple[UUID, bool, list[Asked]]]) -> None:
        """Commit a batch; each command must fare as in the model, one after the other."""
        appends, expected = [], list[type[Outcome]]()
        versions = dict(self.versions)
        for stream, current, asked in batch:
            expected.append(self._model(stream, asked) if current else Conflict)
            after = versions.get(stream, 0) if current else 99
            appends.append(self._command(stream, after, asked))
            versions = dict(self.versions)

        assert [type(outcome) for outcome in self.store.commit(appends)] == expected

    def _command(self, stream: UUID, after: int, asked: list[Asked]) -> Any:
        claims: list[ClaimChange] = []
        counts: list[CountChange] = []
        numbers: list[OpenNumber] = []
        for what, owner, value in asked:
            if what == "take":
                claims.append(ClaimChange(claim_of(owner, value), stream, DomainError()))
            elif what == "release":
                claims.append(ClaimChange(claim_of(owner, value), stream, release=True))
            elif what == "add":
                limit = LIMIT if value > 0 else None
                counts.append(CountChange(count_of(owner), value, limit))
            else:
                filled = self.filled[owner]
                numbers.append(OpenNumber(numbers_of(owner), stream, filled.append))
        return command(
            stream, after, claims=tuple(claims), counts=tuple(counts), numbers=tuple(numbers)
        )

    def _model(self, stream: UUID, asked: list[Asked]) -> type[Outcome]:
        holders, counts = dict(self.holders), dict(self.counts)
        for what, owner, value in asked:
            if what == "take" and holders.setdefault((owner, value), stream) != stream:
                return Refused
            if what == "release" and holders.get((owner, value)) == stream:
                del holders[owner, value]
            if what == "add":
                counts[owner] += value
                if value > 0 and counts[owner] > LIMIT:
                    return Refused
        self.holders, self.counts = holders, counts
        self.versions[stream] = self.versions.get(stream, 0) + 1
        for what, owner, _ in asked:
            if what == "number":
                self.numbers[owner].append(stream)
        return Appended

    @invariant()
    def the_store_is_as_the_model(self) -> None:
        for owner in (ACME, OTHER):
            part = partition_of(owner, 4)
            rows = self.store.claims_in(part)
            ours = {(o, v): h for (o, v), h in self.holders.items() if o == owner}
            assert ours == {
                (owner, value): held.holder
                for (scope, within, value), held in rows.items()
                if scope == "key" and within == owner
            }
            assert (
                self.store.counted([count_of(owner)]).get(count_of(owner), 0)
                == (self.counts[owner])
            )
            taken = self.numbers[owner]
            assert self.filled[owner] == list(range(1, len(taken) + 1))
            for number, holder in enumerate(taken, start=1):
                claim = numbered(numbers_of(owner), number)
                assert self.store.holders([claim])[claim].holder == holder


ReservationMachine.TestCase.settings = settings(stateful_step_count=10)
TestReservationMachine = ReservationMachine.TestCase
