"""HTTP routes of the audit log: list events, export them."""

import logging
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.params import FromQuery, Parameter, QueryParameter
from litestar.response import Stream
from msgspec import Struct
from msgspec.structs import replace

from api.audit_export import (
    EXPORT_TYPES,
    as_attachment,
    nothing_exported,
    recorded_export,
    selected_events,
)
from api.http.paging import LIMIT_DEFAULT, Paging
from api.http.parameters import (
    Cursor,
    FirstSequence,
    LastSequence,
    Limit,
    Page,
    shows,
    shows_file,
)
from api.http.policy import needs
from api.http.problem import FieldError, invalid
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from audit.category import Category
from audit.trail import TrailFilter, entry_json, read_trail
from commands.access import RecordAuditRead
from domain.catalog import events_covered_by
from domain.identity.organization.state import Organization
from domain.identity.plan import PlanLimitReached, audit_since, audit_window_reached
from domain.permission import Permission
from eventstore.append import LogUnavailable
from eventstore.log_reads import SEQUENCE_MAX
from eventstore.mode import LogClosed
from projections.engine.query import list_slice
from security.addresses import canonical

_logger = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode


class StreamPlace(Struct, frozen=True):
    """Where an event stands in its stream: kind and id of the stream, and the version."""

    type: str
    id: UUID
    version: int


class ActorView(Struct, frozen=True):
    """Who caused an event."""

    type: str
    id: UUID


class EventView(Struct, frozen=True, rename="camel"):
    """One event of the log, the same in the audit log, webhooks and dry runs."""

    id: UUID
    type: str
    version: int
    seq: int
    organization_id: UUID
    stream: StreamPlace
    actor: ActorView | None
    at: datetime
    command: str | None
    request_id: str | None
    correlation_id: str | None
    causation_id: UUID | None
    data: dict[str, Any]
    on_behalf_of: UUID | None = None
    copy_of: UUID | None = None
    ip: str | None = None
    user_agent: str | None = None
    unreadable: bool = False


_ADDRESS = {"anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}
Ip = FromQuery[
    Annotated[
        str | None,
        Parameter(max_length=45, description="Filter by IP address", schema_extra=_ADDRESS),
    ]
]
EventType = FromQuery[
    Annotated[
        str | None,
        QueryParameter(
            name="type", max_length=200, description="Filter by type: a name, or task.* for a group"
        ),
    ]
]
FilteredCategory = FromQuery[
    Annotated[Category | None, QueryParameter(name="category", description="Filter by category")]
]
RequestId = FromQuery[
    Annotated[
        str | None,
        QueryParameter(name="requestId", max_length=200, description="Filter by request id"),
    ]
]
StreamId = FromQuery[Annotated[UUID | None, Parameter(description="Filter by stream")]]
ActorId = FromQuery[
    Annotated[UUID | None, Parameter(description="Filter by actor, or by whose API key it is")]
]
Since = FromQuery[
    Annotated[datetime | None, Parameter(description="At or after this RFC 3339 time")]
]
Until = FromQuery[Annotated[datetime | None, Parameter(description="Before this RFC 3339 time")]]


class AuditController(Controller):
    """The immutable log of an organization."""

    path = "/api/audit"
    tags = ("Audit",)

    @get(
        "/",
        opt=needs(Permission.AUDIT_READ, fails=(PlanLimitReached,)),
        responses=shows(Page[EventView]),
    )
    async def list_audit_events(  # noqa: PLR0913, PLR0917 - one parameter per filter
        self,
        request: ApiRequest,
        event_type: EventType = None,
        category: FilteredCategory = None,
        stream: StreamId = None,
        actor: ActorId = None,
        request_id: RequestId = None,
        ip: Ip = None,
        since: Since = None,
        until: Until = None,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List who did what, newest first, as far back as the plan of the organization reaches."""
        if event_type is not None and not events_covered_by(event_type):
            raise invalid(FieldError("type", "Expected the name of an event, or a group: task.*"))
        wanted = TrailFilter(
            type=event_type,
            category=category,
            stream=stream,
            actor=actor,
            request_id=request_id,
            ip=_canonical(ip),
            since=since,
            until=until,
        )
        filters = {name: getattr(wanted, name) for name in wanted.__struct_fields__}
        paging = Paging(request, **filters)
        before = paging.key(cursor) or SEQUENCE_MAX
        within = await _within_window(request, wanted)
        log = request.api.system.log
        page = await read_trail(log, request.organization, within, limit, before)
        items = [_encode(entry_json(opened)) for opened in page.entries]
        await note_read(request)
        return paging.answer(list_slice(items, page.next_before), limit)

    @get(
        "/export",
        opt=needs(
            Permission.AUDIT_READ,
            sends=("Content-Disposition",),
            fails=((409, "export_in_progress"),),
        ),
        responses=shows_file("The events", *dict.fromkeys(EXPORT_TYPES.values())),
    )
    async def export_audit_log(
        self,
        request: ApiRequest,
        export_format: FromQuery[
            Annotated[
                Literal["jsonl", "csv", "ocsf"],
                QueryParameter(
                    name="format",
                    description="jsonl can be verified; csv is for reading, ocsf for other tools",
                ),
            ]
        ] = "jsonl",
        first: FirstSequence = None,
        last: LastSequence = None,
    ) -> Stream:
        """Export events as a file that can be verified, as a table, or as OCSF. It is recorded.

        A HEAD tells what the file would be, and is recorded as nothing.
        """
        system, org_id = request.api.system, request.organization
        selection = await selected_events(system, org_id, first, last)
        content: AsyncIterator[bytes] = nothing_exported()
        if not request.client_info.head_only:
            content = await recorded_export(request, selection, export_format)
        return Stream(
            content,
            media_type=EXPORT_TYPES[export_format],
            headers={"content-disposition": as_attachment(selection, export_format)},
        )


async def _within_window(request: ApiRequest, wanted: TrailFilter) -> TrailFilter:
    """Return *wanted* from where on the plan of the organization lets it read.

    :raises PlanLimitReached: it asks for a time before that.
    """
    plan = (await request.newest(Organization, request.organization)).state.plan
    earliest = audit_since(plan, request.api.system.clock())
    if earliest is None:
        return wanted
    for asked in (wanted.since, wanted.until):
        if asked is not None and asked < earliest:
            raise audit_window_reached(plan, request.api.system.clock() - asked)
    return replace(wanted, since=wanted.since or earliest)


def _canonical(ip: str | None) -> str | None:
    """Return *ip* in the form in which addresses are recorded.

    :raises Problem: it is not an IP address.
    """
    if ip is None:
        return None
    address = canonical(ip)
    if address is None or "%" in ip:  # a zone means something on one machine only
        raise invalid(FieldError("ip", "Expected an IP address"))
    return str(address)


async def note_read(request: ApiRequest) -> None:
    """Record that the caller reads the log, once in an hour, unless nothing can be recorded."""
    if request.client_info.head_only:
        return
    context = request.context(request.caller)
    try:
        await request.api.system.commands.handle(RecordAuditRead(), context)
    except (LogUnavailable, LogClosed) as error:
        _logger.warning("a read of the audit log was not recorded: %s", error)
