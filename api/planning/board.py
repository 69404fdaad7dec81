"""The HTTP route of the board of a project."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Annotated, NamedTuple

import msgspec
from litestar import Controller, get
from litestar.params import FromQuery, Parameter

from api.http.paging import LIMIT_DEFAULT, Answered, Paging, as_of_own_writes
from api.http.parameters import Cursor, Limit, shows
from api.http.policy import needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.past.as_of import AskedMoment, refuse_beside_as_of
from api.planning.past_board import BoardAsked, BoardThen, board_as_of
from api.work.project_key import ProjectRef, project_id_of
from api.work.sight import project_here
from api.work.tasks.detail import TaskDetail, Timed, tasks_timed, viewer_of
from api.work.tasks.filters import FILTERS
from api.work.tasks.listing import TaskPages
from api.work.tasks.parameters import (
    AssigneeFilter,
    BlockedFilter,
    CompletedFilter,
    CreatedFilter,
    CreatorFilter,
    CycleFilter,
    DueFilter,
    FieldFilter,
    LabelFilter,
    MilestoneFilter,
    OverdueFilter,
    ParentFilter,
    PriorityFilter,
    UpdatedFilter,
    WatcherFilter,
    WordFilter,
)
from commands.plan_counts import tasks_in
from domain.base import ProjectId
from domain.identity.plan import PlanLimitReached
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

    `count` is how many tasks are in the status, whatever is filtered; `wipLimit` is how many there
    should be at most.
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


class OneBoard(NamedTuple):
    """The board of a project, with the columns and the tasks that are asked for."""

    request: ApiRequest
    project_id: ProjectId
    project: Project
    filtered: TaskPages
    statuses: Sequence[Status]

    def paging(self, status: str | None) -> Paging:
        """Return the pages of one column, or of all."""
        return Paging(self.request, **self.filtered.parsed().told, status=status)

    async def answered(self, limit: int, after: str | None) -> Answered:
        """Return the board with a page of each column, of the tasks behind the sort key *after*."""
        counts = await _counts(self.request, self.project_id, self.project.workflow, self.statuses)
        pages = await self._pages(limit, after)
        parts: list[bytes] = []
        for each, count, timed in zip(self.statuses, counts, pages, strict=True):
            page = timed.page
            further = None if page.next_key is None else self.paging(each.key).cursor(page)
            parts += _column(each, count, page.json, further)
        # Joined once: to copy the tasks takes as long as to find them in the index.
        body = b"".join((b'{"columns":[', *parts[1:], b"]}\n"))
        changes = [timed.until for timed in pages if timed.until is not None]
        return Answered(ApiResponse(body), min(changes, default=None))

    async def _pages(self, limit: int, after: str | None) -> list[Timed]:
        """Return a page of tasks in full for each status.

        With filters, a column is the list of its tasks by their ranks.
        """
        request, shown = self.request, {self.project_id: self.project}
        if self.filtered.parsed().told:
            asked = await self.filtered.looked_up(request, shown)
            keys = [each.key for each in self.statuses]
            return await asked.columns(request, keys, limit, after)
        models, org_id, workflow = request.api.models, request.organization, self.project.workflow
        found = await columns_of(
            models, org_id, self.project_id, workflow, self.statuses, limit, after
        )
        viewer = await viewer_of(request)
        return [await tasks_timed(request, viewer, page, shown) for page in found]


OneStatus = FromQuery[
    Annotated[StatusKey | None, Parameter(description="Only the column of this status")]
]


class BoardController(Controller):
    """The board of a project."""

    path = "/api/project/{project:str}/board"
    tags = ("Projects",)

    @get(
        "/",
        opt=needs(Permission.TASK_READ, fails=(PlanLimitReached, UnknownStatus)),
        responses=shows(Board | BoardThen),
    )
    async def show(  # noqa: PLR0913, PLR0917 - one parameter per filter
        self,
        request: ApiRequest,
        project: ProjectRef,
        status: OneStatus = None,
        priority: PriorityFilter = None,
        assignee: AssigneeFilter = None,
        label: LabelFilter = None,
        parent: ParentFilter = None,
        creator: CreatorFilter = None,
        watcher: WatcherFilter = None,
        cycle: CycleFilter = None,
        milestone: MilestoneFilter = None,
        field: FieldFilter = None,
        due: DueFilter = None,
        created: CreatedFilter = None,
        updated: UpdatedFilter = None,
        completed: CompletedFilter = None,
        overdue: OverdueFilter = None,
        blocked: BlockedFilter = None,
        q: WordFilter = None,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
        as_of: AskedMoment = None,
    ) -> ApiResponse:
        """Return the board of a project: a page of tasks for each status of its workflow.

        With `status` it has one column, and with its `cursor` the next page of that. It shows the
        tasks that the filters ask for; `count` is of all. With `as_of` it was so, without filters.
        """
        asked = {name: value for name, value in locals().items() if name in FILTERS}
        if as_of is not None:
            refuse_beside_as_of(**asked | {"status": None})
            return await board_as_of(request, project, BoardAsked(status, limit, cursor), as_of)
        filtered = TaskPages(**asked | {"status": None}).by(request.caller.user_id)
        board = await _board(request, project, status, filtered)
        paging = board.paging(status)
        after = paging.key(cursor)
        shown = await as_of_own_writes(request, *filtered.read)
        return await paging.kept(shown, limit, cursor, partial(board.answered, limit, after))


async def _board(
    request: ApiRequest, project: str, status: str | None, filtered: TaskPages
) -> OneBoard:
    """Return the board of a project that the caller sees, with one column or all.

    :raises NotFound: it does not exist, or not for the caller.
    :raises UnknownStatus: its workflow has no such status.
    """
    project_id = await project_id_of(request, project)
    found = (await project_here(request, project_id)).state
    workflow = found.workflow
    statuses = workflow.statuses if status is None else (workflow.status(status),)
    return OneBoard(request, project_id, found, filtered, statuses)


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


async def _counts(
    request: ApiRequest, project_id: ProjectId, workflow: Workflow, statuses: Sequence[Status]
) -> list[int]:
    """Return how many tasks are in each of *statuses*, also by a status that leads to it now."""
    keys = [workflow.keys_of(each.key) for each in statuses]
    wanted = [tasks_in(request.organization, project_id, key) for some in keys for key in some]
    counted = iter(await request.api.system.log.counted(*wanted))
    return [sum(next(counted) for _ in some) for some in keys]
