"""Compares a log with its signed tree heads, including those kept outside its database."""

import asyncio
import logging
from collections.abc import Mapping

from msgspec import Struct

from audit.kept_heads import KeptHead, KeptHeads
from audit.merkle import Frontier
from audit.note import NoteInvalid, TreeCheckpoint, checkpoint_in, open_checkpoint
from audit.tree_signer import LogTampered, TreeSigner
from domain.base import OrgId
from eventstore.log import EventLog
from eventstore.trees import TreeHead

_logger = logging.getLogger(__name__)


class Loss(Struct, frozen=True):
    """What an organization lost: its log no longer has the events that *signed* covers.

    *kept* is how many of them are known to be unchanged.
    """

    org_id: OrgId
    kept: int
    signed: TreeCheckpoint

    def __str__(self) -> str:
        return (
            f"organization {self.org_id}: {self.signed.size} events were signed, of which"
            f" {self.kept} are known to be there"
        )


class LogCheck:
    """Finds what a log lost when it was set back or replaced."""

    def __init__(self, log: EventLog, tree_signer: TreeSigner, kept: KeptHeads) -> None:
        self._log, self._signer, self._kept = log, tree_signer, kept

    async def losses(self) -> list[Loss]:
        """Return one loss for each organization whose newest signed head the log contradicts.

        Heads of earlier epochs no longer count, because their loss was accepted.
        """
        identity = await self._log.identity()
        kept = await asyncio.to_thread(self._kept.newest)
        counting = [
            head
            for head in kept.values()
            if head.log != identity.id or head.epoch >= identity.epoch
        ]
        return await self._lost(counting)

    async def losses_to_accept(self) -> list[Loss]:
        """Return the losses by the newest epoch of the kept heads, accepted or not."""
        kept = (await asyncio.to_thread(self._kept.newest)).values()
        newest = max((head.epoch for head in kept), default=0)
        return await self._lost([head for head in kept if head.epoch == newest])

    async def newest_epoch(self) -> int:
        """Return the newest epoch of the kept heads, 0 if there are none."""
        kept = await asyncio.to_thread(self._kept.newest)
        return max((head.epoch for head in kept.values()), default=0)

    async def _lost(self, kept: list[KeptHead]) -> list[Loss]:
        by_part: dict[int, list[KeptHead]] = {}
        for one in kept:
            by_part.setdefault(self._log.part(one.org), []).append(one)
        losses: dict[OrgId, Loss] = {}
        for part in range(self._log.parts):
            signed = await self._log.newest_tree_heads(part)  # before the sizes, which only grow
            sizes = await self._log.organization_heads(part)
            losses |= self._shorter(signed, sizes)
            for one in by_part.get(part, ()):
                head = signed.get(one.org)
                if head is None or not _is_same(one, head, sizes.get(one.org, 0)):
                    losses |= await self._loss_since(one)
                await asyncio.sleep(0)  # a log in this process never yields by itself
        return list(losses.values())

    def _shorter(
        self, signed: Mapping[OrgId, TreeHead], sizes: Mapping[OrgId, int]
    ) -> dict[OrgId, Loss]:
        """Return what is missing according to the heads in the log's own database."""
        losses: dict[OrgId, Loss] = {}
        for org_id, size in sizes.items():
            head = signed.get(org_id)
            if head is not None and head.size > size:
                opened = self._opened(head.note)
                if opened is not None:
                    losses[org_id] = Loss(org_id, size, opened)
        return losses

    async def _loss_since(self, kept: KeptHead) -> dict[OrgId, Loss]:
        signed = self._opened(kept.note)
        loss = await self._loss(kept.org, signed) if signed is not None else None
        return {} if loss is None else {kept.org: loss}

    async def _loss(self, org_id: OrgId, signed: TreeCheckpoint) -> Loss | None:
        size = await self._log.organization_head(org_id)
        if size < signed.size:
            return Loss(org_id, size, signed)
        try:
            tree = await self._signer.frontier_at(org_id, signed.size)
        except LogTampered:
            return Loss(org_id, 0, signed)
        return None if tree.root() == signed.root else Loss(org_id, 0, signed)

    def _opened(self, note: str) -> TreeCheckpoint | None:
        """Return the checkpoint in a note, None if it is not signed with our key."""
        try:
            return open_checkpoint(note, self._signer.signer.verifier)
        except NoteInvalid as error:
            _logger.warning("a tree head not signed with our key is ignored: %s", error)
            return None


def _is_same(kept: KeptHead, head: TreeHead, size: int) -> bool:
    """Return whether *kept* is the newest head in the database, of a log of *size* events.

    Then its signature tells nothing more: who could change both could take both away.
    """
    if kept.note != head.note or head.size > size:
        return False
    try:
        told, tree = checkpoint_in(kept.note), Frontier.from_bytes(head.frontier)
    except (NoteInvalid, ValueError):
        return False
    return (told.size, told.root) == (tree.size, tree.root())
