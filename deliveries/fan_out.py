"""From the log to deliveries: which events a webhook asked for, in their order."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from deliveries.lease import Endpoint, ReplayProgress
from deliveries.records import DELIVERIES, Delivery, delivery_id
from deliveries.subscriptions import KnownWebhook, RequestedReplay
from domain.base import OrgId
from domain.catalog import PUBLIC_EVENT_TYPES
from eventstore.codec import event_id
from eventstore.log import EventLog
from eventstore.recorded import Row
from projections.engine.checkpoints import Database

_ROWS = 64
"""Read at a time: small, so that sending begins at once and other endpoints have their turn."""


class Matched(Struct):
    """The deliveries of some rows, what to remember of it, and whether there may be more."""

    deliveries: list[tuple[Delivery, Row]]
    fields: dict[str, Any]
    more: bool


class Matcher:
    """Reads on for one endpoint, from its cursor."""

    def __init__(self, log: EventLog, database: Database, endpoint: Endpoint) -> None:
        self._log, self._database, self._endpoint = log, database, endpoint

    async def fan_out(self, known: KnownWebhook, now: datetime) -> Matched:
        """Return the deliveries of the next rows after the cursor, and move it."""
        at = self._endpoint
        rows = await self._rows(known.org_id, at.fan)
        matched: list[tuple[Delivery, Row]] = []
        for row in rows:
            at.fan = row.org_seq
            if _is_wanted(known, row):
                matched.append((_delivery(at.id, row, at.last, now), row))
                at.last = row.org_seq
        fields = {"fan": at.fan, "last": at.last} if rows else {}
        return Matched(matched, fields, len(rows) == _ROWS)

    def due_replay(self, known: KnownWebhook) -> RequestedReplay | None:
        """Return the oldest replay that is not done yet."""
        progress = self._endpoint.replay
        return next((each for each in known.replays if _is_due(each.version, progress)), None)

    async def replay(self, known: KnownWebhook, asked: RequestedReplay, now: datetime) -> Matched:
        """Return the next deliveries of a replay; what was sent before must be written by now."""
        at = self._endpoint
        progress = at.replay
        if progress.version != asked.version:
            progress = ReplayProgress(asked.version, asked.first)
        last = min(asked.last, at.fan)  # what comes later is sent anyway
        rows = [
            row for row in await self._rows(known.org_id, progress.next - 1) if row.org_seq <= last
        ]
        matched = await self._again(known, rows, progress.prev, now)
        done = not rows or rows[-1].org_seq == last
        prev = matched[-1][0].seq if matched else progress.prev
        at.replay = ReplayProgress(asked.version, 0 if done else rows[-1].org_seq + 1, prev)
        return Matched(matched, {"replay": msgspec.to_builtins(at.replay)}, more=True)

    async def _again(
        self, known: KnownWebhook, rows: list[Row], prev: int | None, now: datetime
    ) -> list[tuple[Delivery, Row]]:
        wanted = [row for row in rows if _is_wanted(known, row)]
        if not wanted:
            return []
        sent = await self._sent_before(wanted[0].org_seq, wanted[-1].org_seq)
        if prev is None:
            prev = await self._last_before(wanted[0].org_seq)
        matched: list[tuple[Delivery, Row]] = []
        for row in wanted:
            delivery = _delivery(self._endpoint.id, row, prev, now)
            former = sent.get(row.org_seq)
            if former is not None:
                delivery.prev, delivery.attempts = former.prev, former.attempts
                delivery.created_at = former.created_at
            matched.append((delivery, row))
            prev = row.org_seq
        return matched

    async def _rows(self, org_id: OrgId, after: int) -> list[Row]:
        rows = await self._log.organization(org_id, after, _ROWS)
        # The sequence has no holes; should one be seen all the same, nothing beyond it is.
        for expected, row in enumerate(rows, start=after + 1):
            if row.org_seq != expected:
                return rows[: expected - after - 1]
        return rows

    async def _sent_before(self, first: int, last: int) -> dict[int, Delivery]:
        window = {"endpoint": self._endpoint.id, "seq": {"$gte": first, "$lte": last}}
        found = self._database[DELIVERIES].find(window)
        return {each["seq"]: msgspec.convert(each, Delivery) async for each in found}

    async def _last_before(self, seq: int) -> int:
        before = {"endpoint": self._endpoint.id, "seq": {"$gt": 0, "$lt": seq}}
        found = await self._database[DELIVERIES].find_one(before, {"seq": 1}, sort=[("seq", -1)])
        return int(found["seq"]) if found else 0


def _is_due(version: int, progress: ReplayProgress) -> bool:
    return version > progress.version or (version == progress.version and progress.next > 0)


def _is_wanted(known: KnownWebhook, row: Row) -> bool:
    return row.tag in PUBLIC_EVENT_TYPES and known.webhook.is_subscribed_to(row.tag)


def _delivery(endpoint: str, row: Row, prev: int, now: datetime) -> Delivery:
    return Delivery(
        id=delivery_id(endpoint, row.org_seq),
        endpoint=endpoint,
        org=str(row.org_id),
        seq=row.org_seq,
        prev=prev,
        event_id=str(event_id(row)),
        type=row.tag,
        stream=str(row.stream_id),
        created_at=now,
        next_at=now,
    )
