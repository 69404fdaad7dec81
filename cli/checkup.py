"""The checks of ``doctor`` for each store."""

import asyncio
from collections.abc import AsyncIterator

from msgspec import Struct

from audit.kept_heads import KeptHeads
from commands.fork.beginning import unfinished_forks
from deliveries.cursor import CursorCheck
from deliveries.subscriptions import KnownWebhooks
from eventstore.log import EventLog
from eventstore.operations.records import Endpoint, NoticeKind
from eventstore.operations.store import OperationalStore
from eventstore.store import LogIdentity
from projections.catalog import PROJECTIONS
from projections.engine.control import Control, Phase
from projections.engine.following import follows
from projections.engine.store import Parked, ReadStore
from runtime.key_rotation import outdated
from security.sealing import MasterKeys

_CURSORS = "webhook cursors"
_ENDPOINTS_AT_ONCE = 200
_NOTICES_MAX = 20
"""How many of the newest notices about webhooks are shown."""


class Finding(Struct, frozen=True):
    """The result of one check."""

    well: bool
    check: str
    message: str


async def tree_findings(log: EventLog, kept: KeptHeads) -> list[Finding]:
    """Compare the size of each organization's log with its signed tree heads, without signing.

    Those are in the log's database and, after a restore, the newer ones only in the file.
    """
    heads, identity = await log.organization_heads(), await log.identity()
    outside = {
        head.org: head.size
        for head in (await asyncio.to_thread(kept.newest)).values()
        if head.log != identity.id or head.epoch >= identity.epoch  # others are accepted losses
    }
    shorter: list[Finding] = []
    for org_id in heads.keys() | outside.keys():
        head, size = await log.newest_tree_head(org_id), heads.get(org_id, 0)
        signed = max(0 if head is None else head.size, outside.get(org_id, 0))
        if signed > size:
            size = await log.organization_head(org_id)  # it may have been signed meanwhile
        if signed > size:
            told = f"organization {org_id} has {size} events, but {signed} were signed"
            shorter.append(Finding(False, "audit trees", told))
    told = f"{len(heads)} organizations have what was signed; --deep compares every event"
    return shorter or [Finding(True, "audit trees", told)]


async def fork_findings(log: EventLog) -> list[Finding]:
    """Report the forks that were begun, and are neither whole nor given up."""
    found: list[Finding] = []
    async for fork, progress in unfinished_forks(log):
        told = (
            f"the fork {progress.subdomain or fork} of {progress.organization} has {progress.done}"
            f" of {progress.at} events; unless it is being made now, run `trackrecord fork"
            f" {progress.organization} --subdomain {progress.subdomain or '…'}` again, or with"
            " --abandon"
        )
        found.append(Finding(True, "forks", told))
    return found or [Finding(True, "forks", "none is unfinished")]


async def key_findings(log: EventLog, masters: MasterKeys) -> list[Finding]:
    """Report what a previous master key still wraps."""
    count = await outdated(log, masters)
    told = f"{count} are wrapped by MASTER_PREVIOUS_KEY; run `trackrecord rotate-master-key`"
    return [Finding(not count, "keys", told if count else "all are wrapped by MASTER_KEY")]


async def webhook_findings(store: OperationalStore) -> list[Finding]:
    """Report open deliveries and the notices of the workers."""
    backlog = await store.backlog()
    waiting = f" since {backlog.oldest:%Y-%m-%d %H:%M} UTC" if backlog.oldest else ""
    findings = [Finding(True, "webhooks", f"{backlog.open} deliveries open{waiting}")]
    for notice in await store.notices(None, _NOTICES_MAX):
        parked = notice.kind is NoticeKind.PARKED
        what = f"{notice.endpoint}: {notice.detail} ({notice.first} to {notice.last})"
        findings.append(Finding(not parked, "webhooks", what))
    return findings


