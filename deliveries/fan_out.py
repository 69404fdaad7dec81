"""Fan-out: which events of the log a webhook subscribes to, in order."""

from datetime import datetime
from typing import Any

from msgspec import Struct

from commands.states import States
from deliveries.event_projects import about_private_projects
from deliveries.subscriptions import KnownWebhook, RequestedReplay
from domain.audit import LogRestored
from domain.base import OrgId
from domain.catalog import PUBLIC_EVENT_TYPES, tag_of
from eventstore.log import EventLog
from eventstore.operations.records import Delivery, DeliveryStatus, Endpoint
from eventstore.operations.store import OperationalStore
from eventstore.recorded import Row, event_id, fills_read, mark_of

_ROWS = 64
"""Rows read at a time: few, so that sending starts at once and other endpoints get their turn."""

_LOG_RESTORED = tag_of(LogRestored)
_UNREADABLE_EVENT = "the event cannot be read"


class Matched(Struct):
    """The deliveries for some rows, what to remember about them, and whether there may be more."""

    deliveries: list[tuple[Delivery, Row]]
    fields: dict[str, Any]
    more: bool


class Matcher:
    """Reads the log for one endpoint, from its cursor."""

    def __init__(
        self, log: EventLog, states: States, store: OperationalStore, endpoint: Endpoint
    ) -> None:
        self._log, self._states, self._store, self._endpoint = log, states, store, endpoint

    async def fan_out(self, known: KnownWebhook, now: datetime) -> Matched:
        """Return the deliveries of the next rows after the cursor, and move it."""
        at = self._endpoint
        rows = await self._rows(known.org_id, at.fan)
        matched: list[tuple[Delivery, Row]] = []
        for row in await self._wanted(known, rows):
            matched.append((_delivery(at.id, row, at.last, now), row))
            at.last = row.org_seq
        if not rows:
            return Matched([], {}, more=False)
        at.fan, at.fan_event = rows[-1].org_seq, mark_of(rows[-1])
        fields = {"fan": at.fan, "fan_event": at.fan_event, "last": at.last}
        return Matched(matched, fields, fills_read(rows, _ROWS))

    def due_replay(self, known: KnownWebhook) -> RequestedReplay | None:
        """Return the oldest replay that is not finished."""
        return next((each for each in known.replays if self._is_due(each.version)), None)

    def _is_due(self, version: int) -> bool:
        at = self._endpoint
        return version > at.replay_version or (version == at.replay_version and at.replay_next > 0)

    async def replay(self, known: KnownWebhook, asked: RequestedReplay, now: datetime) -> Matched:
        """Return the next deliveries of a replay; earlier ones must have been written by now."""
        at = self._endpoint
        if at.replay_version != asked.version:
            at.replay_version, at.replay_next, at.replay_prev = asked.version, asked.first, None
        last = min(asked.last, at.fan)  # what comes later is sent anyway
        rows = [
            row for row in await self._rows(known.org_id, at.replay_next - 1) if row.org_seq <= last
        ]
        matched = await self._again(known, rows, now)
        done = not rows or rows[-1].org_seq == last
        at.replay_next = 0 if done else rows[-1].org_seq + 1
        if matched:
            at.replay_prev = matched[-1][0].seq
        names = ("replay_version", "replay_next", "replay_prev")
        return Matched(matched, {name: getattr(at, name) for name in names}, more=True)

    async def _again(
        self, known: KnownWebhook, rows: list[Row], now: datetime
    ) -> list[tuple[Delivery, Row]]:
        wanted = await self._wanted(known, rows)
        if not wanted:
            return []
        sent = await self._sent_before(wanted[0].org_seq, wanted[-1].org_seq)
        prev = self._endpoint.replay_prev
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

    async def _wanted(self, known: KnownWebhook, rows: list[Row]) -> list[Row]:
        """Return what the webhook receives: of private projects nothing, unless it says so."""
        wanted = [row for row in rows if _is_wanted(known, row)]
        if known.webhook.private_projects:
            return wanted
        hidden = await about_private_projects(self._log, self._states, wanted)
        return [row for row in wanted if row.org_seq not in hidden]

    async def _rows(self, org_id: OrgId, after: int) -> list[Row]:
        rows = await self._log.organization(org_id, after, _ROWS)
        # The sequence has no gaps; should there be one, nothing beyond it is sent.
        for expected, row in enumerate(rows, start=after + 1):
            if row.org_seq != expected:
                return rows[: expected - after - 1]
        return rows

    async def _sent_before(self, first: int, last: int) -> dict[int, Delivery]:
        found = await self._store.deliveries(
            self._endpoint.id, first=first, before=last + 1, limit=_ROWS
        )
        return {each.seq: each for each in found}

    async def _last_before(self, seq: int) -> int:
        found = await self._store.deliveries(self._endpoint.id, before=seq, limit=1)
        return found[0].seq if found else 0


def delivery_id(endpoint: str, seq: int) -> str:
    """Return the id of the delivery of an event, always the same for the same event."""
    return f"{endpoint}:{seq}"


def _is_wanted(known: KnownWebhook, row: Row) -> bool:
    if row.tag == _LOG_RESTORED:
        return True  # every receiver must learn that sequence numbers will repeat
    return row.tag in PUBLIC_EVENT_TYPES and known.webhook.is_subscribed_to(row.tag)


def _delivery(endpoint: str, row: Row, prev: int, now: datetime) -> Delivery:
    made = Delivery(
        id=delivery_id(endpoint, row.org_seq),
        endpoint=endpoint,
        org=str(row.org_id),
        seq=row.org_seq,
        prev=prev,
        event_id=str(event_id(row) or ""),
        type=row.tag,
        stream=str(row.stream_id),
        created_at=now,
        next_at=now,
    )
    if not made.event_id:  # nothing to send it under: the receiver sees the gap by prevSeq
        made.status, made.open, made.ended_at = DeliveryStatus.FAILED, False, now
        made.last_error = _UNREADABLE_EVENT
    return made
