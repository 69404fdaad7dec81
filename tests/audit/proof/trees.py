"""Logs of any length without the time it takes to record them, and RFC 6962 word for word."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from hashlib import sha256
from uuid import UUID

from audit.proof.proving import Prover, newest_head
from audit.tree_signer import TreeSigner
from domain.base import OrgId
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from eventstore.recorded import Row
from tests.domain.spec import ACME, NOW
from tests.spec import opened

STREAM = UUID(int=7)
KEY = b"k" * 32


class FilledStore(MemoryStore):
    """A store of one organization, whose events can be added and changed as no log allows."""

    def __init__(self, count: int, owner: OrgId = ACME) -> None:
        super().__init__()
        self._owner = owner
        self.rows: list[Row] = []
        self._organizations[owner] = self.rows
        self._rows[0] = self.rows
        self.add(count)

    def add(self, count: int, state: bytes = b"%d") -> None:
        """Add as many events, whose states have their numbers."""
        for n in range(len(self.rows) + 1, len(self.rows) + count + 1):
            self.rows.append(Row(n, STREAM, n, "task.created", state % n, None, self._owner, n, n))

    def change(self, seq: int, state: bytes = b"forged") -> None:
        """Change an event."""
        self.rows[seq - 1].state = state

    def forge_node(self, level: int, n: int, node: bytes = b"f" * 32) -> None:
        """Change a stored node."""
        self._tree_nodes[self._owner, level][n] = node

    def forget_nodes(self) -> None:
        """Remove all nodes, as in a log of an earlier version."""
        self._tree_nodes.clear()


class PlainTree:
    """The definitions of RFC 6962, sections 2.1 to 2.1.2, over leaves; roots are remembered."""

    def __init__(self, states: Sequence[bytes]) -> None:
        leaves = [sha256(b"\x00" + state).digest() for state in states]

        @cache
        def root(low: int, high: int) -> bytes:
            if high - low == 1:
                return leaves[low]
            middle = low + largest_power_below(high - low)
            return sha256(b"\x01" + root(low, middle) + root(middle, high)).digest()

        self.root = root

    def path(self, m: int, low: int, high: int) -> list[bytes]:
        """PATH(m, D[low:high])."""
        if high - low == 1:
            return []
        k = largest_power_below(high - low)
        if m < k:
            return [*self.path(m, low, low + k), self.root(low + k, high)]
        return [*self.path(m - k, low + k, high), self.root(low, low + k)]

    def subproof(self, m: int, low: int, high: int, *, whole: bool = True) -> list[bytes]:
        """SUBPROOF(m, D[low:high], b)."""
        if m == high - low:
            return [] if whole else [self.root(low, high)]
        k = largest_power_below(high - low)
        if m <= k:
            return [*self.subproof(m, low, low + k, whole=whole), self.root(low + k, high)]
        right = self.subproof(m - k, low + k, high, whole=False)
        return [*right, self.root(low, low + k)]


def largest_power_below(n: int) -> int:
    """Return k as the RFC has it: the largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def signer_of(log: EventLog) -> TreeSigner:
    return TreeSigner(log, KEY, lambda: NOW)


async def prover_of(log: EventLog) -> Prover:
    """Return what proves all that *log* has now."""
    tree_signer = signer_of(log)
    return Prover(log, tree_signer, await newest_head(log, tree_signer, ACME))


@asynccontextmanager
async def sealed(count: int) -> AsyncIterator[tuple[EventLog, FilledStore]]:
    """Open a log of so many events, all of them signed."""
    store = FilledStore(count)
    async with opened(store) as log:
        await signer_of(log).seal_new()
        yield log, store
