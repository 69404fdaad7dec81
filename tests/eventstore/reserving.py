"""What every event database must do with claims, counts, open numbers and partitions.

A test module subclasses ``ReservationContract`` and has a fixture ``store``, of one partition and
of several.
"""

from typing import Any
from uuid import UUID

import pytest

from domain.base import PLATFORM, DomainError, OrgId
from eventstore.append import AlreadyDone, Append, Appended, Conflict, Outcome, Refused
from eventstore.claim import (
    ClaimChange,
    ClaimKey,
    CountChange,
    CountKey,
    Held,
    OpenNumber,
    numbered,
)
from eventstore.partition import partition_of
from eventstore.store import Store
from tests.domain.spec import ACME, ANA, BEN
from tests.eventstore.beside_contract import used
from tests.eventstore.rows import AT, command, row

A, B, C, PROJECT = (UUID(int=n) for n in (0xA, 0xB, 0xC, 0xD))
KEY = ClaimKey(ACME, "project key", ACME, b"ENG")
TASKS = CountKey(ACME, "tasks", ACME)
NUMBERS = CountKey(ACME, "task number", PROJECT)
ADDRESS = ClaimKey(PLATFORM, "email", PLATFORM, b"\x00\xff hash")
TAKEN, FULL = DomainError(why="taken"), DomainError(why="full")


def full(found: int) -> DomainError:
    FULL.details["found"] = found
    return FULL


def take(claim: ClaimKey, holder: UUID) -> ClaimChange:
    return ClaimChange(claim, holder, TAKEN)


def release(claim: ClaimKey, holder: UUID, keep_until: int = 0) -> ClaimChange:
    return ClaimChange(claim, holder, release=True, keep_until=keep_until)


def add(by: int, limit: int | None = None, count: CountKey = TASKS) -> CountChange:
    return CountChange(count, by, limit, full)


class Numbering:
    """A command that leaves a number open, and the numbers that it was given."""

    def __init__(self, stream: UUID, **about: Any) -> None:
        self.given: list[int] = []
        self.append = command(stream, numbers=(OpenNumber(NUMBERS, stream, self.fill),), **about)

    def fill(self, number: int) -> None:
        self.given.append(number)
        self.append.rows[0].state = b'{"number":%d}' % number


def one(store: Store, append: Append) -> Outcome:
    [outcome] = store.commit([append])
    return outcome


