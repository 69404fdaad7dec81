"""Signs the Merkle tree of each organization as its log grows.

Leaf *n* is the stored ``state`` of the organization's event number *n* + 1. A tree depends only on
the log, so signing it twice, or in two processes, gives the same root. The roots of whole tiles are
stored before the head that covers them; proofs are made of them.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.kept_heads import KeptHeads
from audit.merkle import Frontier, leaf_hash
from audit.note import NoteInvalid, Signer, open_checkpoint, origin_of
from domain.base import OrgId
from eventstore.log import EventLog
from eventstore.mode import STILL, LogMode
from eventstore.recorded import Row, fills_read
from eventstore.trees import TILE_WIDTH, TreeHead, TreeNode

LOG_NAME = "trackrecord"
_UNSIGNED = STILL | {LogMode.CONTRADICTED, LogMode.ACCEPTING}
"""Modes in which trees are not signed automatically: nothing may be written, or the log was set
back and no operator has accepted that yet."""
_BATCH = 250
"""Events read at a time while a tree catches up: 1 to 3 ms."""

_HEADS_TOGETHER = 250
"""New heads that are stored in one transaction."""

_logger = logging.getLogger(__name__)


class LogTampered(Exception):
    """The log contradicts an earlier signed checkpoint; nothing more is signed for it."""


def signer(key: bytes) -> Signer:
    """Return the signer of checkpoints with a 32-byte *key*."""
    return Signer(LOG_NAME, Ed25519PrivateKey.from_private_bytes(key))


class _Signed(NamedTuple):
    """A head, and the nodes to store before it; a head that is known needs neither stored."""

    head: TreeHead
    is_new: bool
    nodes: Sequence[TreeNode] = ()


class TreeSigner:
    """Creates and stores signed tree heads; one per process that needs them.

    With *kept*, each is also kept outside the event database.
    """

    def __init__(
        self,
        log: EventLog,
        key: bytes,
        now: Callable[[], datetime],
        kept: KeptHeads | None = None,
    ) -> None:
        self._log, self._now, self._kept = log, now, kept
        self.signer = signer(key)
        self._positions: dict[int, int] = {}

    async def head_at(self, org_id: OrgId, size: int) -> TreeHead:
        """Return the signed tree head over an organization's first *size* events.

        :raises LogTampered: the log is shorter, or contradicts an earlier head.
        """
        return await self._stored(await self._head_at(org_id, size))

    async def _head_at(self, org_id: OrgId, size: int) -> _Signed:
        known = await self._log.newest_tree_head(org_id, size)
        if known is not None and known.size == size:
            return _Signed(known, is_new=False)
        frontier = self._resumed(known)
        nodes = await self._extend(org_id, frontier, size)
        note = await self.sign(org_id, size, frontier.root())
        return _Signed(TreeHead(org_id, size, frontier.to_bytes(), note), is_new=True, nodes=nodes)

    async def sign(self, org_id: OrgId, size: int, root: bytes) -> str:
        """Return the signed checkpoint of a tree, which nothing keeps.

        The caller has seen that *root* is that of an organization's first *size* events.
        """
        epoch = (await self._log.identity()).epoch
        origin = origin_of(LOG_NAME, str(org_id), epoch)
        return self.signer.sign_checkpoint(origin, size, root, self._now())

    async def _stored(self, signed: _Signed) -> TreeHead:
        if signed.is_new:
            await self._store([signed])
        return signed.head

    async def _store(self, signed: Sequence[_Signed]) -> None:
        """Keep new heads, outside the database first: what is only there is signed again."""
        heads = [each.head for each in signed]
        if self._kept is not None:
            await asyncio.to_thread(self._kept.keep, await self._log.identity(), heads)
        if heads and not await self._log.is_still():  # they can be signed again at any time
            await self._store_nodes([node for each in signed for node in each.nodes])
            await self._log.put_tree_heads(heads)

    async def _store_nodes(self, nodes: Sequence[TreeNode]) -> None:
        if nodes:
            await self._log.put_tree_nodes(nodes)

    async def frontier_at(self, org_id: OrgId, size: int) -> Frontier:
        """Return the tree over an organization's first *size* events.

        :raises LogTampered: the log is shorter, or contradicts an earlier head.
        """
        frontier = self._resumed(await self._log.newest_tree_head(org_id, size))
        await self._extend(org_id, frontier, size)
        return frontier

    async def seal_new(self, owns: Callable[[int], bool] | None = None) -> int:
        """Sign the trees that grew since the last call; return how many there were.

        Those of the partitions that the caller *owns*; of one that it did not own the last time,
        all trees are looked at.
        """
        if await self._log.mode() in _UNSIGNED:
            return 0
        signed = 0
        for part in range(self._log.parts):
            if owns is None or owns(part):
                signed += await self._seal_part(part)
            else:
                self._positions.pop(part, None)
        return signed

    async def _seal_part(self, part: int) -> int:
        if part in self._positions:
            grown, at = await self._grown(part, self._positions[part])
        else:
            at = await self._log.last_position(part)
            signed = await self._log.newest_tree_heads(part)  # before the sizes, which only grow
            await self._fill(signed)
            sizes = await self._log.organization_heads(part)
            grown = {
                org_id: size
                for org_id, size in sizes.items()
                if org_id not in signed or signed[org_id].size != size
            }
        trees = [*grown.items()]
        for first in range(0, len(trees), _HEADS_TOGETHER):
            await self._seal_each(trees[first : first + _HEADS_TOGETHER])
        self._positions[part] = at
        return len(grown)

    async def _fill(self, signed: Mapping[OrgId, TreeHead]) -> None:
        """Store the nodes of trees that an earlier version has signed without."""
        for org_id, head in signed.items():
            if head.size < TILE_WIDTH or await self._log.tree_nodes(org_id, 1, 0, 1):
                continue
            try:
                nodes = await self._extend(org_id, Frontier(), head.size)
            except LogTampered:
                _logger.exception("the tree of organization %s has no nodes", org_id)
            else:  # the first one last: where it is, all are
                await self._store_nodes(nodes[::-1])

    async def _seal_each(self, trees: Sequence[tuple[OrgId, int]]) -> None:
        found: list[_Signed] = []
        for org_id, size in trees:
            try:
                signed = await self._newest_head(org_id, size)
            except LogTampered:
                _logger.exception("the tree of organization %s is no longer signed", org_id)
            else:
                found += [signed] if signed.is_new else []
            await asyncio.sleep(0)  # a log in this process never yields by itself
        await self._store(found)

    async def _grown(self, part: int, at: int) -> tuple[dict[OrgId, int], int]:
        """Return the new sizes of the trees that grew since position *at*, and the newest one."""
        grown: dict[OrgId, int] = {}
        while rows := await self._log.news.after(at, _BATCH, part):
            grown.update({row.org_id: row.org_seq for row in rows})
            at = rows[-1].position
            if not fills_read(rows, _BATCH):
                break
        return grown, at

    async def seal(self, org_id: OrgId, size: int) -> TreeHead:
        """Return the signed tree head of an organization that now has *size* events.

        :raises LogTampered: an earlier head covers more events, or different ones.
        """
        return await self._stored(await self._newest_head(org_id, size))

    async def _newest_head(self, org_id: OrgId, size: int) -> _Signed:
        newest = await self._log.newest_tree_head(org_id)
        if newest is not None and newest.size > size:  # another process may have signed it since
            size = await self._log.organization_head(org_id)
        if newest is not None and newest.size > size:
            raise LogTampered(f"{org_id}: {size} events, but {newest.size} were signed")
        return await self._head_at(org_id, size)

    def _resumed(self, known: TreeHead | None) -> Frontier:
        if known is None:
            return Frontier()
        frontier = Frontier.from_bytes(known.frontier)
        try:
            signed = open_checkpoint(known.note, self.signer.verifier)
        except NoteInvalid as error:
            raise LogTampered(
                f"{known.org_id}: the head at {known.size} was not signed by us"
            ) from error
        if (signed.size, signed.root) != (frontier.size, frontier.root()):
            raise LogTampered(f"{known.org_id}: the head at {known.size} does not match its note")
        return frontier

    async def _extend(self, org_id: OrgId, frontier: Frontier, size: int) -> list[TreeNode]:
        """Add events up to *size* to *frontier*; return the roots of the tiles that they fill."""
        nodes: list[TreeNode] = []
        while frontier.size < size:
            count = min(_BATCH, size - frontier.size)
            rows = await self._log.organization(org_id, frontier.size, count)
            if not rows:
                raise LogTampered(f"{org_id}: no event {frontier.size + 1} of {size}")
            async with self._log.turns:
                nodes += _add(frontier, rows)
        return nodes


def _add(frontier: Frontier, rows: list[Row]) -> list[TreeNode]:
    nodes: list[TreeNode] = []
    for row in rows:
        if row.org_seq != frontier.size + 1:
            raise LogTampered(f"{row.org_id}: event {frontier.size + 1} is missing")
        filled = frontier.append(leaf_hash(row.state))
        for level, root in enumerate(filled, start=1):
            nodes.append(TreeNode(row.org_id, level, row.org_seq // TILE_WIDTH**level - 1, root))
    return nodes
