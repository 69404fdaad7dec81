"""HTTP route of live events: a stream of what happens in the organization (Server-Sent Events)."""

from collections.abc import AsyncIterator
from typing import Annotated, cast
from uuid import UUID

from litestar import Controller, get
from litestar.params import FromQuery, Parameter
from litestar.response import Stream
from msgspec import Struct

from api.exchange.live.follower import Live
from api.exchange.live.reader import Reader, WantedEvents
from api.http.caller import Caller
from api.http.parameters import shows_events
from api.http.policy import needs
from api.http.problem import FieldError, Problem, invalid, malformed
from api.http.request import ApiRequest
from domain.catalog import events_covered_by
from domain.permission import Permission

LIVE = "live"
"""The name under which the application keeps its ``Live``."""
BEHIND_MAX = 10_000
"""How many events a client may be behind: beyond it, reading lists again costs less."""
_SEQ_DIGITS_MAX = 16
_TYPES_MAX = 50


class SentEvent(Struct, frozen=True):
    """One event: its sequence number, its name, and in ``data`` the event as JSON."""

    id: str
    event: str
    data: str


class EventController(Controller):
    """What happens in the organization, while it happens."""

    path = "/api/events"
    tags = ("Live",)

    @get(
        "/",
        opt=needs(
            Permission.ORG_READ,
            sends=("X-Accel-Buffering",),
            fails=((410, "events_too_old"), (429, "too_many_streams"), (503, "busy")),
        ),
        responses=shows_events(SentEvent),
    )
    async def stream_events(
        self,
        request: ApiRequest,
        types: FromQuery[
            Annotated[
                str | None,
                Parameter(
                    max_length=2_000,
                    description="Names of events, or patterns such as `task.*`, joined by commas",
                ),
            ]
        ] = None,
        *,
        follow: FromQuery[
            Annotated[bool, Parameter(description="false: end once everything recorded was sent")]
        ] = True,
    ) -> Stream:
        """Stream the events that the caller may see, with their sequence numbers as ids.

        Send the id of the last event that you got as Last-Event-ID to get all that followed it;
        without it, the stream begins with what happens next. It ends with `stream.ended`, which
        says why.
        """
        org_id, live = request.organization, cast(Live, request.app.state[LIVE])
        head = await request.api.system.log.organization_head(org_id)
        wanted = WantedEvents(_after(request, head), _patterns(types), follow)
        reader = _reader(request, wanted)
        if not live.has_room():
            raise Problem(503, "busy", "This process has as many streams as it can serve.")
        if not live.has_room_for(reader):
            detail = "You or your organization have too many open streams; close one."
            raise Problem(429, "too_many_streams", detail, headers={"retry-after": "5"})
        content = _nothing() if request.client_info.head_only else live.sent(reader)
        return Stream(content, media_type="text/event-stream", headers={"x-accel-buffering": "no"})


def _after(request: ApiRequest, head: int) -> int:
    """Return the sequence number after which the client wants events.

    :raises Problem: it is malformed, too old, or one that this log does not have.
    """
    given = request.client_info.headers.get(b"last-event-id")
    if given is None:
        return head
    if not given.isdigit() or len(given) > _SEQ_DIGITS_MAX:
        raise malformed("Send Last-Event-ID as the id of an event.")
    after = int(given)
    if after > head or after < head - BEHIND_MAX:
        detail = "Read your lists again, then ask without Last-Event-ID, or with `seq`."
        raise Problem(410, "events_too_old", detail, details={"seq": head})
    return after


def _patterns(types: str | None) -> tuple[str, ...]:
    """Return the patterns in *types*; none for all events.

    :raises Problem: one of them covers no event.
    """
    if types is None:
        return ()
    found = tuple(each.strip() for each in types.split(","))
    for each in found:
        if len(found) > _TYPES_MAX or not events_covered_by(each):
            raise invalid(FieldError("types", f"Expected names of events, at most {_TYPES_MAX}"))
    return found


def _reader(request: ApiRequest, wanted: WantedEvents) -> Reader:
    """Return the reader that a request asks for, who is identified again and again."""
    access, clock = request.api.access, request.api.system.clock
    key, ip = request.api_key, request.client_info.ip
    if key is not None:

        async def by_key(heads: dict[UUID, int]) -> Caller:
            return await access.check_key(key, ip, clock(), heads)

        return Reader(request.caller, request.organization, wanted, by_key)
    claims = request.claims

    async def by_session(heads: dict[UUID, int]) -> Caller:
        return await access.check(claims, clock(), heads)

    reader = Reader(request.caller, request.organization, wanted, by_session)
    reader.until = claims.exp
    return reader


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield
