"""A queue of commands that organizations take turns in, however many commands one of them sends."""

from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Generic, TypeVar

from domain.base import OrgId

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Things that wait, in one line for each organization; those of one keep their order."""

    def __init__(self) -> None:
        # By the integers of ids, because UUIDs are hashed in Python.
        self._lines: OrderedDict[int, deque[T]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[T]:
        for line in self._lines.values():
            yield from line

    def waiting_of(self, org_id: OrgId) -> int:
        """Return how many things of an organization wait."""
        line = self._lines.get(org_id.int)
        return 0 if line is None else len(line)

    def put(self, org_id: OrgId, item: T) -> None:
        """Add *item* at the end of its organization's line."""
        line = self._lines.get(org_id.int)
        if line is None:
            line = self._lines[org_id.int] = deque()
        line.append(item)
        self._count += 1

    def put_back(self, org_id: OrgId, item: T) -> None:
        """Add *item*, which was taken before, at the beginning of its organization's line."""
        line = self._lines.setdefault(org_id.int, deque())
        line.appendleft(item)
        self._count += 1

    def remove(self, org_id: OrgId, item: T) -> None:
        """Remove *item*, which waits, from its organization's line."""
        line = self._lines[org_id.int]
        line.remove(item)
        self._count -= 1
        if not line:
            del self._lines[org_id.int]

    def take(self, count: int) -> list[T]:
        """Remove and return at most *count* things, one of each organization in turn.

        The next call goes on with the organization whose turn it is then.
        """
        lines = self._lines
        taken: list[T] = []
        while lines and len(taken) < count:
            owner, line = lines.popitem(last=False)
            taken.append(line.popleft())
            if line:
                lines[owner] = line
        self._count -= len(taken)
        return taken
