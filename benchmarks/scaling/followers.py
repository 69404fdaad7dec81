"""How long does a worker take to start on a log of 1,000,000 events of 10,000 organizations?

It is a restart: trees are signed and cursors stored, as a process leaves them. What is measured is
the work of each follower until it waits for news, one after the other in one process. Not the read
models: a projector goes on at its checkpoint, whatever the size of the log.

The log is in memory (``/dev/shm``), because signing 10,000 trees for the first time waits for
20,000 syncs of the disk. Starts only read, and what they read would be in the page cache.
"""

import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID, uuid4

import uvloop

from benchmarks.harness.figures import Figure
from benchmarks.harness.workplace import workplace
from commands.reservations import WEBHOOK
from deliveries.subscriptions import KnownWebhooks
from domain.base import OrgId
from domain.hooks.webhook.events import DeliveryMode, WebhookCreated
from domain.work.task.events import Priority, TaskPriorityChanged
from eventstore.append import Append
from eventstore.claim import ClaimChange, ClaimKey
from eventstore.codec import NOWHERE, encode
from eventstore.log import EventLog
from eventstore.recorded import Actor, ActorKind, Metadata, Row
from mail.outbox import Outbox
from runtime.log_guard import LogGuard
from runtime.settings import Settings, load_settings
from runtime.system import System, open_system
from workers.consequences.leaving import Leaving
from workers.consequences.losing_sight import LosingSight

ORGANIZATIONS, EACH = 10_000, 100
WEBHOOKS = 1_000
ROUNDS = 3
_CPU = "CPU of this process"
ORGANIZATIONS_AN_APPEND = 50
STARTED_MAX_S = 2.0
_Start = Callable[[System], Awaitable[object]]


def measure() -> list[Figure]:
    """Return how many seconds each follower takes, and all of them."""
    with workplace(in_memory=True) as directory:
        return uvloop.run(_measure(directory))


async def _measure(directory: Path) -> list[Figure]:
    settings = load_settings({"APP_ENV": "test", "DATA_DIR": str(directory), "LOG_LEVEL": "ERROR"})
    async with open_system(settings) as system:
        await _fill(system.log)
    first = await _started(settings)
    rounds = [await _started(settings) for _ in range(ROUNDS)]
    total = Figure(
        what=f"start all followers, {ORGANIZATIONS * EACH:,} events",
        unit="s",
        rounds=[_sum(each) for each in rounds],
        target=STARTED_MAX_S,
        at_least=False,
    )
    parts = [
        Figure(what=f"of that, {what}", unit="s", rounds=[each[what] for each in rounds])
        for what in _STARTS
    ]
    cpu = Figure(what=_CPU, unit="s CPU", rounds=[each[_CPU] for each in rounds])
    signing = "the first start, which signs all trees"
    return [total, cpu, *parts, Figure(what=signing, unit="s", rounds=[_sum(first)])]


def _sum(took: dict[str, float]) -> float:
    return sum(took[what] for what in _STARTS)


async def _started(settings: Settings) -> dict[str, float]:
    """Open a system as a new process does, and return how long each follower needs to begin."""
    took: dict[str, float] = {}
    async with open_system(settings) as system:
        used = time.process_time()
        for what, start in _STARTS.items():
            began = time.perf_counter()
            await start(system)
            took[what] = time.perf_counter() - began
        took[_CPU] = time.process_time() - used
    return took


async def _webhooks(system: System) -> None:
    webhooks = KnownWebhooks(system.log)
    await webhooks.open()
    assert len(webhooks.known) == WEBHOOKS


_STARTS: dict[str, _Start] = {
    "compare the log with what was signed": lambda system: LogGuard(system).check(),
    "look at all trees": lambda system: system.tree_signer.seal_new(),
    f"know {WEBHOOKS:,} webhooks": _webhooks,
    "look for mails": lambda system: Outbox(system).fill(),
    "look for those who left": lambda system: Leaving(system).act(),
    "look for those who lost sight": lambda system: LosingSight(system).act(),
}


async def _fill(log: EventLog) -> None:
    """Record the events, organization by organization, and the webhooks.

    In this order the indexes grow at their ends; in another, filling the log takes minutes.
    """
    organizations = [OrgId(uuid4()) for _ in range(ORGANIZATIONS)]
    changed = TaskPriorityChanged(from_=Priority.LOW, to=Priority.HIGH)
    one = _row(changed, organizations[0], 1)
    for first in range(0, ORGANIZATIONS, ORGANIZATIONS_AN_APPEND):
        rows = [
            Row(0, each, version, one.tag, one.state, None, each, 0, one.recorded_at)
            for each in organizations[first : first + ORGANIZATIONS_AN_APPEND]
            for version in range(1, EACH + 1)
        ]
        await log.append(Append(rows=rows, expects={}, keys={}))
    for organization in organizations[:WEBHOOKS]:
        await _add_webhook(log, organization)


async def _add_webhook(log: EventLog, organization: OrgId) -> None:
    webhook_id = uuid4()
    created = WebhookCreated(
        url="https://a.example", events=("*",), mode=DeliveryMode.ORDERED, from_seq=0
    )
    claim = ClaimKey(organization, WEBHOOK, organization, webhook_id.bytes)
    cipher, key = log.keys.make(webhook_id)
    row = encode(created, _metadata(webhook_id, 1), organization, NOWHERE, cipher)
    change = ClaimChange(claim, webhook_id)
    keys = {webhook_id: key}
    await log.append(Append(rows=[row], expects={webhook_id: 0}, keys=keys, claims=(change,)))


def _row(event: TaskPriorityChanged, organization: OrgId, version: int) -> Row:
    return encode(event, _metadata(organization, version), organization, NOWHERE, None)


def _metadata(stream: UUID, version: int) -> Metadata:
    actor = Actor(ActorKind.USER, UUID(int=1))
    return Metadata(stream=stream, version=version, at=1, actor=actor, command="ChangeTaskPriority")
