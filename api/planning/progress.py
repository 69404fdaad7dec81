"""How far a cycle or a milestone is, shown with it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct

from api.http.paging import one
from api.http.request import ApiRequest
from api.http.response import ApiResponse, id_in
from api.http.run_command import Reply
from commands.claims.planning import planned_open_tasks, planned_tasks
from commands.states import Loaded
from domain.base import OrgId, State
from projections.engine.query import ListSlice, list_slice

S = TypeVar("S", bound=State)
RenderPart = Callable[[UUID, Any, int, datetime], bytes]
"""Renders a part of a plan without its progress."""

_encode = msgspec.json.Encoder().encode


class PlanProgress(Struct, frozen=True):
    """How many tasks are in it, outside the trash, and how many of them are finished."""

    done: int
    all: int


NONE_YET = PlanProgress(0, 0)


async def progress_of(request: ApiRequest, parts: Sequence[UUID]) -> list[PlanProgress]:
    """Return how far cycles or milestones of the caller's organization are now."""
    # In memory, a session can still be without an organization: then it is read again.
    org_id: OrgId = request.caller.org_id or await request.own_organization()
    wanted = [
        count(org_id, each) for each in parts for count in (planned_tasks, planned_open_tasks)
    ]
    counted = await request.api.system.log.counted(*wanted) if wanted else []
    return [
        PlanProgress(every - unfinished, every)
        for every, unfinished in zip(counted[::2], counted[1::2], strict=True)
    ]


def with_progress(part: bytes, progress: PlanProgress) -> bytes:
    """Return the JSON of a part of a plan with its progress."""
    return b'%b,"progress":%b}' % (part[:-1], _encode(progress))


async def all_with_progress(request: ApiRequest, page: ListSlice) -> ListSlice:
    """Return a page of parts of a plan, each with its progress."""
    items = page.items
    found = await progress_of(request, [UUID(id_in(item)) for item in items])
    shown = [with_progress(item, each) for item, each in zip(items, found, strict=True)]
    return list_slice(shown, page.next_key)


async def one_with_progress(
    request: ApiRequest, part_id: UUID, found: Loaded[S], render: RenderPart
) -> ApiResponse:
    """Return the response with one part of a plan and its progress."""
    [progress] = await progress_of(request, [part_id])
    return one(request, found, _shown(render, part_id, progress), derived=True)


def reply_with_progress(
    part_id: UUID, render: RenderPart, progress: PlanProgress, location: str = ""
) -> Reply:
    """Return the reply to a command that leaves *progress* as it is.

    With *location* the part of the plan is new.
    """
    return Reply(
        stream=part_id,
        show=_shown(render, part_id, progress),
        status=201 if location else 200,
        location=location,
    )


def _shown(
    render: RenderPart, part_id: UUID, progress: PlanProgress
) -> Callable[[Any, int, datetime], bytes]:
    def show(state: Any, version: int, at: datetime) -> bytes:
        return with_progress(render(part_id, state, version, at), progress)

    return show
