"""Windows over numbers lose nothing and, once they know a list, read little of it."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from projections.engine.windows import Windows

KEY = ("project", "||")


class Shelf:
    """A list of numbers, asked as the read model is; counts what it had to look at."""

    def __init__(self, numbers: set[int]) -> None:
        self.numbers, self.windows = numbers, Windows()
        self.looked_at = self.asked = 0

    def page(self, limit: int, below: int | None) -> list[int]:
        found: list[int] = []
        window = self.windows.of(KEY, limit, below)
        for where in window:
            self.asked += 1
            found += self._ask(where)[: limit + 1 - len(found)]
            if len(found) > limit:
                break
        window.learn(found)
        return found

    def _ask(self, where: dict[str, Any]) -> list[int]:
        low, high = where.get("$gte", 0), where.get("$lt", 10**9)
        within = sorted((n for n in self.numbers if low <= n < high), reverse=True)
        self.looked_at += len(within)
        return within


@given(
    st.sets(st.integers(1, 3_000), max_size=200),
    st.lists(st.tuples(st.integers(1, 20), st.none() | st.integers(1, 3_100)), max_size=6),
    st.sets(st.integers(2_000, 4_000), max_size=20),
)
def test_every_page_is_what_one_unbounded_query_gives(
    numbers: set[int], pages: list[tuple[int, int | None]], newer: set[int]
) -> None:
    shelf = Shelf(numbers)
    for step, (limit, below) in enumerate(pages):
        if step == 3:
            shelf.numbers |= newer

        expected = [n for n in sorted(shelf.numbers, reverse=True) if below is None or n < below]

        assert shelf.page(limit, below) == expected[: limit + 1]


def test_a_known_list_costs_one_query_of_little_more_than_a_page() -> None:
    shelf = Shelf(set(range(1, 10_001)))
    shelf.page(50, None)
    shelf.looked_at = shelf.asked = 0

    shelf.page(50, None)

    assert shelf.asked == 1
    assert shelf.looked_at < 70


def test_how_thinly_a_list_is_spread_is_learnt() -> None:
    shelf = Shelf(set(range(1, 10_001, 20)))
    shelf.page(50, None)
    shelf.asked = 0

    shelf.page(50, None)

    assert shelf.asked == 1
