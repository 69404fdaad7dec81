"""Puts many items in order in pieces between which others are served."""

from collections.abc import AsyncIterator, Iterator
from heapq import merge
from itertools import islice
from typing import Any, Protocol, TypeVar

from eventstore.log import EventLog


class Ordered(Protocol):
    """What comes before or after others of its kind."""

    def __lt__(self, other: Any, /) -> bool: ...


T = TypeVar("T", bound=Ordered)

SORT_PIECE = 2_000
"""Items that are put in order in one turn: 1 to 2 ms."""


async def sorted_pieces(log: EventLog, items: list[T]) -> AsyncIterator[list[T]]:
    """Yield pieces of *items* in order, which leaves none in the list.

    What is done with is dropped on the way: to free all of it at once takes as long as many pieces.
    """
    runs: list[Iterator[T]] = []
    while items:
        async with log.turns:
            runs.append(_drained(sorted(items[-SORT_PIECE:], reverse=True)))
            del items[-SORT_PIECE:]
    ordered: Iterator[T] = merge(*runs)
    while True:
        async with log.turns:
            some = [*islice(ordered, SORT_PIECE)]
        if not some:
            return
        yield some


def _drained(items: list[T]) -> Iterator[T]:
    while items:
        yield items.pop()
