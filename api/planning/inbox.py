"""HTTP routes of the caller's inbox: what others did that concerns them, and what is due soon."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Controller, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody, Parameter
from msgspec import Meta, Struct

from api.http.paging import LIMIT_DEFAULT, Paging, wait_for_own_writes
from api.http.parameters import Cursor, Limit, nothing, shows
from api.http.policy import needs
from api.http.problem import FieldError, invalid
from api.http.request import ApiRequest
from api.http.response import ApiResponse, json_response
from api.http.run_command import Reply, run_command
from commands.base import NotForApiKeys
from commands.planning.inbox import ArchiveNotice, EventSeq, ReadInbox, SnoozeNotice, SwitchDigest
from commands.receipt import Receipt, Response
from domain.base import NotFound
from domain.permission import Permission
from domain.planning.inbox import (
    Inbox,
    NoticeId,
    SnoozeOutOfRange,
    TooManySnoozed,
    stream_of_inbox,
)
from projections.base import View
from projections.engine.query import list_slice
from runtime.own_inbox import InboxNotice, InboxReader, Owner, inbox_reader

UNREAD_MAX = 100
"""Up to how many unread notices are counted."""


class InboxPage(View, frozen=True, kw_only=True):
    """Notices: what is due soon, then what was snoozed until now, then the newest first.

    `unread` counts all that are unread, 100 if there are 100 or more; `readUpTo` is the number of
    the event up to which the caller has read. With `digest`, a mail tells them of what is unread
    once a day.
    """

    items: list[InboxNotice]
    next_cursor: str | None
    unread: int
    read_up_to: int
    digest: bool


class InboxSettings(View, frozen=True, kw_only=True):
    """Whether a mail tells the caller of what is unread once a day."""

    digest: bool


class InboxChange(Struct, frozen=True, forbid_unknown_fields=True):
    """Body that turns the daily mail on or off."""

    digest: bool


class ReadUpTo(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body that marks as read what happened up to an event, with everything before it."""

    up_to_seq: EventSeq


class Snooze(Struct, frozen=True, forbid_unknown_fields=True):
    """Body that puts a notice away until a time; null shows it again at once."""

    until: Annotated[datetime, Meta(tz=True)] | None


OnlyUnread = FromQuery[Annotated[bool, Parameter(description="true: only what is unread")]]
OnlySnoozed = FromQuery[
    Annotated[bool, Parameter(description="true: only what is snoozed until a time ahead")]
]
NoticeRef = FromPath[
    Annotated[
        str,
        Parameter(description="The `id` of a notice", max_length=90),
    ]
]


class InboxController(Controller):
    """The caller's inbox."""

    path = "/api/inbox"
    tags = ("Inbox",)

    @get("/", opt=needs(Permission.TASK_READ), responses=shows(InboxPage))
    async def show(
        self,
        request: ApiRequest,
        *,
        unread: OnlyUnread = False,
        snoozed: OnlySnoozed = False,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """Return what others did that concerns the caller, and what they have to finish soon.

        That they were assigned or mentioned, and comments on and changes of the 5,000 tasks changed
        last that they watch; each only as long as they see its task.
        """
        paging = Paging(request, bound=str(request.caller.user_id), unread=unread or None)
        below = paging.key(cursor)
        await wait_for_own_writes(request, "projects", "tasks", "activity")
        api, owner = request.api, Owner(request.organization, request.caller.user_id)
        reader = await inbox_reader(api.system, api.models, owner)
        first = [*await reader.due_soon(), *await reader.came_back()]
        if snoozed:
            notices, end = await reader.asleep(), None
        else:
            notices, end = await reader.page(limit, below, unread=unread)
            notices = notices if below else [*first, *notices]
        page = InboxPage(
            items=notices,
            next_cursor=paging.cursor(list_slice([], end)),
            unread=await _unread(reader, len(first)),
            read_up_to=reader.read_up_to,
            digest=reader.digest,
        )
        return json_response(page)

    @patch(
        "/",
        opt=needs(Permission.TASK_READ, fails=(NotForApiKeys,)),
        responses=shows(InboxSettings),
    )
    async def change(self, request: ApiRequest, data: JSONBody[InboxChange]) -> ApiResponse:
        """Turn the daily mail about what is unread on or off; it is off at first."""
        org_id = await request.own_organization()
        stream = stream_of_inbox(request.caller.user_id, org_id)

        def shown(receipt: Receipt) -> Response:  # also of an inbox in which nothing is recorded
            inbox: Inbox = receipt.states[stream].state
            return Response(200, 0, msgspec.json.encode(InboxSettings(digest=inbox.digest)))

        reply = Reply(stream=stream, whole=shown, tagged=False)
        return await run_command(request, SwitchDigest(on=data.digest), reply)

    @post(
        "/read",
        status_code=200,
        opt=needs(Permission.TASK_READ, fails=(NotForApiKeys,)),
        responses=nothing(),
    )
    async def read(self, request: ApiRequest, data: JSONBody[ReadUpTo]) -> ApiResponse:
        """Mark as read what happened up to an event, and everything before it."""
        org_id = await request.own_organization()
        if data.up_to_seq > await request.api.system.log.organization_head(org_id):
            raise invalid(FieldError("$.upToSeq", "There is no event with this number yet"))
        stream = stream_of_inbox(request.caller.user_id, org_id)
        return await run_command(
            request, ReadInbox(up_to_seq=data.up_to_seq), Reply(stream=stream, tagged=False)
        )

    @post(
        "/{notice:str}/archive",
        status_code=200,
        opt=needs(Permission.TASK_READ, fails=(NotForApiKeys,)),
        responses=nothing(),
    )
    async def archive(self, request: ApiRequest, notice: NoticeRef) -> ApiResponse:
        """Put a notice away: the inbox does not show it any more."""
        org_id = await request.own_organization()
        stream = stream_of_inbox(request.caller.user_id, org_id)
        command = ArchiveNotice(notice=_notice_id(notice))
        return await run_command(request, command, Reply(stream=stream, tagged=False))

    @post(
        "/{notice:str}/snooze",
        status_code=200,
        opt=needs(Permission.TASK_READ, fails=(NotForApiKeys, SnoozeOutOfRange, TooManySnoozed)),
        responses=nothing(),
    )
    async def snooze(
        self, request: ApiRequest, notice: NoticeRef, data: JSONBody[Snooze]
    ) -> ApiResponse:
        """Put a notice away until a time, after which it is shown first, or show it again."""
        org_id = await request.own_organization()
        stream = stream_of_inbox(request.caller.user_id, org_id)
        command = SnoozeNotice(notice=_notice_id(notice), until=data.until)
        return await run_command(request, command, Reply(stream=stream, tagged=False))


def _notice_id(given: str) -> str:
    """Return the id of a notice.

    :raises Problem: 404 if it cannot be one.
    """
    try:
        found: str = msgspec.convert(given, NoticeId)
    except msgspec.ValidationError:
        raise NotFound from None
    return found


async def _unread(reader: InboxReader, first: int) -> int:
    """Return how many notices are unread, at most ``UNREAD_MAX``."""
    found, _ = await reader.page(UNREAD_MAX, unread=True)
    return min(UNREAD_MAX, first + len(found))
