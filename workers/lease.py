"""Who sends for an endpoint: one worker at a time, by a lease in MongoDB.

The lease keeps two workers from sending at once; that no write of a worker that has lost it takes
effect is for its fence to see to: a number that grows with each change of hands and stands in the
filter of every write.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct, field
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from projections.delivery import ENDPOINTS, Database, Document
from runtime.clock import Clock
from workers.schedule import Health
from workers.webhooks import Known

LEASE_S = 5.0
"""How long an endpoint stands still after its worker was killed, at most."""

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Lease(Struct):
    """Whose an endpoint is, until when."""

    owner: str
    until: datetime
    fence: int


class ReplayProgress(Struct):
    """How far the newest replay has come; ``version`` is that of its request."""

    version: int = 0
    next: int = 0


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


class Leases:
    """The endpoints that one worker, *owner*, holds."""

    def __init__(self, database: Database, owner: str, clock: Clock, lease_s: float) -> None:
        self._endpoints = database[ENDPOINTS]
        self._clock = clock
        self._exist: set[str] = set()
        self.owner = owner
        self.lease_s = lease_s

    async def acquire(self, wanted: Iterable[Known]) -> list[Endpoint]:
        """Return those of *wanted* that were free and are ours now."""
        by_id = {str(known.id): known for known in wanted}
        won = [await self._found(by_id[name]) for name in by_id.keys() - self._exist]
        free = self._endpoints.find({"lease.until": {"$lt": self._clock()}}, {"_id": 1})
        won += [await self._take(each["_id"]) async for each in free if each["_id"] in by_id]
        return [msgspec.convert(each, Endpoint) for each in won if each]

    async def _found(self, known: Known) -> Document | None:
        """Create the endpoint of a webhook seen for the first time, held by us."""
        self._exist.add(str(known.id))
        lease = {"owner": self.owner, "until": self._until(), "fence": 1}
        start = {"org": str(known.org_id), "fan": known.webhook.from_seq, "last": 0}
        created: Document = {"_id": str(known.id), **start, "lease": lease}
        try:
            await self._endpoints.insert_one(created)
        except DuplicateKeyError:
            return None
        return created

    async def _take(self, name: str) -> Document | None:
        taken: Document | None = await self._endpoints.find_one_and_update(
            {"_id": name, "lease.until": {"$lt": self._clock()}},
            {
                "$set": {"lease.owner": self.owner, "lease.until": self._until()},
                "$inc": {"lease.fence": 1},
            },
            return_document=ReturnDocument.AFTER,
        )
        return taken

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
