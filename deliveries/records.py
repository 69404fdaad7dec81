"""Deliveries: what became of each event at each webhook, and how every attempt went.

Not a read model: nothing here can be folded from the log, yet all of it may be lost. Which event
is due follows from the log and a cursor that is written in the same transaction as the deliveries
it passed, and a delivery that is sent once more keeps its id.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec
from msgspec import Struct, field
from pymongo import IndexModel

from eventstore.identifiers import new_id
from projections.engine.checkpoints import Database, Document

ENDPOINTS, DELIVERIES, ATTEMPTS = "endpoints", "deliveries", "attempts"

PING = "webhook.ping"
"""Type of a test event. It stands in no log, so it has no sequence and is never sent again."""

PAGE_WINDOW = 4
"""A page of n is looked for among this many times n sequences at first. Bounded ranges of an
index are quick on every server; a limit alone is not (the embedded one sorts all there is)."""


class DeliveryStatus(StrEnum):
    """What has become of a delivery; the values are stored, so they never change."""

    PENDING = "PENDING"  # no attempt yet
    RETRYING = "RETRYING"  # failed, and will be tried again
    SUCCESS = "SUCCESS"  # answered with 2xx
    FAILED = "FAILED"  # failed for the last time


class Delivery(Struct, kw_only=True):
    """One event for one webhook.

    ``prev`` is the sequence of the event before it that the webhook asked for. ``tries`` counts
    on the retry schedule and begins anew when it is sent again; ``attempts`` counts all there were.
    """

    id: str = field(name="_id")
    endpoint: str
    org: str
    seq: int
    prev: int
    event_id: str
    type: str
    stream: str
    created_at: datetime
    next_at: datetime
    status: DeliveryStatus = DeliveryStatus.PENDING
    open: bool = True
    tries: int = 0
    attempts: int = 0
    ended_at: datetime | None = None
    last_status: int | None = None
    last_error: str | None = None


class Attempt(Struct, kw_only=True, frozen=True):
    """One POST and what came back: an answer's status, or why there was none.

    ``excerpt`` is the beginning of the answer as text; it comes from outside, so escape it.
    """

    id: str = field(name="_id")
    delivery: str
    endpoint: str
    seq: int
    n: int
    at: datetime
    ms: int
    worker: str
    status: int | None = None
    error: str | None = None
    kind: str | None = None
    ip: str | None = None
    excerpt: str = ""
    request_headers: dict[str, str] = {}
    response_headers: dict[str, str] = {}


def document(of: Struct) -> Document:
    """Return *of* as MongoDB stores it."""
    made: Document = msgspec.to_builtins(of, builtin_types=(datetime,))
    return made


def delivery_id(endpoint: str, seq: int) -> str:
    """Return the id of the delivery of an event, the same however often it is made."""
    return f"{endpoint}:{seq}"


async def create_delivery_indexes(database: Database) -> None:
    """Create what the queries below and the workers' sweeps need."""
    await database[ENDPOINTS].create_indexes([IndexModel("lease.until"), IndexModel("nudged")])
    await database[DELIVERIES].create_indexes(
        [
            IndexModel([("endpoint", 1), ("seq", 1)]),
            IndexModel([("endpoint", 1), ("open", 1)]),
            IndexModel([("open", 1), ("ended_at", 1)]),
        ]
    )
    await database[ATTEMPTS].create_indexes([IndexModel("delivery"), IndexModel("at")])


async def deliveries_of(
    database: Database,
    endpoint: UUID,
    *,
    before: int | None,
    limit: int,
    status: DeliveryStatus | None = None,
) -> list[Delivery]:
    """Return at most *limit* deliveries with a sequence below *before*, the newest first."""
    high = before if before is not None else await _last_seq(database, endpoint) + 1
    wanted: Document = {"endpoint": str(endpoint)}
    if status is not None:
        wanted["status"] = status.value
    found: list[Delivery] = []
    width = PAGE_WINDOW * limit
    while high > 1 and len(found) < limit:
        low = max(high - width, 1)
        window = {**wanted, "seq": {"$gte": low, "$lt": high}}
        missing = limit - len(found)
        cursor = database[DELIVERIES].find(window).sort("seq", -1).limit(missing)
        found += [msgspec.convert(each, Delivery) async for each in cursor]
        high, width = low, width * 2
    return found


async def _last_seq(database: Database, endpoint: UUID) -> int:
    known = await database[ENDPOINTS].find_one({"_id": str(endpoint)}, {"last": 1})
    return known["last"] if known else 0


async def find_delivery(database: Database, endpoint: UUID, wanted: str) -> Delivery | None:
    """Return the delivery *wanted* of a webhook, None if it has none of that id."""
    found = await database[DELIVERIES].find_one({"_id": wanted, "endpoint": str(endpoint)})
    return msgspec.convert(found, Delivery) if found else None


async def attempts_at(database: Database, delivery: str) -> list[Attempt]:
    """Return the attempts of a delivery, the first one first."""
    found = [each async for each in database[ATTEMPTS].find({"delivery": delivery})]
    attempts = [msgspec.convert(each, Attempt) for each in found]
    return sorted(attempts, key=lambda attempt: (attempt.n, attempt.at))


async def put_back(database: Database, endpoint: UUID, wanted: str, now: datetime) -> bool:
    """Have a delivery that has ended sent again under its id; say whether there was one.

    Wake the workers afterwards, or they find it within their sweep.
    """
    due = {"status": DeliveryStatus.PENDING.value, "open": True, "next_at": now, "tries": 0}
    ended = {"_id": wanted, "endpoint": str(endpoint), "open": False}
    changed = await database[DELIVERIES].update_one(ended, {"$set": {**due, "ended_at": None}})
    if changed.modified_count:
        await _nudge(database, str(endpoint))
    return bool(changed.modified_count)


async def add_ping(database: Database, endpoint: UUID, org_id: UUID, now: datetime) -> Delivery:
    """Have a test event sent once, paused or not; wake the workers afterwards."""
    event_id = str(new_id())
    ping = Delivery(
        id=f"{endpoint}:ping-{event_id}",
        endpoint=str(endpoint),
        org=str(org_id),
        seq=0,
        prev=0,
        event_id=event_id,
        type=PING,
        stream=str(endpoint),
        created_at=now,
        next_at=now,
    )
    await database[DELIVERIES].insert_one(document(ping))
    await _nudge(database, str(endpoint))
    return ping


async def _nudge(database: Database, endpoint: str) -> None:
    await database[ENDPOINTS].update_one({"_id": endpoint}, {"$set": {"nudged": True}})


async def prune(database: Database, before: datetime) -> int:
    """Remove attempts made and deliveries ended before then; return how many attempts."""
    removed = await database[ATTEMPTS].delete_many({"at": {"$lt": before}})
    await database[DELIVERIES].delete_many({"open": False, "ended_at": {"$lt": before}})
    return removed.deleted_count


async def open_deliveries(database: Database, endpoint: str) -> Sequence[Delivery]:
    """Return what is still to be sent to a webhook."""
    found = database[DELIVERIES].find({"endpoint": endpoint, "open": True})
    return [msgspec.convert(each, Delivery) async for each in found]
