"""Ranks: text that says where a task stands among those of its project, as people order them.

A rank is a number in base 62: eight digits, then as many decimal places as needed. It sorts as text
does in every store. Between two ranks there is always another (fractional indexing, as in
D. Greenspan, "Implementing Fractional Indexing", 2020). A number drawn from the task's id keeps it
from being the same for two tasks that are put there at once. No such scheme stays short for ever
while nothing else moves: each insertion can halve a gap. So when a gap is used up, the tasks around
it are spread evenly.
"""

from collections.abc import Sequence
from functools import lru_cache
from uuid import UUID

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
RADIX = len(DIGITS)
WHOLE = 8
"""Digits before the decimal places: 218 million million whole numbers."""

RANK_CHARS_MAX = 120
"""How long a rank may get before the tasks around it are spread."""
SPACING = 4_096
"""Whole numbers between two new tasks, for those that are put at an end of the list."""

NUMBERS_REMEMBERED = 65_536
"""Numbers whose ranks are kept in memory: 8 MB."""

_VALUE = {digit: value for value, digit in enumerate(DIGITS)}
_DRAWS = 2**32
_MIDDLE = RADIX**WHOLE // 2
_ROOM = RADIX**5
"""How many ranks a gap must offer: 900 million. If 40 tasks are put there at once, two of them get
the same rank once in 600,000 times. Tasks with the same rank must be spread to get one between."""


@lru_cache(NUMBERS_REMEMBERED)
def rank_of_number(number: int) -> str:
    """Return the rank of a task that nobody has ranked: behind those with smaller numbers.

    Every project has tasks with the same numbers, and each is folded again and again.
    """
    return _text(_MIDDLE + number * SPACING, WHOLE)


def between(low: str | None, high: str | None, task_id: UUID) -> str | None:
    """Return a rank between *low* and *high*, where None is an end of the list.

    None if the gap has no room left, because they are equal or the rank would get too long.

    :raises ValueError: *low* is not below *high*, or both are None.
    """
    draw = task_id.int % _DRAWS
    if low is None or high is None:
        return _beyond(low, high, 1 + draw % SPACING)
    if low >= high:
        if low == high:
            return None
        raise ValueError("the ranks are in the wrong order")
    width = max(len(low), len(high))
    first, last = _number(low, width), _number(high, width)
    while last - first <= _ROOM:
        width, first, last = width + 1, first * RADIX, last * RADIX
    quarter = (last - first) // 4  # somewhere in the middle half of the gap
    found = _text(first + quarter + (last - first - 2 * quarter) * draw // _DRAWS, width)
    return found if len(found) <= RANK_CHARS_MAX else None


def spread(low: str | None, high: str | None, count: int) -> list[str]:
    """Return *count* ranks, evenly between *low* and *high*, where None is an end of the list.

    :raises ValueError: *low* is not below *high*, or both are None.
    """
    if low is None or high is None:
        steps = range(1, count + 1)
        if low is not None:
            return [_beyond(low, None, step * SPACING) for step in steps]
        return [_beyond(None, high, step * SPACING) for step in reversed(steps)]
    if low >= high:
        raise ValueError("the ranks are in the wrong order")
    width = max(len(low), len(high))
    first, last = _number(low, width), _number(high, width)
    while last - first <= _ROOM * (count + 1):
        width, first, last = width + 1, first * RADIX, last * RADIX
    gap = last - first
    return [_text(first + gap * step // (count + 1), width) for step in range(1, count + 1)]


def place(rank: str, key: str) -> str:
    """Return the sort key of a task: its rank, then its key for those that have the same."""
    return f"{rank}!{key}"


def _beyond(low: str | None, high: str | None, step: int) -> str:
    """Return the rank *step* whole numbers beyond the one end that is given."""
    if low is not None:
        return _text(_number(low[:WHOLE], WHOLE) + step, WHOLE)
    if high is None:
        raise ValueError("one end of the gap must be a rank")
    return _text(_number(high[:WHOLE], WHOLE) - step, WHOLE)


def _number(rank: str, width: int) -> int:
    value = 0
    for digit in rank:
        value = value * RADIX + _VALUE[digit]
    return value * int(RADIX ** (width - len(rank)))


def _text(value: int, width: int) -> str:
    digits: list[str] = []
    for _ in range(width):
        value, digit = divmod(value, RADIX)
        digits.append(DIGITS[digit])
    text = "".join(reversed(digits))
    return text[:WHOLE] + text[WHOLE:].rstrip(DIGITS[0])


def spread_around(ranks: Sequence[str], bounds: tuple[str | None, str | None]) -> list[str]:
    """Return new ranks for tasks that have *ranks*, in order, and for one more among them.

    *bounds* are the ranks just outside, None at an end of the list.
    """
    low, high = bounds
    if low is None and high is None:
        low = _beyond(None, ranks[0], SPACING)
    return spread(low, high, len(ranks) + 1)