class ReservationContract:
    """Claims, counts, numbers and partitions."""

    # Claims -----------------------------------------------------------------

    def test_a_claim_has_one_holder(self, store: Store) -> None:
        assert isinstance(one(store, command(A, claims=(take(KEY, ANA),))), Appended)

        assert one(store, command(B, claims=(take(KEY, BEN),))) == Refused(TAKEN)
        assert store.holders([KEY, ADDRESS]) == {KEY: Held(ANA)}
        assert store.heads([B], partition_of(ACME, store.parts)) == {}

    def test_the_first_of_a_commit_gets_the_claim(self, store: Store) -> None:
        batch = [command(s, claims=(take(KEY, s),)) for s in (A, B, C)]

        outcomes = store.commit(batch)

        assert [type(outcome) for outcome in outcomes] == [Appended, Refused, Refused]
        assert store.holders([KEY]) == {KEY: Held(A)}

    def test_a_holder_can_take_its_claim_again(self, store: Store) -> None:
        store.commit([command(A, claims=(take(KEY, ANA),))])

        assert isinstance(one(store, command(A, 1, claims=(take(KEY, ANA),))), Appended)

    def test_a_released_claim_is_free_at_once(self, store: Store) -> None:
        store.commit([command(A, claims=(take(KEY, ANA),))])
        store.commit([command(A, 1, claims=(release(KEY, ANA),))])

        assert store.holders([KEY]) == {}
        assert isinstance(one(store, command(B, claims=(take(KEY, BEN),))), Appended)

    def test_only_the_holder_can_release_a_claim(self, store: Store) -> None:
        store.commit([command(A, claims=(take(KEY, ANA),))])
        store.commit([command(B, claims=(release(KEY, BEN),))])

        assert store.holders([KEY]) == {KEY: Held(ANA)}

    @pytest.mark.parametrize(("keep_until", "free"), [(AT + 1, False), (AT, True)])
    def test_a_released_claim_can_be_kept_for_a_while(
        self, store: Store, keep_until: int, free: bool
    ) -> None:
        store.commit([command(A, claims=(take(KEY, ANA),))])
        store.commit([command(A, 1, claims=(release(KEY, ANA, keep_until),))])

        assert store.holders([KEY]) == {KEY: Held(ANA, keep_until)}
        assert isinstance(one(store, command(B, claims=(take(KEY, BEN),))), Appended) is free
        if not free:
            assert isinstance(one(store, command(A, 2, claims=(take(KEY, ANA),))), Appended)

    def test_a_command_can_pass_its_claim_on(self, store: Store) -> None:
        store.commit([command(A, claims=(take(KEY, ANA),))])
        store.commit([command(A, 1, claims=(release(KEY, ANA), take(KEY, BEN)))])

        assert store.holders([KEY]) == {KEY: Held(BEN)}

    def test_all_claims_of_a_scope_are_found_with_their_holders(self, store: Store) -> None:
        other = KEY._replace(value=b"AAA")
        elsewhere = (KEY._replace(scope="label"), KEY._replace(within=BEN))
        taken = [take(claim, ANA) for claim in (KEY, *elsewhere)]
        store.commit([command(A, claims=(take(other, BEN), *taken))])

        assert store.claimed(KEY.org_id, KEY.scope, KEY.within) == [BEN, ANA]
        part = partition_of(KEY.org_id, store.parts)
        ours = {(KEY.within, BEN), (KEY.within, ANA)}
        assert set(store.claimed_in(part, KEY.scope)) == {*ours, (BEN, ANA)}
        assert store.claimed(KEY.org_id, KEY.scope, C) == []

        store.commit([command(A, 1, claims=(release(other, BEN), release(KEY, ANA, AT + 1)))])

        assert store.claimed(KEY.org_id, KEY.scope, KEY.within) == []
        assert store.claimed_in(part, KEY.scope) == [(BEN, ANA)]

    def test_claims_are_found_by_their_values_in_order(self, store: Store) -> None:
        held = [KEY._replace(value=value) for value in (b"a", b"b", b"c", b"d")]
        others = (held[1]._replace(scope="label"), held[1]._replace(within=BEN))
        store.commit([command(A, claims=tuple(take(each, ANA) for each in (*held, *others)))])

        assert store.claimed_between(held[0], b"d", 9) == [b"b", b"c"]
        assert store.claimed_between(held[0]._replace(value=b""), b"e", 2) == [b"a", b"b"]

        freed = (release(held[1], ANA), release(held[2], ANA, AT + 1))
        store.commit([command(A, 1, claims=freed)])

        assert store.claimed_between(held[0], b"e", 9) == [b"d"]

    # Counts -----------------------------------------------------------------

    def test_a_count_stops_at_its_limit(self, store: Store) -> None:
        batch = [command(s, counts=(add(1, limit=2),)) for s in (A, B, C)]

        outcomes = store.commit(batch)

        assert [type(outcome) for outcome in outcomes] == [Appended, Appended, Refused]
        assert store.counted([TASKS, NUMBERS]) == {TASKS: 2}
        assert FULL.details["found"] == 2

    def test_a_count_over_its_limit_can_fall_and_not_rise(self, store: Store) -> None:
        store.commit([command(A, counts=(add(5),))])

        assert isinstance(one(store, command(B, counts=(add(-1),))), Appended)
        assert isinstance(one(store, command(C, counts=(add(1, limit=2),))), Refused)
        assert store.counted([TASKS]) == {TASKS: 4}

    def test_a_count_can_be_required_to_be_zero(self, store: Store) -> None:
        none_left = add(0, limit=0)
        assert isinstance(one(store, command(A, counts=(none_left, add(1)))), Appended)

        assert isinstance(one(store, command(B, counts=(none_left,))), Refused)
        assert isinstance(one(store, command(B, counts=(add(-1), none_left))), Appended)
        assert store.counted([TASKS]) == {TASKS: 0}

    def test_a_refused_command_reserves_nothing(self, store: Store) -> None:
        store.commit([command(A, counts=(add(2),))])
        full = command(B, claims=(take(KEY, ANA),), counts=(add(1, limit=2),))
        late = command(A, 0, claims=(take(ADDRESS, ANA),), counts=(add(1),))

        assert store.commit([full, late]) == [Refused(FULL), Conflict(A)]
        assert store.holders([KEY, ADDRESS]) == {}
        assert store.counted([TASKS]) == {TASKS: 2}

    def test_a_rehearsal_returns_the_outcome_and_writes_nothing(self, store: Store) -> None:
        store.commit([command(A, claims=(take(KEY, ANA),))])
        numbering = Numbering(B)

        assert store.rehearse(command(C, claims=(take(KEY, BEN),))) == Refused(TAKEN)
        assert isinstance(store.rehearse(numbering.append), Appended)
        assert numbering.given == [1]
        assert store.rehearse(command(A, 0)) == Conflict(A)
        assert store.heads([B], partition_of(ACME, store.parts)) == {}
        assert store.counted([NUMBERS]) == {}

    # Numbers ----------------------------------------------------------------

    def test_numbers_count_on_without_a_gap(self, store: Store) -> None:
        asked = [Numbering(UUID(int=n)) for n in range(1, 6)]
        late = Numbering(UUID(int=1))
        store.commit([asked[0].append])

        outcomes = store.commit([n.append for n in (asked[1], late, *asked[2:])])

        assert [type(outcome) for outcome in outcomes].count(Conflict) == 1
        assert [n.given[-1] for n in asked] == [1, 2, 3, 4, 5]
        assert store.counted([NUMBERS]) == {NUMBERS: 5}
        for number in range(1, 6):
            claim = numbered(NUMBERS, number)
            assert store.holders([claim]) == {claim: Held(UUID(int=number))}
            [stored] = store.stream(UUID(int=number), 0, partition_of(ACME, store.parts))
            assert stored.state == b'{"number":%d}' % number

    def test_a_repeated_command_takes_no_second_number(self, store: Store) -> None:
        store.commit([Numbering(A, key_use=used(b"key")).append])
        again = Numbering(B, key_use=used(b"key"))

        assert isinstance(one(store, again.append), AlreadyDone)
        assert store.counted([NUMBERS]) == {NUMBERS: 1}

    # Partitions -------------------------------------------------------------

    def test_each_partition_counts_its_own_positions(self, store: Store) -> None:
        organizations = [PLATFORM, *(OrgId(UUID(int=n)) for n in range(50, 62))]
        for round_ in range(2):
            store.commit([command(o, 2 * round_, events=2, org_id=o) for o in organizations])

        found = 0
        for part in range(store.parts):
            rows = store.tail(0, 1_000, part=part)
            found += len(rows)
            assert [r.position for r in rows] == list(range(1, len(rows) + 1))
            assert {partition_of(r.org_id, store.parts) for r in rows} <= {part}
            assert store.last_position(part) == len(rows)
            heads = store.organization_heads(part)
            assert heads == {o: 4 for o in organizations if partition_of(o, store.parts) == part}
        assert found == 4 * len(organizations)

    def test_a_command_can_write_two_partitions_or_neither(self, store: Store) -> None:
        def both(after: int) -> Append:
            rows = [row(ANA, after + 1, org_id=PLATFORM), row(A, after + 1, org_id=ACME)]
            expects = {ANA: after, A: after}
            owners: dict[UUID, OrgId] = {ANA: PLATFORM}
            return Append(rows=rows, expects=expects, keys={}, org_id=ACME, owners=owners)

        first = both(0)
        ours = partition_of(ACME, store.parts)
        assert isinstance(one(store, first), Appended)

        assert isinstance(one(store, both(0)), Conflict)
        assert (store.heads([ANA], 0), store.heads([A], ours)) == ({ANA: 1}, {A: 1})

    def test_a_stream_of_another_partition_is_verified_where_it_is(self, store: Store) -> None:
        store.commit([command(ANA, org_id=PLATFORM)])
        owners = {ANA: PLATFORM}

        assert one(store, command(A, reads={ANA: 0}, owners=owners)) == Conflict(ANA)
        assert isinstance(one(store, command(A, reads={ANA: 1}, owners=owners)), Appended)

    def test_a_claim_is_in_the_partition_of_its_owner(self, store: Store) -> None:
        both = (take(ADDRESS, ANA), take(KEY, A))
        assert isinstance(one(store, command(A, claims=both)), Appended)

        assert store.holders([ADDRESS, KEY]) == {ADDRESS: Held(ANA), KEY: Held(A)}
        assert one(store, command(B, claims=(take(ADDRESS, BEN),))) == Refused(TAKEN)
