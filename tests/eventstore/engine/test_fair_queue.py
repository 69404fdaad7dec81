"""Organizations take turns in a queue, whatever comes in and however much is taken at once."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from domain.base import OrgId
from eventstore.engine.fair_queue import FairQueue
from tests.domain.spec import ACME, OTHER, QUICK

ORGANIZATIONS = [ACME, OTHER]


def test_one_command_of_a_quiet_organization_comes_second_behind_any_number() -> None:
    queue = FairQueue[str]()
    for number in range(100):
        queue.put(ACME, f"noisy {number}")
    queue.put(OTHER, "quiet")

    assert queue.take(2) == ["noisy 0", "quiet"]
    assert queue.take(1) == ["noisy 1"]
    assert len(queue) == 98


def test_turns_go_on_where_the_last_batch_ended() -> None:
    queue = FairQueue[str]()
    for number in range(3):
        queue.put(ACME, f"a{number}")
        queue.put(OTHER, f"b{number}")

    assert queue.take(3) == ["a0", "b0", "a1"]
    assert queue.take(3) == ["b1", "a2", "b2"]
    assert queue.take(3) == []


def test_what_is_put_back_comes_first_among_its_own() -> None:
    queue = FairQueue[str]()
    for item in ("first", "second"):
        queue.put(ACME, item)
    [first] = queue.take(1)
    queue.put_back(ACME, first)

    assert queue.waiting_of(ACME) == len(queue) == 2
    assert queue.take(9) == ["first", "second"]
    assert queue.waiting_of(ACME) == queue.waiting_of(OTHER) == 0


def test_what_is_removed_leaves_its_line_as_it_was() -> None:
    queue = FairQueue[str]()
    for item in ("first", "second", "third"):
        queue.put(ACME, item)
    queue.put(OTHER, "alone")
    queue.remove(ACME, "second")
    queue.remove(OTHER, "alone")

    assert (len(queue), queue.waiting_of(ACME), queue.waiting_of(OTHER)) == (2, 2, 0)
    assert queue.take(9) == ["first", "third"]


@QUICK
@given(st.lists(st.one_of(st.sampled_from(ORGANIZATIONS), st.integers(1, 5))))
def test_nothing_is_lost_and_nobody_gets_two_turns_while_another_waits(
    steps: list[OrgId | int],
) -> None:
    """A step is an organization that sends a command, or a batch of a size."""
    queue = FairQueue[tuple[OrgId, int]]()
    sent, came = defaultdict[OrgId, int](int), defaultdict[OrgId, int](int)
    for step in [*steps, 1_000]:
        if isinstance(step, int):
            before = {org_id: queue.waiting_of(org_id) for org_id in ORGANIZATIONS}
            batch = queue.take(step)
            turns = {o: sum(of == o for of, _ in batch) for o in ORGANIZATIONS}
            most = max(turns.values())
            for org_id in ORGANIZATIONS:
                assert turns[org_id] >= min(before[org_id], most - 1)
            for org_id, number in batch:
                assert number == came[org_id]
                came[org_id] += 1
        else:
            queue.put(step, (step, sent[step]))
            sent[step] += 1

    assert came == sent
    assert len(queue) == 0
