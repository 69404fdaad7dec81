"""Ranks: between two there is another, however often something is put there, and it stays short."""

from collections.abc import Callable
from itertools import pairwise
from uuid import NAMESPACE_OID, UUID, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.work.task.rank import (
    DIGITS,
    RANK_CHARS_MAX,
    between,
    place,
    rank_of_number,
    spread,
    spread_around,
)

LIMIT = 200
"""How long a rank is at most, whatever happens."""
INSERTIONS = 10_000
TO_EACH_SIDE = 100
DRAWN = [UUID(int=n) for n in (0, 1, 4_095, 2_048)]


def check_sorted(ranks: list[str]) -> None:
    assert all(a < b for a, b in pairwise(ranks))


def test_new_tasks_stand_in_the_order_of_their_numbers() -> None:
    check_sorted([rank_of_number(n) for n in (1, 2, 9, 10, 62, 63, 999_999, 10**9)])


@pytest.mark.parametrize("task_id", DRAWN)
def test_a_task_is_put_between_two_or_at_an_end(task_id: UUID) -> None:
    first, second = rank_of_number(1), rank_of_number(2)

    check_sorted([first, between(first, second, task_id) or "", second])
    check_sorted([between(None, first, task_id) or "", first])
    check_sorted([second, between(second, None, task_id) or ""])


def test_two_tasks_that_are_put_in_one_gap_get_different_ranks() -> None:
    low, high = rank_of_number(1), rank_of_number(2)
    ids = [uuid5(NAMESPACE_OID, str(n)) for n in range(2_000)]

    assert len({between(low, high, each) for each in ids}) == len(ids)


def test_a_gap_between_equal_ranks_has_no_room() -> None:
    assert between(rank_of_number(1), rank_of_number(1), DRAWN[0]) is None


def test_ranks_in_the_wrong_order_are_a_mistake_of_the_caller() -> None:
    for low, high in ((rank_of_number(2), rank_of_number(1)), (None, None)):
        with pytest.raises(ValueError, match=r"rank"):
            between(low, high, DRAWN[0])
        with pytest.raises(ValueError, match=r"rank"):
            spread(low, high, 1)
    with pytest.raises(ValueError, match="order"):
        spread(rank_of_number(1), rank_of_number(1), 1)


@given(st.lists(st.text(DIGITS, min_size=8, max_size=20), min_size=2, max_size=2, unique=True))
@settings(max_examples=100)
def test_there_is_always_room_between_two_ranks(pair: list[str]) -> None:
    low, high = sorted(each[:8] + each[8:].rstrip("0") for each in pair)
    if low < high:
        check_sorted([low, between(low, high, DRAWN[2]) or "", high])
        check_sorted([low, *spread(low, high, 40), high])


@pytest.mark.parametrize("bounds", [(None, None), (1, None), (None, 9), (1, 9)])
def test_tasks_are_spread_within_what_is_outside(bounds: tuple[int | None, int | None]) -> None:
    low, high = (None if n is None else rank_of_number(n) for n in bounds)
    known = [rank_of_number(n) for n in (4, 5, 6)]

    found = spread_around(known, (low, high))

    assert len(found) == 4
    check_sorted([*filter(None, [low]), *found, *filter(None, [high])])


def test_tasks_with_the_same_rank_stand_in_the_order_of_their_keys() -> None:
    check_sorted([place("a", "E-1"), place("a", "E-2"), place("ab", "E-1"), place("b", "A-1")])


Pattern = Callable[[int, int, int], int]
PATTERNS: dict[str, Pattern] = {
    "behind the same task": lambda _, __, size: 1,
    "before the same task": lambda _, __, size: size - 1,
    "between the last two": lambda n, at, _: at + n % 2,
    "on a random side of the last one": lambda n, at, _: at + (n * 7_919 % 13) % 2,
    "at the front": lambda _, __, size: 0,
    "at the end": lambda _, __, size: size,
}


@pytest.mark.parametrize("pattern", list(PATTERNS))
def test_ten_thousand_insertions_at_one_gap_leave_every_rank_short(pattern: str) -> None:
    ranks, at, longest, spreads = [rank_of_number(1), rank_of_number(2)], 1, 0, 0
    for n in range(INSERTIONS):
        low, high = (ranks[at - 1] if at else None), (ranks[at] if at < len(ranks) else None)
        found = between(low, high, UUID(int=n * 2_654_435_761))
        if found is None:
            start, end = max(0, at - TO_EACH_SIDE), at + TO_EACH_SIDE
            outside = ranks[start - 1] if start else None, next(iter(ranks[end:]), None)
            new = spread_around(ranks[start:end], outside)
            ranks[start:end] = new
            spreads += 1
            longest = max(longest, *map(len, new))
        else:
            ranks.insert(at, found)
            longest = max(longest, len(found))
        at = PATTERNS[pattern](n, at, len(ranks))

    check_sorted(ranks)
    assert longest <= LIMIT
    assert spreads < INSERTIONS / 100, "most insertions change one task"
    assert RANK_CHARS_MAX < LIMIT
