"""Settling without a database: who of many commands may write, and what their rows become."""

from typing import Any
from uuid import UUID

import pytest

from domain.base import DomainError, NotFound, OrgId
from domain.work.task.events import TaskDeleted
from eventstore.append import AlreadyDone, Append, Appended, Conflict, Refused
from eventstore.claim import ClaimChange, ClaimKey, CountKey, Held, OpenNumber
from eventstore.codec import NOWHERE, encode
from eventstore.engine.settle import Heads, parts_written, settle
from eventstore.engine.to_look_up import LARGE, heads_to_trust, streams_to_look_up
from eventstore.identifiers import new_id
from eventstore.partition import partition_of
from tests.domain.spec import ACME, NOW, OTHER
from tests.spec import envelope

KEY = ClaimKey(ACME, "project key", ACME, b"ENG")
NUMBERS = CountKey(ACME, "task number", ACME)
OURS, THEIRS = UUID(int=71), UUID(int=72)
HOME = partition_of(ACME, 8)
ELSEWHERE = next(org for n in range(9) if partition_of(org := OrgId(UUID(int=n)), 8) != HOME)
NOW_US = int(NOW.timestamp()) * 1_000_000


def append(*places: tuple[UUID, int], org_id: OrgId = ACME, **about: Any) -> Append:
    """Return a command that writes one event at each of *places*: stream and version."""
    rows = [encode(TaskDeleted(), envelope(*place), org_id, NOWHERE, None) for place in places]
    expects = {stream: version - 1 for stream, version in reversed(places)}
    details: dict[str, Any] = {"expects": expects, "keys": {}, "org_id": org_id}
    return Append(rows=rows, **(details | about))


def claiming(holder: UUID, **about: Any) -> Append:
    change = ClaimChange(KEY, holder, None if about else NotFound(), **about)
    return append((new_id(), 1), claims=(change,))


def outcomes(heads: Heads, *appends: Append) -> list[object]:
    return list(settle(appends, heads).outcomes)


class TestRows:
    def test_rows_are_numbered_from_one_in_the_log_and_in_their_organization(self) -> None:
        stream = new_id()
        first, second = append((stream, 1), (stream, 2)), append((new_id(), 1), org_id=OTHER)

        settled = settle([first, second], Heads(1))

        rows = [*first.rows, *second.rows]
        assert [(row.position, row.org_seq) for row in rows] == [(1, 1), (2, 2), (3, 1)]
        assert settled.outcomes == [Appended(2), Appended(3)]

    def test_each_command_sees_the_versions_that_those_before_it_leave(self) -> None:
        stream, heads = new_id(), Heads(1)

        found = outcomes(
            heads,
            append((stream, 1), (stream, 2)),
            append((stream, 2)),
            append((stream, 3)),
        )

        assert found == [Appended(2), Conflict(stream), Appended(3)]
        assert heads.streams == {stream.int: 3}


class TestClaims:
    def test_of_two_commands_in_one_commit_the_first_gets_the_claim(self) -> None:
        first, second = claiming(OURS), claiming(THEIRS)

        accepted, refused = outcomes(Heads(1), first, second)

        assert isinstance(accepted, Appended)
        assert isinstance(refused, Refused)
        assert isinstance(refused.error, NotFound)

    def test_the_holder_may_claim_again_and_nobody_else_can_release(self) -> None:
        heads = Heads(1)
        heads.claims[KEY] = Held(OURS)

        again, released, taken = outcomes(
            heads, claiming(OURS), claiming(THEIRS, release=True), claiming(THEIRS)
        )

        assert isinstance(again, Appended)
        assert isinstance(released, Appended)
        assert isinstance(taken, Refused)
        assert heads.claims == {KEY: Held(OURS)}

    def test_a_released_claim_is_gone_or_kept_for_its_holder(self) -> None:
        gone, kept = Heads(1), Heads(1)
        gone.claims[KEY] = kept.claims[KEY] = Held(OURS)

        settle([claiming(OURS, release=True)], gone)
        settled = settle([claiming(OURS, release=True, keep_until=9)], kept)

        assert gone.claims == {}
        assert kept.claims == settled.claims == {KEY: Held(OURS, 9)}

    @pytest.mark.parametrize(
        ("free_at", "free"), [(0, False), (NOW_US + 1, False), (NOW_US, True), (NOW_US - 1, True)]
    )
    def test_others_may_take_it_once_its_time_is_over(self, free_at: int, free: bool) -> None:
        heads = Heads(1)
        heads.claims[KEY] = Held(OURS, free_at)

        [outcome] = outcomes(heads, claiming(THEIRS))

        assert isinstance(outcome, Appended) is free


