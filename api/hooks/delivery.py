"""HTTP routes of deliveries: list them with their attempts, redeliver, send a test event."""

from collections.abc import Coroutine
from contextlib import closing
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.params import FromPath, FromQuery, Parameter
from msgspec import Struct

from api.hooks.sight import hidden_deliveries
from api.http.paging import LIMIT_DEFAULT, Paging
from api.http.parameters import Cursor, Limit, Page, shows
from api.http.policy import needs
from api.http.problem import Problem, not_found
from api.http.request import ApiRequest
from api.http.response import ApiResponse, json_response
from deliveries.ping import new_ping
from domain.hooks.webhook.state import Webhook
from domain.permission import Permission
from eventstore.operations.records import Attempt, Delivery, DeliveryStatus, Notice, NoticeKind
from eventstore.operations.store import AttemptKey
from projections.engine.query import list_slice
from runtime.system import System

T = TypeVar("T")

_ATTEMPTS_MAX = 200
"""Attempts shown with a delivery: ten scheduled ones, and some requested by users. The others are
in pages of their own."""

DeliveryId = FromPath[Annotated[str, Parameter(max_length=100)]]


class DeliveryView(Struct, frozen=True, kw_only=True, rename="camel"):
    """The delivery of one event to one webhook; ``nextAt`` is the time of the next attempt."""

    id: str
    event_id: str
    type: str
    seq: int
    prev_seq: int
    status: DeliveryStatus
    attempt_count: int
    created_at: datetime
    next_at: datetime | None
    ended_at: datetime | None
    last_status: int | None
    last_error: str | None


class AttemptView(Struct, frozen=True, kw_only=True, rename="camel"):
    """One attempt. ``excerpt`` is up to 4 KiB of the receiver's response: escape it."""

    n: int
    at: datetime
    duration_ms: int
    status: int | None
    error: str | None
    ip: str | None
    excerpt: str
    request_headers: dict[str, str]
    response_headers: dict[str, str]


class DeliveryWithAttempts(DeliveryView, frozen=True, kw_only=True, rename="camel"):
    """A delivery with its last 200 attempts of the last 30 days, oldest first."""

    attempts: list[AttemptView]


