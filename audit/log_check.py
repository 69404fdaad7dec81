"""Compares a log with its signed tree heads, including those kept outside its database."""

import asyncio
import logging

from msgspec import Struct

from audit.kept_heads import KeptHead, KeptHeads
from audit.note import NoteInvalid, TreeCheckpoint, open_checkpoint
from audit.tree_signer import LogTampered, TreeSigner
from domain.base import OrgId
from eventstore.log import EventLog

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
        losses: dict[OrgId, Loss] = {}
        for org_id, size in (await self._log.organization_heads()).items():
            head = await self._log.newest_tree_head(org_id)
            if head is not None and head.size > size:
                signed = self._opened(head.note)
                if signed is not None:
                    losses[org_id] = Loss(org_id, size, signed)
        for one in kept:
            signed = self._opened(one.note)
            loss = await self._loss(one.org, signed) if signed is not None else None
            if loss is not None:
                losses[one.org] = loss
        return list(losses.values())

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
