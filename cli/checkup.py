"""The checks of ``doctor`` for each store."""

from msgspec import Struct

from audit.kept_heads import KeptHeads
from deliveries.cursor import CursorCheck
from deliveries.subscriptions import KnownWebhooks
from eventstore.log import EventLog
from eventstore.operations.records import Endpoint, NoticeKind
from eventstore.operations.store import OperationalStore
from projections.catalog import PROJECTIONS
from projections.engine.control import Control, Phase
from projections.engine.following import follows
from projections.engine.store import Parked, ReadStore
from runtime.key_rotation import outdated
from security.sealing import MasterKeys

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
        for head in kept.newest().values()
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
    lost: list[Endpoint] = []
    for name, known in webhooks.known.items():
        endpoint = await store.endpoint(name) if known.can_be_sent_to else None
        if endpoint and not await CursorCheck(log, store, endpoint).fits(known):
            lost.append(endpoint)
    if not lost:
        return [Finding(True, "webhook cursors", "the log has the events that they are at")]
    told = (
        f"{len(lost)} ahead of the log, which has lost their events, the first of webhook"
        f" {lost[0].id} at {lost[0].fan}; `work` moves them back and sends events again"
    )
    return [Finding(False, "webhook cursors", told)]


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
    ahead = sum(max(0, at.position - heads.get(part, 0)) for part, at in control.places.items())
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
