"""The board of a project as it was, as the API shows it."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import msgspec

from api.http.paging import Paging
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.past.as_of import MomentView, moment_of, worked_out
from api.work.past.sight import PastSight
from api.work.past.task import TaskThen, task_then
from api.work.project_key import project_id_of
from commands.past.board import BoardOrder, board_order
from domain.base import NotFound
from domain.work.task.state import Task
from domain.work.workflow.events import StatusGroup
from domain.work.workflow.state import Status, Workflow
from projections.base import View
from projections.engine.query import list_slice

_encode = msgspec.json.Encoder().encode

TASKS_PIECE = 20
"""Tasks that are read in one turn: to fold each as it was and as it is takes 0.1 to 0.2 ms."""

LOOKED_AT_MAX = 200
"""Tasks that are looked at for one page of a column, which those hidden from the caller shorten."""


class ColumnThen(View, frozen=True, kw_only=True):
    """A column of a board as it was: the tasks in one status, in the order of their ranks.

    `count` is how many tasks were in the status. Those that the caller does not see now are not
    among `tasks`: 200 are looked at for one page, which may be shorter than the limit.
    `nextCursor` with `status` leads to the next page of the column, null on its last.
    """

    status: str
    name: str
    group: StatusGroup
    count: int
    wip_limit: int | None
    tasks: list[TaskThen]
    next_cursor: str | None


class BoardThen(View, frozen=True, kw_only=True):
    """The tasks of a project at a moment, in columns, in the order of its workflow then."""

    columns: list[ColumnThen]
    as_of: MomentView


class BoardAsked(NamedTuple):
    """Which column of a board is asked for, or all, and which page."""

    status: str | None
    limit: int
    cursor: str | None


class _Page(NamedTuple):
    """Tasks of a column, and after how many of it they end; None if nothing follows."""

    tasks: list[TaskThen]
    behind: int | None


async def board_as_of(request: ApiRequest, ref: str, wanted: BoardAsked, asked: str) -> ApiResponse:
    """Return the response with a board as it was at the moment that is *asked* for."""
    moment = await moment_of(request, asked)  # first, so that its refusals tell of no project
    project_id = await project_id_of(request, ref)
    sight = PastSight(request, moment.seq)
    workflow = (await sight.project(project_id)).state.workflow
    statuses = _statuses(workflow, wanted.status)
    after: int = _paging(request, moment.seq, wanted.status).key(wanted.cursor) or 0
    log, org_id = request.api.system.log, request.organization
    work = partial(board_order, log, org_id, project_id, workflow, moment.seq)
    order = await worked_out(request, ("board", project_id, moment.seq), work)
    columns: list[ColumnThen] = []
    for status in statuses:
        page = await _page(request, sight, order, status, after, wanted.limit)
        further = _paging(request, moment.seq, status.key)
        columns.append(
            ColumnThen(
                status=status.key,
                name=status.name,
                group=status.group,
                count=order.count(status.key),
                wip_limit=status.wip_limit,
                tasks=page.tasks,
                next_cursor=further.cursor(list_slice([], page.behind)),
            )
        )
    as_of = MomentView(seq=moment.seq, at=moment.at)
    return ApiResponse(_encode(BoardThen(columns=columns, as_of=as_of)))


def _statuses(workflow: Workflow, key: str | None) -> Sequence[Status]:
    return workflow.statuses if key is None else (workflow.status(key),)


def _paging(request: ApiRequest, seq: int, status: str | None) -> Paging:
    return Paging(request, as_of=seq, status=status)


async def _page(  # noqa: PLR0913, PLR0917 - who asks, and for which page of what
    request: ApiRequest,
    sight: PastSight,
    order: BoardOrder,
    status: Status,
    after: int,
    limit: int,
) -> _Page:
    """Return the tasks of a column behind the first *after* that the caller sees."""
    tasks: list[TaskThen] = []
    user_id, behind, every = request.caller.user_id, after, order.count(status.key)
    looked_at_max = min(every, after + LOOKED_AT_MAX)
    while len(tasks) < limit and behind < looked_at_max:
        piece = min(TASKS_PIECE, limit - len(tasks), looked_at_max - behind)
        some = order.tasks(status.key, behind, piece)
        behind += piece
        async with request.api.system.log.turns:
            await sight.look_up(Task, some)
            for task_id in some:
                try:
                    tasks.append(task_then(task_id, await sight.task(task_id), user_id))
                except NotFound:
                    continue  # the caller does not see it now
    return _Page(tasks, behind if behind < every else None)