async def cursor_findings(log: EventLog, store: OperationalStore) -> list[Finding]:
    """Report the webhooks whose cursor is at an event that the log does not have."""
    webhooks = KnownWebhooks(log)
    await webhooks.open()
    ahead: list[Endpoint] = []
    unknown: list[Endpoint] = []
    async for endpoint in _endpoints(store):
        known = webhooks.known.get(endpoint.id)
        if known is None:
            unknown.append(endpoint)
        elif known.can_be_sent_to and not await CursorCheck(log, store, endpoint).fits(known):
            ahead.append(endpoint)
    findings: list[Finding] = []
    if ahead:
        told = (
            f"{len(ahead)} ahead of the log, which has lost their events, the first of webhook"
            f" {ahead[0].id} at {ahead[0].fan}; `work` moves them back and sends events again"
        )
        findings.append(Finding(False, _CURSORS, told))
    if unknown:
        identity = await log.identity()
        told = (
            f"{len(unknown)} of webhooks that the log does not have, the first of {unknown[0].id}"
            f" of organization {unknown[0].org} at {unknown[0].fan}; the log has lost them or is"
            " another one: nothing is sent to them until they are created again"
        )
        findings.append(
            Finding(all(_is_accepted(each, identity) for each in unknown), _CURSORS, told)
        )
    well = Finding(True, _CURSORS, "the log has the events that they are at")
    return findings or [well]


def _is_accepted(lost: Endpoint, identity: LogIdentity) -> bool:
    """Return whether a webhook was lost by a restore that an operator has accepted since."""
    log, _, epoch = lost.log.partition(":")
    return log == str(identity.id) and int(epoch) < identity.epoch


async def _endpoints(store: OperationalStore) -> AsyncIterator[Endpoint]:
    after = ""
    while found := await store.endpoints(after, _ENDPOINTS_AT_ONCE):
        for endpoint in found:
            yield endpoint
        after = found[-1].id


async def read_model_findings(log: EventLog, store: ReadStore) -> list[Finding]:
    """Compare the read models with the log that they are built from."""
    name = "read models"
    control = await store.control()
    if control is None:
        return [Finding(False, name, "never projected; is `project` running?")]
    heads = {part: await log.last_position(part) for part in range(log.parts)}
    if not await follows(log, control):
        told = f"{_origin(control, heads)}; `project` rebuilds them"
        return [Finding(False, name, told)]
    if not control.serving:
        return [Finding(False, name, f"being built from the log ({control.progress():.0%})")]
    parked = await store.parked()
    found = [_read_model(control, one.name, heads, parked) for one in PROJECTIONS]
    figures = await store.figures()
    sizes = ", ".join(f"{name} {value:,}" for name, value in figures.items())
    return [*found, Finding(True, "read store", f"answers ({sizes})")]


def _origin(control: Control, heads: dict[int, int]) -> str:
    """Return how the log differs from the one that the read models were built from."""
    parts = range(control.partitions)
    ahead = sum(max(0, control.position(part) - heads.get(part, 0)) for part in parts)
    if ahead:
        return f"{ahead} events ahead of the log, which has lost them or is another"
    return "built from another log, or from events that it has lost"


def _read_model(
    control: Control, name: str, heads: dict[int, int], parked: list[Parked]
) -> Finding:
    live = control.live(name)
    if live is None:
        return Finding(False, name, "being built for the first time")
    behind = sum(max(0, head - control.reached(name, part)) for part, head in heads.items())
    told = f"{behind} events behind"
    failed = [c.failure for c in control.collections if (c.model, c.phase) == (name, Phase.FAILED)]
    troubles = [f"cannot be rebuilt: {failure}" for failure in failed]
    here = [one for one in parked if one.collection == live.name]
    if here:
        first = here[0]
        troubles.append(
            f"{len(here)} documents parked, the first {first.id} at position {first.position}:"
            f" {first.error}"
        )
    return Finding(not troubles, name, "; ".join((told, *troubles)))
