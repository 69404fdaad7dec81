"""The Merkle tree of an organization, read from stored nodes instead of hashed from its log.

A tile is 256 neighbors on one of the levels 0, 8, 16 ... of a tree, as in C2SP tlog-tiles. The root
of each full tile is stored when its last event is signed, so that the tiles of all levels but the
lowest are rows of a table. Those of the lowest are the events themselves: reading 256 of them takes
no longer than 1 to 2 ms, and so a proof of an event is one of what the log has, not of what it had.
"""

from audit.merkle import TILE_LEVELS, leaf_hash, node_hash, perfect_subtrees
from audit.tree_signer import LogTampered
from domain.base import OrgId
from eventstore.append import LogUnavailable
from eventstore.log import EventLog
from eventstore.recorded import Row
from eventstore.trees import TILE_WIDTH

HASHED_AGAIN_MAX = 64
"""Tiles without a stored root that one proof hashes again: those of a log that became read-only
before its newest events were signed."""
_PIECE = 128
"""Events hashed in a turn: 0.5 to 1 ms."""


class StoredTree:
    """The tree over an organization's first *size* events, which are signed; for one proof."""

    def __init__(self, log: EventLog, org_id: OrgId, size: int) -> None:
        self._log, self._org_id, self._size = log, org_id, size
        self._tiles: dict[tuple[int, int], list[list[bytes]]] = {}
        self._again = 0

    async def root(self, low: int, high: int) -> bytes:
        """Return the root over the leaves *low* to below *high*, a range of a path or from 0.

        :raises LogTampered: an event is missing.
        :raises LogUnavailable: nodes that an earlier version has not stored are not there yet.
        """
        roots = [await self._subtree(*place) for place in perfect_subtrees(low, high)]
        root = roots.pop()
        for left in reversed(roots):
            root = node_hash(left, root)
        return root

    async def _subtree(self, height: int, index: int) -> bytes:
        level, within = divmod(height, TILE_LEVELS)
        tile, at = divmod(index, TILE_WIDTH >> within)
        return (await self._tile(level, tile))[within][at]

    async def _tile(self, level: int, tile: int) -> list[list[bytes]]:
        """Return the roots of the perfect subtrees in a tile, by their height in it."""
        found = self._tiles.get((level, tile))
        if found is None:
            first = tile * TILE_WIDTH
            last = min(first + TILE_WIDTH, self._size // TILE_WIDTH**level)
            nodes = await (self._nodes(level, first, last) if level else self._leaves(first, last))
            found = self._tiles[level, tile] = _hashed(nodes)
        return found

    async def _nodes(self, level: int, first: int, last: int) -> list[bytes]:
        stored = await self._log.tree_nodes(self._org_id, level, first, last)
        return [stored.get(n) or await self._hashed_again(level - 1, n) for n in range(first, last)]

    async def _hashed_again(self, level: int, tile: int) -> bytes:
        """Return the root of a full tile."""
        if level == 0:
            self._again += 1
            if self._again > HASHED_AGAIN_MAX:
                raise LogUnavailable(f"the tree of organization {self._org_id} is being stored")
        return (await self._tile(level, tile))[TILE_LEVELS][0]

    async def _leaves(self, first: int, last: int) -> list[bytes]:
        leaves: list[bytes] = []
        while (at := first + len(leaves)) < last:
            rows = await self._log.organization(self._org_id, at, min(_PIECE, last - at))
            if not rows:
                raise LogTampered(f"{self._org_id}: no event {at + 1} of {self._size}")
            async with self._log.turns:
                leaves += [_leaf(row, at + n) for n, row in enumerate(rows, start=1)]
        return leaves


def _hashed(nodes: list[bytes]) -> list[list[bytes]]:
    levels = [nodes]
    while len(levels[-1]) > 1:
        below = levels[-1]  # the last of an odd number has no sibling yet
        pairs = zip(below[::2], below[1::2], strict=False)
        levels.append([node_hash(left, right) for left, right in pairs])
    return levels


def _leaf(row: Row, seq: int) -> bytes:
    if row.org_seq != seq:
        raise LogTampered(f"{row.org_id}: event {seq} is missing")
    return leaf_hash(row.state)