class NoticeView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A message about a webhook's deliveries, from sequence number ``first`` to ``last``.

    SENT_AGAIN: the log was restored, and the events of this range are sent again. PARKED: an event
    of the webhook itself cannot be read, so nothing is sent to it.
    """

    kind: NoticeKind
    at: datetime
    first_seq: int
    last_seq: int
    detail: str


class DeliveryController(Controller):
    """The deliveries of a webhook."""

    path = "/api/webhook/{webhook_id:uuid}"
    tags = ("Webhooks",)

    @get("/deliveries", opt=needs(Permission.WEBHOOK_READ), responses=shows(Page[DeliveryView]))
    async def list_deliveries(
        self,
        request: ApiRequest,
        webhook_id: FromPath[UUID],
        status: FromQuery[
            Annotated[DeliveryStatus | None, Parameter(description="Filter by status")]
        ] = None,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List the deliveries of a webhook, sent and pending, without pings."""
        paging = Paging(request, status=status)
        before = paging.key(cursor)
        await _refuse_unless_here(request, webhook_id)
        found = await request.api.system.operations.deliveries(
            str(webhook_id), before=before, limit=limit + 1, status=status
        )
        shown = found[:limit]
        hidden = await hidden_deliveries(request, shown)
        items = [msgspec.json.encode(_view(each)) for each in shown if each.seq not in hidden]
        next_key = shown[-1].seq if len(found) > limit else None
        return paging.answer(list_slice(items, next_key), limit)

    @get("/notices", opt=needs(Permission.WEBHOOK_READ), responses=shows(Page[NoticeView]))
    async def list_notices(
        self, request: ApiRequest, webhook_id: FromPath[UUID], limit: Limit = LIMIT_DEFAULT
    ) -> ApiResponse:
        """List what happened to a webhook's deliveries as a whole, the newest first."""
        await _refuse_unless_here(request, webhook_id)
        found = await request.api.system.operations.notices(str(webhook_id), limit)
        return json_response(Page([_notice_view(each) for each in found], None))

    @get(
        "/deliveries/{delivery_id:str}",
        opt=needs(Permission.WEBHOOK_READ),
        responses=shows(DeliveryWithAttempts),
    )
    async def get_delivery(
        self, request: ApiRequest, webhook_id: FromPath[UUID], delivery_id: DeliveryId
    ) -> ApiResponse:
        """Return a delivery with its last 200 attempts."""
        await _refuse_unless_here(request, webhook_id)
        delivery = await _delivery(request, webhook_id, delivery_id)
        attempts = await request.api.system.operations.attempts(delivery.id, limit=_ATTEMPTS_MAX)
        seen = [_attempt_view(each) for each in reversed(attempts)]
        return json_response(DeliveryWithAttempts(**_members(delivery), attempts=seen))

    @get(
        "/deliveries/{delivery_id:str}/attempts",
        opt=needs(Permission.WEBHOOK_READ),
        responses=shows(Page[AttemptView]),
    )
    async def list_attempts(
        self,
        request: ApiRequest,
        webhook_id: FromPath[UUID],
        delivery_id: DeliveryId,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List the attempts of a delivery in the last 30 days, the newest first."""
        paging = Paging(request)
        after = paging.key(cursor)
        await _refuse_unless_here(request, webhook_id)
        delivery = await _delivery(request, webhook_id, delivery_id)
        found = await request.api.system.operations.attempts(
            delivery.id, before=None if after is None else _attempt_key(after), limit=limit + 1
        )
        shown = found[:limit]
        items = [msgspec.json.encode(_attempt_view(each)) for each in shown]
        last = f"{shown[-1].n} {shown[-1].id}" if len(found) > limit else None
        return paging.answer(list_slice(items, last), limit)

    @post(
        "/deliveries/{delivery_id:str}/redeliver",
        status_code=202,
        opt=needs(Permission.WEBHOOK_MANAGE, key=False, fails=((409, "delivery_not_ended"),)),
        responses=shows(DeliveryView, 202, "The delivery will be sent again under the same id"),
    )
    async def redeliver_event(
        self, request: ApiRequest, webhook_id: FromPath[UUID], delivery_id: DeliveryId
    ) -> ApiResponse:
        """Send a finished delivery once more."""
        await _refuse_unless_managed(request, webhook_id)
        system = request.api.system
        delivery = await _delivery(request, webhook_id, delivery_id)
        if request.is_dry_run():
            return json_response({"events": []})
        put_back = system.operations.put_back(str(webhook_id), delivery.id, system.clock())
        if not await _written_beside(system, put_back):
            raise Problem(
                409,
                "delivery_not_ended",
                "This delivery is still being attempted. Redeliver it after it has ended.",
            )
        await _ring(system, request.organization)
        return json_response(_view(await _delivery(request, webhook_id, delivery_id)), 202)

    @post(
        "/ping",
        status_code=202,
        opt=needs(Permission.WEBHOOK_MANAGE, key=False),
        responses=shows(DeliveryView, 202, "The test event will be sent; see its delivery"),
    )
    async def ping_webhook(self, request: ApiRequest, webhook_id: FromPath[UUID]) -> ApiResponse:
        """Send a test event once, even if the webhook is paused."""
        await _refuse_unless_managed(request, webhook_id)
        if request.is_dry_run():
            return json_response({"events": []})
        system = request.api.system
        made = new_ping(webhook_id, request.organization, system.clock())
        await _written_beside(system, system.operations.add(made))
        await _ring(system, request.organization)
        return json_response(_view(made), 202)


async def _written_beside(system: System, write: Coroutine[Any, Any, T]) -> T:
    """Return the result of a write next to the log, if that was not closed meanwhile.

    A copy of the database that began in between may lack it, so that the caller must try again.

    :raises LogClosed: the log is read-only or was moved.
    """
    with closing(write):
        await system.log.refuse_if_still()
        written = await write
        await system.log.refuse_if_still()
        return written


async def _ring(system: System, org_id: UUID) -> None:
    """Wake the workers of all processes for a row that is not in the log."""
    system.wakeups.committed(await system.log.last_position())
    system.doorbell.ring(org_id)


async def _refuse_unless_here(request: ApiRequest, webhook_id: UUID) -> None:
    states = request.api.system.commands.states
    webhook = await states.fresh(Webhook, webhook_id, request.organization)
    webhook.refuse_unless_here()


async def _refuse_unless_managed(request: ApiRequest, webhook_id: UUID) -> None:
    # No command is recorded here, so no append verifies the role.
    await request.own_organization()
    request.caller.refuse_unless_may(Permission.WEBHOOK_MANAGE)
    await _refuse_unless_here(request, webhook_id)


async def _delivery(request: ApiRequest, webhook_id: UUID, delivery_id: str) -> Delivery:
    found = await request.api.system.operations.delivery(str(webhook_id), delivery_id)
    if found is None or found.seq in await hidden_deliveries(request, [found]):
        raise not_found()
    return found


def _attempt_key(shown: str) -> AttemptKey:
    """Return the key in a cursor that ``list_attempts`` issued."""
    n, _, attempt_id = shown.partition(" ")
    return int(n), attempt_id


def _members(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "event_id": delivery.event_id,
        "type": delivery.type,
        "seq": delivery.seq,
        "prev_seq": delivery.prev,
        "status": delivery.status,
        "attempt_count": delivery.attempts,
        "created_at": delivery.created_at,
        "next_at": delivery.next_at if delivery.open else None,
        "ended_at": delivery.ended_at,
        "last_status": delivery.last_status,
        "last_error": delivery.last_error,
    }


def _view(delivery: Delivery) -> DeliveryView:
    return DeliveryView(**_members(delivery))


def _attempt_view(attempt: Attempt) -> AttemptView:
    same = ("n", "at", "status", "error", "ip", "excerpt", "request_headers", "response_headers")
    shown: dict[str, Any] = {name: getattr(attempt, name) for name in same}
    return AttemptView(duration_ms=attempt.ms, **shown)


def _notice_view(notice: Notice) -> NoticeView:
    return NoticeView(
        kind=notice.kind,
        at=notice.at,
        first_seq=notice.first,
        last_seq=notice.last,
        detail=notice.detail,
    )