class TestNumbers:
    def test_numbers_count_on_within_a_command_and_from_one_to_the_next(self) -> None:
        taken: list[int] = []
        open_number = OpenNumber(NUMBERS, OURS, taken.append)
        heads = Heads(1)

        settled = settle(
            [
                append((new_id(), 1), numbers=(open_number, open_number)),
                append((new_id(), 1), numbers=(open_number,)),
            ],
            heads,
        )

        assert taken == [1, 2, 3]
        assert settled.counts == heads.counts == {NUMBERS: 3}
        assert set(settled.numbers) == {open_number.claim(number) for number in taken}


class TestWhatIsLookedUp:
    def test_a_stream_that_the_batch_makes_itself_is_not_looked_up(self) -> None:
        new, known = new_id(), new_id()
        batch = [append((new, 1), (known, 4)), append((new, 2))]

        assert streams_to_look_up(batch, (), every=False) == {known: ACME}
        assert streams_to_look_up(batch, (), every=True) == {known: ACME, new: ACME}

    def test_a_stream_that_must_not_exist_and_is_only_read_is_looked_up(self) -> None:
        read = new_id()

        assert streams_to_look_up([append(expects={read: 0})], (), every=False) == {read: ACME}

    def test_a_stream_whose_version_is_known_is_not_looked_up(self) -> None:
        known, read = new_id(), new_id()
        batch = [append((known, 5), expects={known: 4, read: 2})]

        assert streams_to_look_up(batch, {known.int: 4}, every=False) == {read: ACME}

    def test_what_a_large_command_writes_to_is_trusted_and_not_what_it_only_reads(self) -> None:
        new, known, read = new_id(), new_id(), new_id()
        places = [(new, 1), *((known, 4 + n) for n in range(LARGE - 1))]
        large = append(*places, expects={new: 0, known: 3, read: 2})
        small = append(*places[1:], expects={known: 3})

        assert [*heads_to_trust([large, small])] == [(new.int, 0), (known.int, 3)]
        assert [*heads_to_trust([small])] == []

    def test_the_partition_of_a_new_key_is_locked_with_those_of_the_rows(self) -> None:
        parts = next(n for n in range(2, 99) if partition_of(ACME, n) != partition_of(OTHER, n))
        subject = new_id()
        command = append((new_id(), 1), keys={subject: b"key"}, owners={subject: OTHER})

        locked = parts_written([command], parts)

        assert locked == sorted({partition_of(ACME, parts), partition_of(OTHER, parts)})


def test_a_refusal_changes_nothing_for_those_behind_it() -> None:
    heads = Heads(1)
    heads.claims[KEY] = Held(OURS)

    refused, accepted = outcomes(heads, claiming(THEIRS), append((new_id(), 1)))

    assert isinstance(refused, Refused)
    assert isinstance(refused.error, DomainError)
    assert accepted == Appended(1)


def test_a_command_whose_lost_commit_was_carried_out_is_not_recorded_again() -> None:
    done, rival = append((OURS, 1)), append((OURS, 1))
    rival.rows[0].state += b" "
    heads = Heads(1)
    heads.streams[OURS.int], heads.done = 1, {done.rows[-1].state: 7}

    assert outcomes(heads, done, rival) == [AlreadyDone(7), Conflict(OURS)]


def test_a_lost_command_is_recognised_by_its_last_event_in_its_own_partition() -> None:
    asked = append((OURS, 1))
    asked.rows += append((THEIRS, 1), org_id=ELSEWHERE).rows
    heads = Heads(8)
    heads.streams = {OURS.int: 1, THEIRS.int: 1}
    heads.done = {asked.rows[0].state: 7, asked.rows[1].state: 3}

    assert outcomes(heads, asked) == [AlreadyDone(7)]


def test_the_position_is_in_a_partition_that_got_an_event() -> None:
    asked = append((OURS, 1), org_id=ELSEWHERE)
    asked.org_id = ACME  # whose own partition gets nothing

    assert outcomes(Heads(8), asked) == [Appended(1, partition_of(ELSEWHERE, 8))]
