"""Whether an endpoint's cursor still fits the log, and where to move it if not.

A cursor names the event at its sequence number. If the log has a different event there, or none,
the log was restored from a backup, or the operational file belongs to another log. The cursor then
moves back to the last event that both have, and the events after it are sent again.
"""

from datetime import datetime
from typing import Any

from msgspec import Struct

from deliveries.subscriptions import KnownWebhook
from eventstore.log import EventLog
from eventstore.operations.records import Delivery, Endpoint, Notice, NoticeKind
from eventstore.operations.store import Changes, OperationalStore
from eventstore.recorded import mark_of

_PAGE = 200


class Common(Struct, frozen=True):
    """The last event that a cursor's history and the log share."""

    seq: int
    event: str


class Repair(Struct, frozen=True):
    """What must be written about an endpoint before sending starts.

    With ``forget_after``, deliveries with later sequence numbers are removed first, because the log
    no longer has their events. Until ``changes`` are written, the same repair is found again.
    """

    changes: Changes
    forget_after: int | None = None


class CursorCheck:
    """Compares the cursor of one endpoint with the log."""

    def __init__(self, log: EventLog, store: OperationalStore, endpoint: Endpoint) -> None:
        self._log, self._store, self._endpoint = log, store, endpoint

    async def fits(self, known: KnownWebhook) -> bool:
        """Return whether the log has the event at the cursor."""
        at = self._endpoint
        return not at.fan_event or await self._mark_at(known, at.fan) == at.fan_event

    async def repair(self, known: KnownWebhook, now: datetime) -> Repair:
        """Return what must be written before sending starts; the cursor itself has been moved."""
        at, log = self._endpoint, await self._log_name()
        if not await self.fits(known):
            return await self._set_back(known, log, now)
        fields: dict[str, Any] = {}
        if not at.fan_event:
            fields["fan_event"] = await self._mark_at(known, at.fan)
        if at.log != log:
            fields["log"] = log
        for name, value in fields.items():
            setattr(at, name, value)
        return Repair(Changes(fields=fields))

    async def _set_back(self, known: KnownWebhook, log: str, now: datetime) -> Repair:
        at = self._endpoint
        common = await self._common(known)
        notice = Notice(
            id=f"{at.id}:{log}:{common.seq}-{at.fan}",
            endpoint=at.id,
            org=at.org,
            kind=NoticeKind.SENT_AGAIN,
            at=now,
            first=common.seq + 1,
            last=at.fan,
            detail="the log was restored or replaced; events of this range are sent again",
        )
        fields = {
            "log": log,
            "fan": common.seq,
            "fan_event": common.event,
            "last": await self._last_up_to(common.seq),
            # Versions of the webhook repeat as well, and with them requests for replays.
            "replay_version": min(at.replay_version, known.version),
            "replay_next": 0,
        }
        for name, value in fields.items():
            setattr(at, name, value)
        return Repair(Changes(fields=fields, notices=[notice]), forget_after=common.seq)

    async def _common(self, known: KnownWebhook) -> Common:
        """Return the newest delivery whose event is in the log, or where the webhook started."""
        before: int | None = None
        while page := await self._store.deliveries(self._endpoint.id, before=before, limit=_PAGE):
            # Once the two histories differ they differ for good, so one lookup decides a page.
            readable = [each for each in page if each.event_id]
            if readable and await self._is_common(known, readable[-1]):
                newest = await self._newest_common(known, readable)
                return Common(newest.seq, newest.event_id)
            before = page[-1].seq
        start = min(known.webhook.from_seq, self._endpoint.fan)
        return Common(start, await self._mark_at(known, start))

    async def _newest_common(self, known: KnownWebhook, page: list[Delivery]) -> Delivery:
        low, high = 0, len(page) - 1  # page[high] is common
        while low < high:
            middle = (low + high) // 2
            if await self._is_common(known, page[middle]):
                high = middle
            else:
                low = middle + 1
        return page[high]

    async def _is_common(self, known: KnownWebhook, delivery: Delivery) -> bool:
        return await self._mark_at(known, delivery.seq) == delivery.event_id

    async def _last_up_to(self, seq: int) -> int:
        found = await self._store.deliveries(self._endpoint.id, before=seq + 1, limit=1)
        return found[0].seq if found else 0

    async def _mark_at(self, known: KnownWebhook, seq: int) -> str:
        """Return the mark of the event at a sequence; "" if there is none."""
        if seq < 1:
            return ""
        rows = await self._log.organization(known.org_id, seq - 1, 1)
        return mark_of(rows[0]) if rows and rows[0].org_seq == seq else ""

    async def _log_name(self) -> str:
        identity = await self._log.identity()
        return f"{identity.id}:{identity.epoch}"
