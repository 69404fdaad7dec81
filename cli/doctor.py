"""``doctor``: check settings, stores, read models and the log."""

import asyncio
from collections.abc import Awaitable, Callable

from audit.tree_signer import LogTampered
from cli.running import settings_of_running
from projections.catalog import PROJECTIONS
from projections.engine.checkpoints import Pointers, read_checkpoint
from runtime.outages import StoreOutage
from runtime.settings import Settings, load_settings
from runtime.system import System, open_system

Finding = tuple[bool, str]


def run() -> int:
    """Print one line per check; return 1 if any found a problem."""
    settings = load_settings(settings_of_running())
    findings = asyncio.run(_examine(settings))
    for well, what in findings:
        print(f"{'ok  ' if well else 'BAD '} {what}")
    return 0 if all(well for well, _ in findings) else 1


async def _examine(settings: Settings) -> list[Finding]:
    findings: list[Finding] = [
        (True, f"settings: {settings.app_env}, data in {settings.data_dir}"),
    ]
    async with open_system(settings) as system:
        examinations: tuple[Callable[[System], Awaitable[list[Finding]]], ...] = (
            _log,
            _redis,
            _trees,
            _read_models,
        )
        for examine in examinations:
            try:
                findings += await examine(system)
            except StoreOutage as error:
                findings.append((False, f"{examine.__name__.strip('_')}: {error}"))
    return findings


async def _log(system: System) -> list[Finding]:
    position = await system.log.last_position()
    return [(True, f"log: {position} events")]


async def _trees(system: System) -> list[Finding]:
    heads = await system.log.organization_heads()
    try:
        for org_id, size in heads.items():
            await system.tree_signer.seal(org_id, size)
    except LogTampered as error:
        return [(False, f"audit trees: {error}")]
    return [(True, f"audit trees: {len(heads)} organizations match their signed checkpoints")]


async def _read_models(system: System) -> list[Finding]:
    findings: list[Finding] = []
    head = await system.log.last_position()
    pointers = Pointers(system.database)
    for projection in PROJECTIONS:
        collection = await pointers.collection(projection.name)
        checkpoint = await read_checkpoint(system.database, collection) if collection else None
        if checkpoint is None:
            findings.append((False, f"{projection.name}: not built yet; is `project` running?"))
            continue
        parked = f", {len(checkpoint.parked)} streams parked" if checkpoint.parked else ""
        behind = max(0, head - checkpoint.position)
        findings.append((not parked, f"{projection.name}: {behind} events behind{parked}"))
    return findings


async def _redis(system: System) -> list[Finding]:
    if not system.settings.redis_url:
        return [(True, "redis: not configured; processes poll instead")]
    trouble = await system.wakeups.trouble()
    if trouble:
        return [(False, f"redis: {trouble}; everything works, with more latency")]
    return [(True, "redis: answers")]
