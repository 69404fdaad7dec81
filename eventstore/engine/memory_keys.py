"""Data keys, secrets, tree heads and their nodes in memory, by whom they are about."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from domain.base import OrgId
from eventstore.append import Append, Secret
from eventstore.partition import partition_of
from eventstore.store import Wrapped
from eventstore.trees import TILE_WIDTH, TreeHead, TreeNode


class MemoryKeys:
    """The tables ``subject_keys``, ``secrets``, ``tree_heads`` and ``tree_nodes`` of SQL."""

    parts: int

    def __init__(self) -> None:
        self._keys: dict[tuple[int, UUID], bytes | None] = {}
        self._secrets: dict[tuple[int, UUID], dict[str, bytes]] = {}
        self._tree_heads: dict[OrgId, dict[int, TreeHead]] = {}
        self._tree_nodes: dict[tuple[OrgId, int], dict[int, bytes]] = {}

    def keys(self, subjects: Sequence[UUID], part: int = 0) -> dict[UUID, bytes | None]:
        return {s: self._keys[part, s] for s in subjects if (part, s) in self._keys}

    def destroy_key(self, subject: UUID, part: int = 0) -> None:
        self._keys[part, subject] = None

    def secrets(self, owner: UUID, part: int = 0) -> Mapping[str, bytes]:
        return dict(self._secrets.get((part, owner), {}))

    def put_secret(self, secret: Secret, part: int = 0) -> None:
        named = self._secrets.setdefault((part, secret.owner), {})
        if secret.sealed is None:
            named.pop(secret.name, None)
        else:
            named[secret.name] = secret.sealed

    def _write_keys(self, append: Append, part: Callable[[UUID], int]) -> None:
        for subject, wrapped in append.keys.items():
            self._keys[part(subject), subject] = wrapped
        for subject in append.destroyed:
            self.destroy_key(subject, part(subject))
        for secret in append.secrets:
            self.put_secret(secret, part(secret.owner))

    def wrapped(self, after: Wrapped | None, limit: int, part: int = 0) -> list[Wrapped]:
        keys = [Wrapped(s, "", k) for (where, s), k in self._keys.items() if k and where == part]
        secrets = [
            Wrapped(owner, name, sealed)
            for (where, owner), named in self._secrets.items()
            for name, sealed in named.items()
            if where == part
        ]
        found = sorted((*keys, *secrets), key=lambda one: one.place)
        return [one for one in found if after is None or one.place > after.place][:limit]

    def wrap_again(self, found: Wrapped, value: bytes, part: int = 0) -> bool:
        place = (part, found.owner)
        if not found.name:
            if self._keys.get(place) != found.value:
                return False
            self._keys[place] = value
            return True
        named = self._secrets.get(place, {})
        if named.get(found.name) != found.value:
            return False
        named[found.name] = value
        return True

    def tree_heads(self, org_id: OrgId, since: int = 0) -> list[TreeHead]:
        heads = self._tree_heads.get(org_id, {})
        return [heads[size] for size in sorted(heads) if size >= since]

    def newest_tree_head(self, org_id: OrgId, size_max: int) -> TreeHead | None:
        heads = [head for head in self.tree_heads(org_id) if head.size <= size_max]
        return heads[-1] if heads else None

    def newest_tree_heads(self, after: OrgId | None, limit: int, part: int = 0) -> list[TreeHead]:
        behind = [
            org_id
            for org_id in sorted(self._tree_heads)
            if self._tree_heads[org_id] and partition_of(org_id, self.parts) == part
            if after is None or org_id > after
        ]
        return [self.tree_heads(org_id)[-1] for org_id in behind[:limit]]

    def drop_tree_heads(self, org_id: OrgId, above: int) -> None:
        self._tree_heads[org_id] = {h.size: h for h in self.tree_heads(org_id) if h.size <= above}
        for (owner, level), nodes in self._tree_nodes.items():
            gone = [n for n in nodes if owner == org_id and (n + 1) * TILE_WIDTH**level > above]
            for n in gone:
                del nodes[n]

    def put_tree_heads(self, heads: Sequence[TreeHead]) -> None:
        for head in heads:
            self._tree_heads.setdefault(head.org_id, {}).setdefault(head.size, head)

    def tree_nodes(self, org_id: OrgId, level: int, first: int, last: int) -> dict[int, bytes]:
        stored = self._tree_nodes.get((org_id, level), {})
        return {n: stored[n] for n in range(first, last) if n in stored}

    def put_tree_nodes(self, nodes: Sequence[TreeNode]) -> None:
        for node in nodes:
            stored = self._tree_nodes.setdefault((node.org_id, node.level), {})
            stored.setdefault(node.n, node.hash)
