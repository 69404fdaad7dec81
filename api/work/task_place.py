"""HTTP routes of where a task belongs: its subtasks, its rank, its project."""

import asyncio
from collections.abc import Awaitable, Callable

from litestar import Controller, get, post
from litestar.params import JSONBody
from msgspec import Struct

from api.http.paging import LIMIT_DEFAULT, Paging, wait_for_own_writes
from api.http.parameters import Cursor, Limit, Page, shows
from api.http.policy import needs
from api.http.problem import FieldError, invalid
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.work.task_key import TaskRef, task_here, task_id_of
from api.work.task_reply import change_task
from api.work.task_status import MOVE_FAILS
from api.work.tasks.detail import TaskDetail, tasks_in_full, viewer_of
from commands.relation_counts import children
from commands.work.task_move import SUBTREE_MAX, MoveTask
from commands.work.task_rank import RankTask, Window
from domain.base import DomainError, NotFound, ProjectId, TaskId
from domain.permission import Permission
from domain.work.project.errors import ProjectIsArchived, ProjectOnHold
from domain.work.task.errors import (
    NeighborsChanged,
    RankedBesideItself,
    SubtasksChanged,
    SubtasksOpen,
    SubtreeTooLarge,
    TransitionNotAllowed,
)
from domain.work.task.state import Task
from domain.work.workflow.events import StatusKey
from projections.work.task_place import subtasks_of, tasks_around, tasks_below

SETTLE_ATTEMPTS_MAX = 5
LOOK_PAUSE_S = 0.05
"""How long a list may take to show what was recorded, before it is asked again."""
SPREAD_TO_EACH_SIDE = 100
"""How many tasks on each side get a new rank when a gap has no room left."""


class Ranking(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a ranking: the id of the task to stand before or after, and a new status if any."""

    before: TaskId | None = None
    after: TaskId | None = None
    status: StatusKey | None = None


class Destination(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a move to another project.

    ``status`` is one of the other project; without it the task gets the one that means about the
    same there. Without ``withSubtasks`` they stay, under the parent of the task.
    """

    project_id: ProjectId
    status: StatusKey | None = None
    with_subtasks: bool = True


class TaskPlaceController(Controller):
    """Where a task belongs."""

    path = "/api/task/{task:str}"
    tags = ("Tasks",)

    @get("/subtasks", opt=needs(Permission.TASK_READ), responses=shows(Page[TaskDetail]))
    async def list_subtasks(
        self,
        request: ApiRequest,
        task: TaskRef,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List the subtasks of a task in the order of their ranks."""
        task_id = await task_id_of(request, task)
        found, project = await task_here(request, task_id)
        paging = Paging(request)
        above = paging.key(cursor)
        await wait_for_own_writes(request, "tasks")
        page = await subtasks_of(request.api.models, request.organization, task_id, limit, above)
        projects = {} if found.state.project_id is None else {found.state.project_id: project}
        shown = await tasks_in_full(request, await viewer_of(request), page, projects)
        return paging.answer(shown, limit)

    @post(
        "/rank",
        status_code=200,
        opt=needs(
            Permission.TASK_EDIT,
            fails=(
                NeighborsChanged,
                ProjectIsArchived,
                ProjectOnHold,
                RankedBesideItself,
                SubtasksOpen,
                TransitionNotAllowed,
            ),
        ),
        responses=shows(TaskDetail),
    )
    async def rank(
        self, request: ApiRequest, task: TaskRef, data: JSONBody[Ranking]
    ) -> ApiResponse:
        """Put a task directly before or after another one, and change its status if asked."""
        if (data.before is None) == (data.after is None):
            raise invalid(FieldError("$.before", "Expected either before or after"))
        task_id = await task_id_of(request, task)
        return await until_settled(
            request, NeighborsChanged, lambda attempt: _rank(request, task_id, data, attempt)
        )

    @post(
        "/move",
        status_code=200,
        opt=needs(
            Permission.TASK_EDIT,
            fails=(*MOVE_FAILS, SubtasksChanged, SubtreeTooLarge),
        ),
        responses=shows(TaskDetail),
    )
    async def move(
        self, request: ApiRequest, task: TaskRef, data: JSONBody[Destination]
    ) -> ApiResponse:
        """Move a task to another project, with its subtasks. Its old key goes on leading to it."""
        task_id = await task_id_of(request, task)

        async def attempt(_: int) -> ApiResponse:
            command = MoveTask(
                task_id=task_id,
                project_id=data.project_id,
                status=data.status,
                with_subtasks=data.with_subtasks,
                below=await subtasks_known(request, task_id, SUBTREE_MAX, deep=data.with_subtasks),
            )
            return await change_task(request, command)

        return await until_settled(request, SubtasksChanged, attempt)


async def subtasks_known(
    request: ApiRequest, task_id: TaskId, limit: int = SUBTREE_MAX, *, deep: bool = True
) -> tuple[TaskId, ...]:
    """Return the subtasks of a task as lists show them: at all levels if *deep*.

    Of more than *limit*, not all.
    """
    org_id = await request.own_organization()
    [known] = await request.api.system.log.counted(children(org_id, task_id))
    if not known:
        return ()
    await wait_for_own_writes(request, "tasks")
    return tuple(await tasks_below(request.api.models, org_id, task_id, limit, deep=deep))


async def _rank(request: ApiRequest, task_id: TaskId, data: Ranking, attempt: int) -> ApiResponse:
    org_id = await request.own_organization()
    before = data.before is not None
    beside = data.before or data.after
    assert beside is not None  # noqa: S101 - for the type checkers
    states = request.api.system.commands.states
    anchor = await states.fresh(Task, beside, org_id)
    if anchor.project_id is None:
        raise NotFound
    await wait_for_own_writes(request, "tasks")
    count = 2 if attempt < 2 else SPREAD_TO_EACH_SIDE + 2
    sides = await tasks_around(request.api.models, org_id, anchor.project_id, anchor.place, count)
    front, back = ([one.id for one in side if one.id != task_id] for side in sides)
    nearest = front if before else back
    command = RankTask(
        task_id=task_id,
        beside=beside,
        before=before,
        neighbor=nearest[0] if nearest else None,
        status=data.status,
        around=None if attempt < 2 else _window(front, beside, back),
    )
    return await change_task(request, command)


def _window(front: list[TaskId], beside: TaskId, back: list[TaskId]) -> Window:
    """Return the tasks around a gap, in order, and those just outside."""
    many = SPREAD_TO_EACH_SIDE
    return Window(
        (*reversed(front[:many]), beside, *back[:many]),
        front[many] if len(front) > many else None,
        back[many] if len(back) > many else None,
    )


async def until_settled(
    request: ApiRequest,
    unsettled: type[DomainError],
    attempt: Callable[[int], Awaitable[ApiResponse]],
) -> ApiResponse:
    """Return what *attempt* answers; repeat it while the lists that it looked at were outdated."""
    for number in range(SETTLE_ATTEMPTS_MAX):
        try:
            return await attempt(number)
        except unsettled:
            if number == SETTLE_ATTEMPTS_MAX - 1:
                raise
            await asyncio.sleep(LOOK_PAUSE_S * number)
    raise AssertionError("the last attempt returns or raises")
