"""Bounded windows over task numbers: a page reads about as many documents as it shows.

MongoDB stops at the limit of a page by itself. The laptop's server reads every match first and
sorts it, which for a project of 5,000 tasks takes a quarter of a second; so each query is given
a range of numbers in which, by what earlier pages showed, a page will be found.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any

SPARE = 13
"""Numbers more than a page needs, so that a few tasks in the trash cost no second query."""
GROWTH = 4
KNOWN_MAX = 10_000

Key = tuple[str, str]


class Windows:
    """What this process has seen of each list: its newest number and how dense it is.

    Only a hint. A window has no upper end but the one asked for, so a number that is newer than
    any seen is never missed; below, windows follow on each other down to 1.
    """

    def __init__(self) -> None:
        self.known: OrderedDict[Key, tuple[int, float]] = OrderedDict()

    def of(self, key: Key, limit: int, below: int | None) -> "Window":
        """Return the windows in which to look for *limit* numbers and one more."""
        return Window(self, key, limit, below)


class Window:
    """The ranges of numbers to ask for one after the other, until the page is full."""

    def __init__(self, windows: Windows, key: Key, limit: int, below: int | None) -> None:
        self._known, self._key, self._limit, self._below = windows.known, key, limit, below

    def __iter__(self) -> Iterator[dict[str, int]]:
        """Return conditions on the number; an empty one is every number."""
        newest, spacing = self._known.get(self._key, (None, 1.0))
        top = self._below if self._below is not None else newest
        if top is None:
            yield {}
            return
        width = int((self._limit + 1) * spacing) + SPARE
        above = self._below
        while True:
            lowest = top - width
            window: dict[str, int] = {"$lt": above} if above is not None else {}
            if lowest > 1:
                window["$gte"] = lowest
            yield window
            if lowest <= 1:
                return
            above = top = lowest
            width *= GROWTH

    def learn(self, numbers: Sequence[Any]) -> None:
        """Remember from a page, the newest number first, what the next one can expect."""
        if not numbers:
            return
        newest, _ = self._known.get(self._key, (0, 1.0))
        spacing = (numbers[0] - numbers[-1] + 1) / len(numbers)
        self._known[self._key] = max(newest, numbers[0]), max(1.0, spacing)
        self._known.move_to_end(self._key)
        while len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
