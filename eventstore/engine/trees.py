"""The trees of organizations in SQL: signed heads, and the roots of whole tiles."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from domain.base import OrgId
from eventstore.engine.lookups import SqlLookups
from eventstore.engine.probes import marks
from eventstore.trees import TILE_LEVELS_MAX, TILE_WIDTH, TreeHead, TreeNode

NOBODY = UUID(int=0)
NODES_TOGETHER = 500
_TREE_HEADS = "SELECT org_id, size, frontier, note FROM tree_heads WHERE part = ? AND org_id = ? "
_NEWEST_TREE_HEADS = (
    # Jumps from one organization to the next in the index: GROUP BY would read every head.
    "WITH RECURSIVE owners(org_id, n) AS (SELECT * FROM"
    " (SELECT org_id, 1 FROM tree_heads WHERE part = ? AND org_id > ?"
    " ORDER BY org_id LIMIT 1) AS first"
    " UNION ALL SELECT (SELECT one.org_id FROM tree_heads AS one"
    " WHERE one.part = ? AND one.org_id > owners.org_id ORDER BY one.org_id LIMIT 1), n + 1"
    " FROM owners WHERE owners.org_id IS NOT NULL AND n < ?)"
    " SELECT head.org_id, head.size, head.frontier, head.note FROM owners"
    " JOIN tree_heads AS head ON head.part = ? AND head.org_id = owners.org_id AND head.size ="
    " (SELECT one.size FROM tree_heads AS one WHERE one.part = ? AND one.org_id = owners.org_id"
    " ORDER BY one.size DESC LIMIT 1) ORDER BY head.org_id"
)


class SqlTrees(SqlLookups):
    """Reads and writes of ``tree_heads`` and ``tree_nodes``."""

    def tree_heads(self, org_id: OrgId, since: int = 0) -> list[TreeHead]:
        statement = _TREE_HEADS + "AND size >= ? ORDER BY size"
        found = self._query(statement, (self._part(org_id), self._id(org_id), since))
        return [self._tree_head(head) for head in found]

    def newest_tree_head(self, org_id: OrgId, size_max: int) -> TreeHead | None:
        statement = _TREE_HEADS + "AND size <= ? ORDER BY size DESC LIMIT 1"
        found = self._query(statement, (self._part(org_id), self._id(org_id), size_max))
        return self._tree_head(found[0]) if found else None

    def newest_tree_heads(self, after: OrgId | None, limit: int, part: int = 0) -> list[TreeHead]:
        behind = self._id(NOBODY if after is None else after)
        found = self._query(_NEWEST_TREE_HEADS, (part, behind, part, limit, part, part))
        return [self._tree_head(head) for head in found]

    def _tree_head(self, columns: tuple[Any, ...]) -> TreeHead:
        org_id, size, frontier, note = columns
        return TreeHead(OrgId(self._uuid(org_id)), size, bytes(frontier), note)

    def drop_tree_heads(self, org_id: OrgId, above: int) -> None:
        tree = (self._part(org_id), self._id(org_id))
        statement = "DELETE FROM tree_heads WHERE part = ? AND org_id = ? AND size > ?"
        self._execute(statement, (*tree, above))
        larger = ((level, above // TILE_WIDTH**level) for level in range(1, TILE_LEVELS_MAX + 1))
        statement = (
            "DELETE FROM tree_nodes WHERE part = ? AND org_id = ?"
            f" AND ({' OR '.join(['level = ? AND n >= ?'] * TILE_LEVELS_MAX)})"
        )
        self._execute(statement, [*tree, *(value for place in larger for value in place)])

    def put_tree_heads(self, heads: Sequence[TreeHead]) -> None:
        rows = [
            (self._part(head.org_id), self._id(head.org_id), head.size, head.frontier, head.note)
            for head in heads
        ]
        self._execute(
            "INSERT INTO tree_heads (part, org_id, size, frontier, note)"
            f" VALUES {', '.join([f'({marks(5)})'] * len(rows))}"
            " ON CONFLICT (part, org_id, size) DO NOTHING",
            [value for row in rows for value in row],
        )

    def tree_nodes(self, org_id: OrgId, level: int, first: int, last: int) -> dict[int, bytes]:
        statement = (
            "SELECT n, hash FROM tree_nodes"
            " WHERE part = ? AND org_id = ? AND level = ? AND n >= ? AND n < ?"
        )
        tree = (self._part(org_id), self._id(org_id))
        return {n: bytes(node) for n, node in self._query(statement, (*tree, level, first, last))}

    def put_tree_nodes(self, nodes: Sequence[TreeNode]) -> None:
        for first in range(0, len(nodes), NODES_TOGETHER):
            rows = [
                (self._part(node.org_id), self._id(node.org_id), node.level, node.n, node.hash)
                for node in nodes[first : first + NODES_TOGETHER]
            ]
            self._execute(
                "INSERT INTO tree_nodes (part, org_id, level, n, hash)"
                f" VALUES {', '.join([f'({marks(5)})'] * len(rows))}"
                " ON CONFLICT (part, org_id, level, n) DO NOTHING",
                [value for row in rows for value in row],
            )
