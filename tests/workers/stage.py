"""A system with real stores, one organization, and webhooks that really send."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from standardwebhooks import Webhook as Verifier

from commands.hooks.webhook import secret_name
from deliveries.fan_out import delivery_id
from deliveries.retry import Schedule
from domain.hooks.webhook.events import (
    DeliveryMode,
    PauseCause,
    WebhookCreated,
    WebhookDeleted,
    WebhookEvent,
)
from domain.hooks.webhook.state import Webhook
from domain.work.task.events import TaskRetitled
from eventstore.append import Append, Secret
from eventstore.codec import NOWHERE, encode
from eventstore.operations.records import Attempt, Delivery, Endpoint
from runtime.settings import Settings, load_settings
from runtime.system import System, open_system
from security.signing import new_secret
from tests.deliveries.receiver import Received
from tests.deliveries.sending import LOOPBACK
from tests.domain.spec import ACME
from tests.spec import envelope, on, record
from workers.deliveries import Deliveries

MS = timedelta(milliseconds=1)
QUICK = Schedule(pauses=(0 * MS,) + (20 * MS,) * 9, breaker_after=100)
"""The ten tries of production within a fifth of a second, and no breaker."""

PATIENCE_S = 30.0
ONE, TWO, THREE = UUID(int=1001), UUID(int=1002), UUID(int=1003)
"""Streams in which things happen."""


class AdjustableClock:
    """The time of the machine, moved by ``ahead``."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Stage:
    """What a story of deliveries needs; everything in it is the real thing."""

    def __init__(self, system: System, clock: AdjustableClock) -> None:
        self.system, self.clock = system, clock
        self.secrets: dict[UUID, list[str]] = {}

    async def webhook(
        self,
        url: str,
        *,
        events: Sequence[str] = ("task.*",),
        mode: DeliveryMode = DeliveryMode.ORDERED,
        from_seq: int = 0,
        private_projects: bool = False,
    ) -> UUID:
        """Subscribe *url* and return the webhook's id."""
        webhook_id = uuid4()
        await self.new_secret(webhook_id, 1)
        created = WebhookCreated(
            url=url,
            events=tuple(events),
            mode=mode,
            from_seq=from_seq,
            private_projects=private_projects,
        )
        await self.change(webhook_id, created)
        return webhook_id

    async def new_secret(self, webhook_id: UUID, version: int) -> str:
        """Keep a signing secret beside the log, as the API does."""
        secret = new_secret()
        sealed = self.system.keys.master.wrap(secret.encode(), webhook_id)
        await self.system.log.put_secret(Secret(webhook_id, secret_name(version), sealed), ACME)
        self.secrets.setdefault(webhook_id, []).append(secret)
        return secret

    async def change(self, webhook_id: UUID, *events: WebhookEvent) -> None:
        """Record events of a webhook."""
        await record(self.system.log, on(webhook_id, *events))

    async def happen(self, *streams: UUID) -> None:
        """Record one event for each of *streams*, in one commit."""
        await record(self.system.log, *(on(each, retitled()) for each in streams))

    @asynccontextmanager
    async def delivering(
        self, schedule: Schedule = QUICK, **how: Any
    ) -> AsyncGenerator[Deliveries]:
        """Run a delivery engine for as long as the block lasts."""
        engine = Deliveries(self.system, schedule=schedule, **how)
        running = asyncio.create_task(engine.run())
        try:
            yield engine
            assert not running.done(), running.exception()
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    async def deliveries(self, webhook_id: UUID) -> list[Delivery]:
        """Return all deliveries of a webhook, the oldest event first."""
        found = await self.system.operations.deliveries(str(webhook_id), limit=10_000)
        return found[::-1]

    async def states(self, webhook_id: UUID) -> list[str]:
        """Return the states of its deliveries, in the order of events."""
        return [each.status.value for each in await self.deliveries(webhook_id)]

    async def attempts(self, webhook_id: UUID, seq: int) -> list[Attempt]:
        """Return how one delivery was tried, the first attempt first."""
        wanted = delivery_id(str(webhook_id), seq)
        return (await self.system.operations.attempts(wanted, limit=100))[::-1]

    async def endpoint(self, webhook_id: UUID) -> Endpoint:
        """Return the operational side of a webhook; a blank one while no worker has seen it."""
        found = await self.system.operations.endpoint(str(webhook_id))
        return found or Endpoint(id=str(webhook_id), org="", fan=0)

    async def fails(self, webhook_id: UUID) -> int:
        """Return how many failures in a row are written down."""
        return (await self.endpoint(webhook_id)).fails

    async def owner(self, webhook_id: UUID) -> str:
        """Return which worker sends for a webhook; nothing when none does."""
        return (await self.endpoint(webhook_id)).owner

    async def is_owned(self, webhook_id: UUID) -> bool:
        """Return whether some worker sends for a webhook."""
        return bool(await self.owner(webhook_id))

    async def open(self) -> int:
        """Return how many deliveries are still to be sent, pings too."""
        return (await self.system.operations.backlog()).open

    async def paused(self, webhook_id: UUID) -> PauseCause | None:
        """Return why a webhook is paused, as the log has it."""
        return (await self.system.commands.states.fresh(Webhook, webhook_id, ACME)).paused

    async def sent(self, webhook_id: UUID) -> int:
        """Return how many deliveries of a webhook have succeeded."""
        return (await self.states(webhook_id)).count("SUCCESS")

    async def put_back(self, delivery: Delivery) -> bool:
        """Ask for a delivery once more; return whether it had ended."""
        return await self.system.operations.put_back(delivery.endpoint, delivery.id, self.clock())

    def verified(self, webhook_id: UUID, received: Received, secret: int = -1) -> dict[str, Any]:
        """Return the body of a request after the official library has checked its signature."""
        verifier = Verifier(self.secrets[webhook_id][secret])
        body: dict[str, Any] = verifier.verify(received.body, dict(received.headers))
        assert body["id"] == received.headers["webhook-id"]
        return body


