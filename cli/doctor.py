"""``doctor``: check settings, stores, read models and the log."""

import asyncio
from collections.abc import Awaitable, Callable

from audit.tree_signer import LogTampered
from cli.running import settings_of_running
from eventstore.operations.records import NoticeKind
from projections.catalog import PROJECTIONS
from projections.engine.control import Control, Phase
from projections.engine.following import follows
from projections.engine.store import Parked
from runtime.outages import StoreOutage
from runtime.settings import Settings, load_settings
from runtime.system import System, open_system

Finding = tuple[bool, str]

_NOTICES_MAX = 20
"""Notices about webhooks that are shown, the newest ones."""


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
            _webhooks,
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


async def _webhooks(system: System) -> list[Finding]:
    backlog = await system.operations.backlog()
    waiting = f" since {backlog.oldest:%Y-%m-%d %H:%M} UTC" if backlog.oldest else ""
    findings = [(True, f"webhooks: {backlog.open} deliveries open{waiting}")]
    for notice in await system.operations.notices(None, _NOTICES_MAX):
        parked = notice.kind is NoticeKind.PARKED
        what = f"webhook {notice.endpoint}: {notice.detail} ({notice.first} to {notice.last})"
        findings.append((not parked, what))
    return findings


async def _read_models(system: System) -> list[Finding]:
    control = await system.read_store.control()
    if control is None:
        return [(False, "read models: never projected; is `project` running?")]
    if not await follows(system.log, control):
        return [(False, "read models: made from another log; `project` makes them anew")]
    if not control.serving:
        return [(False, f"read models: being made from the log ({control.progress():.0%})")]
    parked = await system.read_store.parked()
    heads = {part: await system.log.last_position(part) for part in range(system.log.parts)}
    found = [_read_model(control, one.name, heads, parked) for one in PROJECTIONS]
    facts = await system.read_store.facts()
    sizes = ", ".join(f"{name} {value:,}" for name, value in facts.items())
    return [*found, (True, f"read store: answers ({sizes})")]


def _read_model(
    control: Control, name: str, heads: dict[int, int], parked: list[Parked]
) -> Finding:
    live = control.live(name)
    if live is None:
        return False, f"{name}: being built for the first time"
    behind = sum(max(0, head - control.reached(name, part)) for part, head in heads.items())
    told = f"{name}: {behind} events behind"
    failed = [c.failure for c in control.collections if (c.model, c.phase) == (name, Phase.FAILED)]
    troubles = [f"cannot be rebuilt: {failure}" for failure in failed]
    here = [one for one in parked if one.collection == live.name]
    if here:
        first = here[0]
        troubles.append(
            f"{len(here)} documents parked, the first {first.id} at position {first.position}:"
            f" {first.error}"
        )
    return not troubles, "; ".join((told, *troubles))


async def _redis(system: System) -> list[Finding]:
    if not system.settings.redis_url:
        return [(True, "redis: not configured; processes poll instead")]
    trouble = await system.wakeups.trouble()
    if trouble:
        return [(False, f"redis: {trouble}; everything works, with more latency")]
    return [(True, "redis: answers")]
