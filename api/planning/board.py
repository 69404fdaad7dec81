"""The HTTP route of the board of a project."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec
from litestar import Controller, get
from litestar.params import FromQuery, Parameter

from api.http.paging import LIMIT_DEFAULT, Answered, Paging, as_of_own_writes
from api.http.parameters import Cursor, Limit, shows
from api.http.policy import needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.work.project_key import ProjectRef, project_id_of
from api.work.sight import project_here
from api.work.tasks.detail import TaskDetail, Timed, tasks_timed, viewer_of
from commands.plan_counts import tasks_in
from domain.base import ProjectId
from domain.permission import Permission
from domain.work.project.state import Project
from domain.work.workflow.errors import UnknownStatus
from domain.work.workflow.events import StatusGroup, StatusKey
from domain.work.workflow.state import Status, Workflow
from projections.base import View
from projections.planning.board import columns_of

_encode = msgspec.json.Encoder().encode


class BoardColumn(View, frozen=True, kw_only=True):
    """A column of a board: the tasks in one status, in the order of their ranks.

    `count` is how many tasks are in the status, `wipLimit` how many there should be at most.
    `nextCursor` with `status` leads to the next page of the column, null on its last.
    """

    status: str
    name: str
    group: StatusGroup
    count: int
    wip_limit: int | None
    tasks: list[TaskDetail]
    next_cursor: str | None


class Board(View, frozen=True, kw_only=True):
    """The tasks of a project in columns, in the order of the statuses of its workflow."""

    columns: list[BoardColumn]


class _Head(View, frozen=True, kw_only=True):
    """A ``BoardColumn`` up to its tasks, which are JSON already."""

    status: str
    name: str
    group: StatusGroup
    count: int
    wip_limit: int | None


OneStatus = FromQuery[
    Annotated[StatusKey | None, Parameter(description="Only the column of this status")]
]


class BoardController(Controller):
    """The board of a project."""

    path = "/api/project/{project:str}/board"
    tags = ("Projects",)

    @get(
        "/",
        opt=needs(Permission.TASK_READ, fails=(UnknownStatus,)),
        responses=shows(Board),
    )
    async def show(
        self,
        request: ApiRequest,
        project: ProjectRef,
        status: OneStatus = None,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """Return the board of a project: a page of tasks for each status of its workflow.

        With `status` it has one column, and with the column's `cursor` the next page of it.
        """
        project_id = await project_id_of(request, project)
        found = (await project_here(request, project_id)).state
        workflow = found.workflow
        statuses = workflow.statuses if status is None else (workflow.status(status),)
        paging = Paging(request, status=status)
        after = paging.key(cursor)
        as_of = await as_of_own_writes(request, "tasks")

        async def make() -> Answered:
            counts = await _counts(request, project_id, workflow, statuses)
            pages = await _pages(request, project_id, found, statuses, limit, after)
            parts: list[bytes] = []
            for each, count, timed in zip(statuses, counts, pages, strict=True):
                further = None
                if timed.page.next_key is not None:
                    further = Paging(request, status=each.key).cursor(timed.page)
                parts += _column(each, count, timed.page.json, further)
            # Joined once: to copy the tasks takes as long as to find them in the index.
            body = b"".join((b'{"columns":[', *parts[1:], b"]}\n"))
            changes = [timed.until for timed in pages if timed.until is not None]
            return Answered(ApiResponse(body), min(changes, default=None))

        return await paging.kept(as_of, limit, cursor, make)


def _column(status: Status, count: int, tasks: bytes, cursor: str | None) -> Iterator[bytes]:
    """Yield the JSON of a ``BoardColumn``, behind a comma."""
    head = _Head(
        status=status.key,
        name=status.name,
        group=status.group,
        count=count,
        wip_limit=status.wip_limit,
    )
    yield b","
    yield _encode(head)[:-1]
    yield b',"tasks":['
    yield tasks
    yield b'],"nextCursor":%b}' % (b"null" if cursor is None else b'"%b"' % cursor.encode())


async def _pages(  # noqa: PLR0913, PLR0917 - the board and its page
    request: ApiRequest,
    project_id: ProjectId,
    project: Project,
    statuses: Sequence[Status],
    limit: int,
    after: str | None,
) -> list[Timed]:
    """Return a page of tasks in full for each of *statuses*."""
    found = await columns_of(
        request.api.models,
        request.organization,
        project_id,
        project.workflow,
        statuses,
        limit,
        after,
    )
    viewer = await viewer_of(request)
    return [await tasks_timed(request, viewer, page, {project_id: project}) for page in found]


async def _counts(
    request: ApiRequest, project_id: ProjectId, workflow: Workflow, statuses: Sequence[Status]
) -> list[int]:
    """Return how many tasks are in each of *statuses*, also by a status that leads to it now."""
    keys = [workflow.keys_of(each.key) for each in statuses]
    wanted = [tasks_in(request.organization, project_id, key) for some in keys for key in some]
    counted = iter(await request.api.system.log.counted(*wanted))
    return [sum(next(counted) for _ in some) for some in keys]