def settings_in(data_dir: Path, **more: str) -> Settings:
    """Return settings with a log in *data_dir*; nothing of deliveries needs a read model."""
    return load_settings(environment_in(data_dir, **more))


def environment_in(data_dir: Path, **more: str) -> dict[str, str]:
    """Return the environment of a worker process with a log in *data_dir*."""
    told = {
        "APP_ENV": "test",
        "DATA_DIR": str(data_dir),
        "WEBHOOK_ALLOW_NETWORKS": str(LOOPBACK),
    }
    return told | more


@asynccontextmanager
async def opened_stage(settings: Settings) -> AsyncGenerator[Stage]:
    """Open a system on *settings* for as long as the block lasts."""
    clock = AdjustableClock()
    async with open_system(settings, clock) as system:
        yield Stage(system, clock)


async def eventually(
    fact: Callable[[], Awaitable[Any]], wanted: Any = True, *, patience_s: float = PATIENCE_S
) -> None:
    """Return as soon as *fact* gives *wanted*; fail when it does not in time."""
    deadline = asyncio.get_running_loop().time() + patience_s
    while (found := await fact()) != wanted:
        assert asyncio.get_running_loop().time() < deadline, f"{found!r} is not {wanted!r}"
        await asyncio.sleep(0.005)


async def garble(system: System, stream: UUID, version: int, tag: str, state: bytes) -> None:
    """Record bytes that no version of ours can read as an event of *stream*."""
    append = Append(rows=[], expects={}, keys={})
    row = encode(WebhookDeleted(), envelope(stream, version), ACME, NOWHERE, None)
    row.tag, row.state = tag, state
    append.rows.append(row)
    await system.log.append(append)


def retitled() -> TaskRetitled:
    """Return an event that can happen to a task again and again."""
    return TaskRetitled(from_="a", to="b")


def seqs(requests: Sequence[Received]) -> list[int]:
    """Return the sequences of *requests* in the order in which they came."""
    return [json.loads(each.body)["seq"] for each in requests]
