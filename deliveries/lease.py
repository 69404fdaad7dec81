"""Who sends for an endpoint: one worker at a time, by a lease in MongoDB.

The lease keeps two workers from sending at once; that no write of a worker that has lost it takes
effect is for its fence to see to: a number that grows with each change of hands and stands in the
filter of every write.

A worker killed within a transaction leaves it open on the server, which would let nobody else
write for a minute (transactionLifetimeLimitSeconds). So the lease names the session in which its
owner writes, and whoever takes over ends that first.
"""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec
from bson import Binary
from msgspec import Struct, field
from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError, OperationFailure

from deliveries.records import ENDPOINTS
from deliveries.retry import Health
from deliveries.subscriptions import KnownWebhook
from projections.engine.checkpoints import Database, Document
from runtime.clock import Clock

LEASE_S = 5.0
"""How long an endpoint stands still after its worker was killed, at most."""

_logger = logging.getLogger(__name__)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Lease(Struct):
    """Whose an endpoint is, until when, and in which session of MongoDB they write."""

    owner: str
    until: datetime
    fence: int
    session: UUID | None = None


class ReplayProgress(Struct):
    """How far the newest replay has come; ``version`` is that of its request.

    ``next`` is the sequence to go on with, 0 when it is done; ``prev`` the last that matched.
    """

    version: int = 0
    next: int = 0
    prev: int | None = None


class Endpoint(Struct, kw_only=True):
    """The operational side of a webhook.

    ``fan`` is the sequence of the last event looked at, ``last`` of the last one that matched.
    """

    id: str = field(name="_id")
    org: str
    fan: int
    last: int = 0
    lease: Lease
    breaker: Health = field(default_factory=Health)
    replay: ReplayProgress = field(default_factory=ReplayProgress)


class HeldEndpoint(NamedTuple):
    """An endpoint that is ours, and the session in which everything about it is written."""

    endpoint: Endpoint
    session: AsyncClientSession


class Leases:
    """The endpoints that one worker, *owner*, holds."""

    def __init__(self, database: Database, owner: str, clock: Clock, lease_s: float) -> None:
        self._endpoints = database[ENDPOINTS]
        self._client = database.client
        self._clock = clock
        self._exist: set[str] = set()
        self.owner = owner
        self.lease_s = lease_s

    async def acquire(self, wanted: Iterable[KnownWebhook]) -> list[HeldEndpoint]:
        """Return those of *wanted* that were free and are ours now."""
        by_id = {str(known.id): known for known in wanted}
        won = [await self._found(by_id[name]) for name in by_id.keys() - self._exist]
        free = self._endpoints.find({"lease.until": {"$lt": self._clock()}}, {"lease": 1})
        won += [await self._take_over(each) async for each in free if each["_id"] in by_id]
        return [held for held in won if held is not None]

    async def _found(self, known: KnownWebhook) -> HeldEndpoint | None:
        """Create the endpoint of a webhook seen for the first time, held by us."""
        self._exist.add(str(known.id))
        session = self._client.start_session()
        lease = {"owner": self.owner, "fence": 1, **self._terms(session)}
        start = {"org": str(known.org_id), "fan": known.webhook.from_seq, "last": 0}
        created: Document = {"_id": str(known.id), **start, "lease": lease}
        try:
            await self._endpoints.insert_one(created)
        except DuplicateKeyError:
            await session.end_session()
            return None
        return HeldEndpoint(msgspec.convert(created, Endpoint), session)

    async def _take_over(self, free: Document) -> HeldEndpoint | None:
        if free["lease"]["owner"] and free["lease"].get("session"):
            await self._end(free["lease"]["session"])
        session = self._client.start_session()
        terms = {"owner": self.owner, **self._terms(session)}
        taken: Document | None = await self._endpoints.find_one_and_update(
            {"_id": free["_id"], "lease.until": {"$lt": self._clock()}},
            {
                "$set": {f"lease.{name}": term for name, term in terms.items()},
                "$inc": {"lease.fence": 1},
            },
            return_document=ReturnDocument.AFTER,
        )
        if taken is None:
            await session.end_session()
            return None
        return HeldEndpoint(msgspec.convert(taken, Endpoint), session)

    async def _end(self, session: UUID) -> None:
        try:
            await self._client.admin.command("killSessions", [{"id": Binary.from_uuid(session)}])
        except OperationFailure as error:
            _logger.warning("a session of a dead worker stays open: %s", error)

    def _terms(self, session: AsyncClientSession) -> Document:
        return {"until": self._until(), "session": UUID(bytes=session.session_id["id"])}

    async def renew(self) -> set[str]:
        """Keep what we hold for another while; return what that is."""
        ours = {"lease.owner": self.owner}
        await self._endpoints.update_many(ours, {"$set": {"lease.until": self._until()}})
        return {each["_id"] async for each in self._endpoints.find(ours, {"_id": 1})}

    async def release(self, name: str) -> None:
        """Let the next worker have an endpoint at once."""
        await self._endpoints.update_one(
            {"_id": name, "lease.owner": self.owner},
            {"$set": {"lease.owner": "", "lease.until": _LONG_AGO}},
        )

    def _until(self) -> datetime:
        return self._clock() + timedelta(seconds=self.lease_s)
