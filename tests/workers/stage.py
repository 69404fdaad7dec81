"""A house with real stores, one organization, and webhooks that really send."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from standardwebhooks import Webhook as Verifier

from commands.hooks.webhook import secret_name
from deliveries.records import (
    DELIVERIES,
    ENDPOINTS,
    Attempt,
    Delivery,
    attempts_at,
    deliveries_of,
    delivery_id,
)
from deliveries.retry import Schedule
from domain.hooks.webhook.events import DeliveryMode, PauseCause, WebhookCreated, WebhookEvent
from domain.hooks.webhook.state import Webhook
from domain.work.task.events import TaskRetitled
from eventstore.append import Secret
from runtime.settings import Settings
from runtime.system import System, open_system
from security.signing import new_secret
from tests.deliveries.receiver import Received
from tests.domain.spec import ACME
from tests.spec import on, record
from workers.deliveries import Deliveries

MS = timedelta(milliseconds=1)
QUICK = Schedule(pauses=(0 * MS,) + (20 * MS,) * 9, breaker_after=100)
"""The ten tries of production within a fifth of a second, and no breaker."""

PATIENCE_S = 10.0
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
    ) -> UUID:
        """Subscribe *url* and return the webhook's id."""
        webhook_id = uuid4()
        await self.new_secret(webhook_id, 1)
        created = WebhookCreated(url=url, events=tuple(events), mode=mode, from_seq=from_seq)
        await self.change(webhook_id, created)
        return webhook_id

    async def new_secret(self, webhook_id: UUID, version: int) -> str:
        """Keep a signing secret beside the log, as the API does."""
        secret = new_secret()
        sealed = self.system.keys.master.wrap(secret.encode(), webhook_id)
        await self.system.log.put_secret(Secret(webhook_id, secret_name(version), sealed))
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
        found = await deliveries_of(self.system.database, webhook_id, before=None, limit=10_000)
        return found[::-1]

    async def states(self, webhook_id: UUID) -> list[str]:
        """Return the states of its deliveries, in the order of events."""
        return [each.status.value for each in await self.deliveries(webhook_id)]

    async def attempts(self, webhook_id: UUID, seq: int) -> list[Attempt]:
        """Return how one delivery was tried."""
        return await attempts_at(self.system.database, delivery_id(str(webhook_id), seq))

    async def endpoint(self, webhook_id: UUID) -> dict[str, Any]:
        """Return the operational document of a webhook."""
        found = await self.system.database[ENDPOINTS].find_one({"_id": str(webhook_id)})
        return found or {}

    async def fails(self, webhook_id: UUID) -> int:
        """Return how many failures in a row are written down."""
        breaker: dict[str, Any] = (await self.endpoint(webhook_id)).get("breaker", {})
        return int(breaker.get("fails", 0))

    async def owner(self, webhook_id: UUID) -> str:
        """Return which worker sends for a webhook; nothing when none does."""
        lease: dict[str, Any] = (await self.endpoint(webhook_id)).get("lease", {})
        return str(lease.get("owner", ""))

    async def paused(self, webhook_id: UUID) -> PauseCause | None:
        """Return why a webhook is paused, as the log has it."""
        return (await self.system.commands.states.fresh(Webhook, webhook_id, ACME)).paused

    async def count(self, **wanted: Any) -> int:
        """Return how many deliveries are as *wanted*."""
        return await self.system.database[DELIVERIES].count_documents(wanted)

    def verified(self, webhook_id: UUID, received: Received, secret: int = -1) -> dict[str, Any]:
        """Return the body of a request after the official library has checked its signature."""
        verifier = Verifier(self.secrets[webhook_id][secret])
        body: dict[str, Any] = verifier.verify(received.body, dict(received.headers))
        assert body["id"] == received.headers["webhook-id"]
        return body


@asynccontextmanager
async def opened_stage(settings: Settings) -> AsyncGenerator[Stage]:
    """Open a house on *settings* for as long as the block lasts."""
    clock = AdjustableClock()
    async with open_system(settings, clock) as system:
        yield Stage(system, clock)


async def eventually(fact: Callable[[], Awaitable[Any]], wanted: Any = True) -> None:
    """Return as soon as *fact* gives *wanted*; fail when it does not in time."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while (found := await fact()) != wanted:
        assert asyncio.get_running_loop().time() < deadline, f"{found!r} is not {wanted!r}"
        await asyncio.sleep(0.005)


def retitled() -> TaskRetitled:
    """Return an event that can happen to a task again and again."""
    return TaskRetitled(from_="a", to="b")


def seqs(requests: Sequence[Received]) -> list[int]:
    """Return the sequences of *requests* in the order in which they came."""
    return [json.loads(each.body)["seq"] for each in requests]
