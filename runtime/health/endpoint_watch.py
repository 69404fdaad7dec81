"""Watches every webhook endpoint for a stall: events wait, nothing fails, and nothing is sent."""

import time
from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

import msgspec

from domain.base import NotFound, OrgId
from domain.hooks.webhook.state import Webhook
from eventstore.operations.records import Endpoint
from projections.base import Document
from projections.engine.store import ShapedCollection
from projections.hooks.webhook import Webhooks
from runtime.health.watchdog import STALLED_S, Watchdog
from runtime.system import System

PAGE = 200
"""Endpoints checked at a time; the others follow in the next rounds."""

STALLED_SHOWN_MAX = 5
"""How many stalled endpoints are named in a message."""


class _Watched(NamedTuple):
    dog: Watchdog
    writes: int


class EndpointWatch:
    """A watchdog for each endpoint that events wait for.

    An endpoint whose receiver fails has a reason to stand still, and so has one that is paused.
    Webhooks that no worker has ever served have no endpoint yet: the read models name them.
    """

    def __init__(
        self,
        system: System,
        *,
        stalled_s: float = STALLED_S,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._system, self._stalled_s, self._now = system, stalled_s, now
        self._webhooks = Webhooks()
        self._watched: dict[str, _Watched] = {}
        self._after = self._after_webhook = ""
        self._seen: set[str] = set()
        self._served: frozenset[str] = frozenset()

    async def look(self) -> None:
        """Look at the next endpoints and the next webhooks, in turn.

        :raises LogUnavailable: the log or the operational state does not answer.
        :raises ReadStoreUnavailable: the read models do not answer; the endpoints are looked at.
        """
        for endpoint in await self._next_endpoints():
            await self._look_at(endpoint)
        for document in await self._next_webhooks():
            await self._look_at_webhook(document)

    async def _next_endpoints(self) -> list[Endpoint]:
        found = await self._system.operations.endpoints(self._after, PAGE)
        self._seen.update(endpoint.id for endpoint in found)
        self._after = found[-1].id if len(found) == PAGE else ""
        if not self._after:
            self._served, self._seen = frozenset(self._seen), set()
        return found

    async def _next_webhooks(self) -> list[Document]:
        store, shape = self._system.read_store, self._webhooks.shape
        control = await store.control()
        live = None if control is None else control.live(self._webhooks.name)
        if live is None or live.layout != shape.layout:
            return []
        target = ShapedCollection(live.name, shape)
        [found] = await store.scan([target], self._after_webhook, PAGE)
        self._after_webhook = found[-1].id if len(found) == PAGE else ""
        return found

    async def _look_at_webhook(self, found: Document) -> None:
        """Look at a webhook of the read model, unless some worker serves its endpoint."""
        name = found.id.partition(":")[2]
        if name in self._served or await self._system.operations.endpoint(name) is not None:
            return
        if found.deleted or found.fields["paused"] is not None:
            self._watched.pop(name, None)
            return
        webhook = self._webhooks.state_of(found)
        await self._look_at(Endpoint(id=name, org=found.org, fan=webhook.from_seq))

    @property
    def stalled(self) -> dict[str, int]:
        """How many events wait for each endpoint that has not moved for too long."""
        dogs = {name: watched.dog for name, watched in self._watched.items()}
        return {name: dog.behind for name, dog in dogs.items() if dog.stalled}

    def state(self) -> str:
        """Return a message that names the stalled endpoints; empty if there is none."""
        named = [f"{name} ({behind} behind)" for name, behind in self.stalled.items()]
        more = ["…"] if len(named) > STALLED_SHOWN_MAX else []
        return f"stalled: {', '.join(named[:STALLED_SHOWN_MAX] + more)}" if named else ""

    async def _look_at(self, endpoint: Endpoint) -> None:
        head = await self._system.log.organization_head(OrgId(UUID(endpoint.org)))
        if head <= endpoint.fan or endpoint.fails:
            self._watched.pop(endpoint.id, None)
            return
        known = self._watched.get(endpoint.id)
        if known is None or known.writes != endpoint.writes:
            known = _Watched(self._new_dog(endpoint), endpoint.writes)
            self._watched[endpoint.id] = known
        elif known.dog.standing_s > self._stalled_s and not await self._is_active(endpoint):
            del self._watched[endpoint.id]
            return
        known.dog.observe(endpoint.fan, head)

    def _new_dog(self, endpoint: Endpoint) -> Watchdog:
        return Watchdog(f"webhook {endpoint.id}", stalled_s=self._stalled_s, now=self._now)

    async def _is_active(self, endpoint: Endpoint) -> bool:
        states, org_id = self._system.commands.states, OrgId(UUID(endpoint.org))
        try:
            webhook = await states.fresh(Webhook, UUID(endpoint.id), org_id)
        except (NotFound, msgspec.MsgspecError, KeyError):  # what cannot be read is parked
            return False
        return webhook.paused is None and not webhook.deleted
