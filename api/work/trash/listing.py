"""The HTTP routes that list the trash, and purge what is in it."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, delete, get
from litestar.params import FromPath, FromQuery, Parameter

from api.http.paging import LIMIT_DEFAULT, Paging, wait_for_own_writes
from api.http.parameters import Cursor, Limit, Page, nothing, shows
from api.http.policy import needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command
from api.work.sight import hidden_from, led_among, projects_seen
from commands.work.trash.purge import PurgeTrashed
from commands.work.trash.things import TRASHABLE, Thing
from domain.base import ProjectId, State, TaskId
from domain.identity.organization.legal_hold import LegalHold
from domain.identity.organization.membership import Role
from domain.identity.organization.state import Organization
from domain.identity.plan import PLAN_LIMITS
from domain.permission import Permission
from domain.planning.view import SavedView
from domain.work.task.state import Task
from domain.work.trash import TrashKind
from projections.base import View
from projections.engine.query import ListSlice, list_slice
from projections.work.trash import TrashedThing, TrashFilter, decode_trashed, trash_of

_encode = msgspec.json.Encoder().encode

_NAMES = {
    TrashKind.TASK: "title",
    TrashKind.COMMENT: "body",
    TrashKind.WEBHOOK: "url",
    TrashKind.WORKLOG: "note",
}
"""Which field names a thing, if not its name."""


class TrashView(View, frozen=True, kw_only=True):
    """Something in the trash; ``purgeAt`` is when its content goes for good, under today's plan.

    It is null while there is a legal hold. ``name`` is its title, body, note or address,
    whichever it has. What a deletion hides with it, such as the tasks of a project, is not listed
    by itself.
    """

    type: TrashKind
    id: UUID
    name: str
    project_id: ProjectId | None
    task_id: TaskId | None
    deleted_at: datetime
    deleted_by: UUID
    purge_at: datetime | None


class TrashController(Controller):
    """The trash: what was deleted, and can be restored."""

    path = "/api/trash"
    tags = ("Trash",)

    @get("/", opt=needs(Permission.TRASH_READ), responses=shows(Page[TrashView]))
    async def list_trash(
        self,
        request: ApiRequest,
        type: FromQuery[  # noqa: A002 - its name in the API
            Annotated[TrashKind | None, Parameter(description="Filter by type")]
        ] = None,
        project: FromQuery[
            Annotated[UUID | None, Parameter(description="Filter by project")]
        ] = None,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List what is in the trash, the newest first. Members see what they created themselves."""
        paging = Paging(request, type=type, project=project)
        below = paging.key(cursor)
        await wait_for_own_writes(request, "trash", "projects")
        wanted = TrashFilter(kind=type, project_id=None if project is None else ProjectId(project))
        hidden = await hidden_from(request)
        page = await _visible(request, wanted, hidden, limit, below)
        return paging.answer(await _shown(request, page, hidden), limit)

    @delete(
        "/{type:str}/{thing_id:uuid}",
        status_code=200,
        opt=needs(Permission.TRASH_PURGE, fails=(LegalHold,)),
        responses=nothing(),
    )
    async def purge(
        self,
        request: ApiRequest,
        type: FromPath[TrashKind],  # noqa: A002 - its name in the API
        thing_id: FromPath[UUID],
    ) -> ApiResponse:
        """Purge something in the trash now, with everything in it. Nobody can bring it back.

        Its own texts are gone at once; those of what is in it, and files, within seconds.
        """
        command = PurgeTrashed(thing=Thing(type, thing_id))
        return await run_command(request, command, Reply(stream=thing_id))


async def _visible(
    request: ApiRequest,
    wanted: TrashFilter,
    hidden: frozenset[ProjectId],
    limit: int,
    below: str | None,
) -> ListSlice:
    """Return the deletions that the caller may know of: all, their own, or those of their teams."""
    models, org_id, user_id = request.api.models, request.organization, request.caller.user_id
    organization = (await request.newest(Organization, org_id)).state
    if organization.role_of(user_id) is not Role.MEMBER:
        return await trash_of(models, org_id, wanted, hidden, limit, below)
    asked = [msgspec.structs.replace(wanted, owner=user_id)]
    led = sorted(await led_among(request, await projects_seen(request)))
    if led and (wanted.project_id is None or wanted.project_id in led):
        asked.append(wanted if wanted.project_id else msgspec.structs.replace(wanted, among=led))
    pages = await asyncio.gather(
        *(trash_of(models, org_id, each, hidden, limit, below) for each in asked)
    )
    return _merged(pages, limit)


def _merged(pages: Sequence[ListSlice], limit: int) -> ListSlice:
    """Return the newest of several pages, each once."""
    items = {key: item for page in pages for key, item in zip(page.keys, page.items, strict=True)}
    keys = sorted(items, reverse=True)
    more = len(keys) > limit or any(page.next_key is not None for page in pages)
    shown = keys[:limit]
    return list_slice([items[key] for key in shown], shown[-1] if more and shown else None, shown)


async def _shown(request: ApiRequest, page: ListSlice, hidden: frozenset[ProjectId]) -> ListSlice:
    """Return a page with the names of today, without what is in a *hidden* project by now."""
    org_id, states = request.organization, request.api.system.commands.states
    things = [decode_trashed(item) for item in page.items]
    wanted: dict[UUID, type[State]] = {each.id: TRASHABLE[each.kind] for each in things}
    wanted |= {each.task_id: Task for each in things if each.task_id is not None}
    asked = [(kind, stream) for stream, kind in wanted.items()]
    found = await states.all_fresh(asked, org_id) if asked else []
    known = {stream: one.state for (_, stream), one in zip(asked, found, strict=True)}
    organization = (await request.newest(Organization, org_id)).state
    kept = PLAN_LIMITS[organization.plan].trash_retention
    items: list[bytes] = []
    for each in things:
        project_id = _project_of(each, known)
        thing = known[each.id]
        if project_id in hidden or thing.purged:
            continue
        if isinstance(thing, SavedView) and not thing.is_there_for(request.caller.user_id):
            continue
        name: str = getattr(thing, _NAMES.get(each.kind, "name")) or ""
        view = TrashView(
            type=each.kind,
            id=each.id,
            name=name,
            project_id=project_id,
            task_id=each.task_id,
            deleted_at=each.deleted_at,
            deleted_by=each.deleted_by,
            purge_at=None if organization.legal_hold else each.deleted_at + kept,
        )
        items.append(_encode(view))
    return list_slice(items, page.next_key)


def _project_of(thing: TrashedThing, known: Mapping[UUID, Any]) -> ProjectId | None:
    """Return the project that a thing is in today: its task may have been moved since."""
    task = known.get(thing.id if thing.kind is TrashKind.TASK else thing.task_id or thing.id)
    return task.project_id if isinstance(task, Task) else thing.project_id
