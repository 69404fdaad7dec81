"""The trees of organizations as an event database keeps them: signed heads, nodes for proofs."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from domain.base import OrgId

TILE_WIDTH = 256
"""Nodes of a tree in a tile, as C2SP tlog-tiles has them: 8 levels of the tree in one."""
TILE_LEVELS_MAX = 7
"""Levels of tiles above the leaves; the tree of an organization never grows beyond them."""


class TreeHead(Struct, frozen=True):
    """The Merkle tree of one organization after its first *size* events, signed."""

    org_id: OrgId
    size: int
    frontier: bytes
    note: str


class TreeNode(Struct, frozen=True):
    """The root of a tile that is full: leaves *n* x 256^*level* and 256^*level* - 1 after it."""

    org_id: OrgId
    level: int
    n: int
    hash: bytes


class Trees(Protocol):
    """The signed tree heads of an event database, and the nodes that proofs are made of."""

    def tree_heads(self, org_id: OrgId, since: int = 0) -> list[TreeHead]:
        """Return the signed tree heads of an organization of at least *since*, smallest first."""
        ...

    def newest_tree_head(self, org_id: OrgId, size_max: int) -> TreeHead | None:
        """Return the largest signed tree head of an organization up to *size_max*."""
        ...

    def newest_tree_heads(self, after: OrgId | None, limit: int, part: int = 0) -> list[TreeHead]:
        """Return the largest signed tree head of each organization of a partition.

        At most *limit*, of the organizations behind *after*, in the order of their ids.
        """
        ...

    def drop_tree_heads(self, org_id: OrgId, above: int) -> None:
        """Forget the tree heads of an organization, and the nodes, that go beyond *above*."""
        ...

    def put_tree_heads(self, heads: Sequence[TreeHead]) -> None:
        """Store signed tree heads, all or none; a second one of the same size is ignored."""
        ...

    def tree_nodes(self, org_id: OrgId, level: int, first: int, last: int) -> dict[int, bytes]:
        """Return the nodes from *first* to below *last* of a level, as far as they are stored."""
        ...

    def put_tree_nodes(self, nodes: Sequence[TreeNode]) -> None:
        """Store nodes; those that are stored already stay as they are."""
        ...
