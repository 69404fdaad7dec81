"""Signs the Merkle tree of each organization as its log grows.

Leaf *n* is the stored ``state`` of the organization's event number *n* + 1. A tree depends only on
the log, so signing it twice, or in two processes, gives the same root.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.kept_heads import KeptHeads
from audit.merkle import Frontier, leaf_hash
from audit.note import NoteInvalid, Signer, open_checkpoint, origin_of
from domain.base import OrgId
from eventstore.log import EventLog
from eventstore.mode import STILL, LogMode
from eventstore.recorded import Row, fills_read
from eventstore.store import TreeHead

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
        head, is_new = await self._head_at(org_id, size)
        if is_new:
            await self._store([head])
        return head

    async def _head_at(self, org_id: OrgId, size: int) -> tuple[TreeHead, bool]:
        """Return a signed tree head, and whether it is new."""
        known = await self._log.newest_tree_head(org_id, size)
        if known is not None and known.size == size:
            return known, False
        frontier = await self._extended(org_id, self._resumed(known), size)
        epoch = (await self._log.identity()).epoch
        note = self._signed(org_id, epoch, frontier)
        return TreeHead(org_id, size, frontier.to_bytes(), note), True

    async def _store(self, heads: Sequence[TreeHead]) -> None:
        """Keep new heads, outside the database first: what is only there is signed again."""
        if self._kept is not None:
            await asyncio.to_thread(self._kept.keep, await self._log.identity(), heads)
        if heads and not await self._log.is_still():  # they can be signed again at any time
            await self._log.put_tree_heads(heads)

    async def frontier_at(self, org_id: OrgId, size: int) -> Frontier:
        """Return the tree over an organization's first *size* events.

        :raises LogTampered: the log is shorter, or contradicts an earlier head.
        """
        known = await self._log.newest_tree_head(org_id, size)
        return await self._extended(org_id, self._resumed(known), size)

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

    async def _seal_each(self, trees: Sequence[tuple[OrgId, int]]) -> None:
        heads: list[TreeHead] = []
        for org_id, size in trees:
            try:
                head, is_new = await self._newest_head(org_id, size)
            except LogTampered:
                _logger.exception("the tree of organization %s is no longer signed", org_id)
            else:
                heads += [head] if is_new else []
            await asyncio.sleep(0)  # a log in this process never yields by itself
        await self._store(heads)

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
        head, is_new = await self._newest_head(org_id, size)
        if is_new:
            await self._store([head])
        return head

    async def _newest_head(self, org_id: OrgId, size: int) -> tuple[TreeHead, bool]:
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

    async def _extended(self, org_id: OrgId, frontier: Frontier, size: int) -> Frontier:
        while frontier.size < size:
            count = min(_BATCH, size - frontier.size)
            rows = await self._log.organization(org_id, frontier.size, count)
            if not rows:
                raise LogTampered(f"{org_id}: no event {frontier.size + 1} of {size}")
            async with self._log.turns:
                _extend(frontier, rows)
        return frontier

    def _signed(self, org_id: OrgId, epoch: int, frontier: Frontier) -> str:
        origin = origin_of(LOG_NAME, str(org_id), epoch)
        return self.signer.sign_checkpoint(origin, frontier.size, frontier.root(), self._now())


def _extend(frontier: Frontier, rows: list[Row]) -> None:
    for row in rows:
        if row.org_seq != frontier.size + 1:
            raise LogTampered(f"{row.org_id}: event {frontier.size + 1} is missing")
        frontier.append(leaf_hash(row.state))
