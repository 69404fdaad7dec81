"""The checks of ``doctor`` for each store."""

from msgspec import Struct

from eventstore.log import EventLog
from eventstore.operations.records import NoticeKind
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


async def tree_findings(log: EventLog) -> list[Finding]:
    """Compare the size of each organization's log with its signed tree head, without signing."""
    heads = await log.organization_heads()
    shorter: list[Finding] = []
    for org_id, size in heads.items():
        signed = await log.newest_tree_head(org_id)
        if signed is not None and signed.size > size:
            told = f"organization {org_id} has {size} events, but {signed.size} were signed"
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


async def read_model_findings(log: EventLog, store: ReadStore) -> list[Finding]:
    """Compare the read models with the log that they are built from."""
    name = "read models"
    control = await store.control()
    if control is None:
        return [Finding(False, name, "never projected; is `project` running?")]
    if not await follows(log, control):
        return [Finding(False, name, "built from another log; `project` rebuilds them")]
    if not control.serving:
        return [Finding(False, name, f"being built from the log ({control.progress():.0%})")]
    parked = await store.parked()
    heads = {part: await log.last_position(part) for part in range(log.parts)}
    found = [_read_model(control, one.name, heads, parked) for one in PROJECTIONS]
    figures = await store.figures()
    sizes = ", ".join(f"{name} {value:,}" for name, value in figures.items())
    return [*found, Finding(True, "read store", f"answers ({sizes})")]


def _read_model(
    control: Control, name: str, heads: dict[int, int], parked: list[Parked]
) -> Finding:
    live = control.live(name)
    if live is None:
        return Finding(False, name, "being built for the first time")
    behind = sum(max(0, head - control.reached(name, part)) for part, head in heads.items())
    ahead = sum(max(0, control.reached(name, part) - head) for part, head in heads.items())
    told = f"{behind} events behind"
    failed = [c.failure for c in control.collections if (c.model, c.phase) == (name, Phase.FAILED)]
    troubles = [f"cannot be rebuilt: {failure}" for failure in failed]
    if ahead:
        troubles.append(f"{ahead} events ahead of the log, which has lost them")
    here = [one for one in parked if one.collection == live.name]
    if here:
        first = here[0]
        troubles.append(
            f"{len(here)} documents parked, the first {first.id} at position {first.position}:"
            f" {first.error}"
        )
    return Finding(not troubles, name, "; ".join((told, *troubles)))
