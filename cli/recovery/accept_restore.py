"""``accept-restore``: continue with a log that was set back to a backup."""

import asyncio

from audit.log_check import LogCheck, Loss
from audit.tree_signer import TreeSigner
from cli.outages import outages_as_failures
from cli.running import settings_of_log
from commands.audit import AcceptRestore
from commands.base import Context
from commands.handler import CommandHandler
from domain.audit import LogRestored
from domain.base import PLATFORM, OrgId
from eventstore.log import EventLog
from eventstore.mode import LogMode
from eventstore.recorded import Actor, ActorKind
from runtime.buckets.kept import open_kept_heads
from runtime.clock import system_clock
from runtime.settings import Settings
from runtime.system import derive_keys, open_log

_CLOSED = (LogMode.CONTRADICTED, LogMode.ACCEPTING)


def run() -> int:
    """Accept the loss; return 0."""
    settings = settings_of_log()
    with outages_as_failures():
        return asyncio.run(_accept(settings))


async def _accept(settings: Settings) -> int:
    keys = derive_keys(settings)
    kept = open_kept_heads(settings)
    async with open_log(settings, keys) as log:
        check = LogCheck(log, TreeSigner(log, keys.audit, system_clock), kept)
        mode = await asyncio.to_thread(log.store.mode)
        losses = await (check.losses() if mode not in _CLOSED else check.losses_to_accept())
        if not losses and mode not in _CLOSED:
            print("the log has everything that was signed; there is nothing to accept")
            return 0
        if mode is not LogMode.ACCEPTING:
            await _begin(log, check)
        epoch = (await log.identity()).epoch
        count = await _record(log, {loss.org_id: loss for loss in losses}, epoch)
        await asyncio.to_thread(kept.forget)
        await asyncio.to_thread(log.store.set_mode, LogMode.OPEN)
    for loss in losses:
        print(f"accepted: {loss}")
    print(f"epoch {epoch} has begun in {count} organizations; the log takes commands")
    return 0


async def _begin(log: EventLog, check: LogCheck) -> None:
    """Raise the epoch, then note that in the mode, so that a second run can continue."""
    epoch = max((await log.identity()).epoch, await check.newest_epoch()) + 1
    await asyncio.to_thread(log.store.raise_epoch, epoch)
    await asyncio.to_thread(log.store.set_mode, LogMode.ACCEPTING)


async def _record(log: EventLog, losses: dict[OrgId, Loss], epoch: int) -> int:
    handler = CommandHandler(log)
    sizes = await log.organization_heads()
    for org_id, size in sizes.items():
        await asyncio.to_thread(log.store.drop_tree_heads, org_id, size)
        if org_id != PLATFORM:
            restored = _restored(losses.get(org_id), size, epoch)
            await handler.handle(AcceptRestore(restored=restored), _context(org_id))
    return len(sizes) - (PLATFORM in sizes)


def _restored(loss: Loss | None, size: int, epoch: int) -> LogRestored:
    if loss is None:
        return LogRestored(epoch=epoch, kept=size)
    return LogRestored(
        epoch=epoch,
        kept=loss.kept,
        lost_size=loss.signed.size,
        lost_root=loss.signed.root_base64,
    )


def _context(org_id: OrgId) -> Context:
    actor = Actor(ActorKind.SYSTEM, PLATFORM)
    return Context(actor=actor, now=system_clock(), org_id=org_id)
