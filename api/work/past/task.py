"""A task as it was, as the API shows it."""

from datetime import date, datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from api.http.problem import not_found
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.past.as_of import MomentView, moment_of
from api.work.past.sight import PastSight, PastTask
from api.work.task_key import task_id_of
from domain.base import CycleId, LabelId, MilestoneId, ProjectId, TaskId, UserId
from domain.work.task.custom_field import FieldShown
from domain.work.task.events import Priority
from domain.work.task.imported import TaskOrigin
from domain.work.workflow.events import StatusGroup
from projections.base import View
from projections.work.task import task_view
from projections.work.times.recurrence import RecurrenceView

_encode = msgspec.json.Encoder().encode


class TaskThen(View, frozen=True, kw_only=True):
    """A task as it was at a moment.

    What other things tell is left out: what blocks it, its subtasks, how many comments and files it
    has, whether it is overdue. ``watching`` is whether the caller watched it then. ``parentId`` is
    left out if the caller does not see the project that this task is in now. ``deletedAt`` is since
    when it was in the trash then, by itself or with its project or a task above it. On a board,
    `asOf` is that of the board.
    """

    id: TaskId
    key: str
    project_id: ProjectId | None
    status: str
    group: StatusGroup
    number: int
    title: str
    description: str | None
    mentions: tuple[UserId, ...]
    priority: Priority
    parent_id: TaskId | UnsetType | None = UNSET
    rank: str
    start_date: date | None
    due_date: date | None
    due_at: datetime | None
    estimate: int | None
    assignees: tuple[UserId, ...]
    labels: tuple[LabelId, ...]
    cycle_id: CycleId | None
    milestone_id: MilestoneId | None
    fields: dict[str, FieldShown]
    watchers: tuple[UserId, ...]
    created_by: UserId | None
    created_at: datetime | None
    updated_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    deleted_at: datetime | None
    imported: TaskOrigin | None
    recurrence: RecurrenceView | None
    version: int
    watching: bool
    as_of: MomentView | UnsetType = UNSET


_OWN = [name for name in TaskThen.__struct_fields__ if name not in ("watching", "as_of")]


async def task_as_of(request: ApiRequest, ref: str, asked: str) -> ApiResponse:
    """Return the response with a task as it was at the moment that is *asked* for."""
    moment = await moment_of(request, asked)  # first, so that its refusals tell of no task
    task_id = await task_id_of(request, ref)
    found = await PastSight(request, moment.seq).task(task_id)
    shown = task_then(task_id, found, request.caller.user_id)
    as_of = MomentView(seq=moment.seq, at=moment.at)
    return ApiResponse(_encode(msgspec.structs.replace(shown, as_of=as_of)))


def task_then(task_id: TaskId, task: PastTask, user_id: UserId) -> TaskThen:
    """Return a task as it was, as *user_id* sees it."""
    state, at = task.found.state, task.found.at
    if at is None:
        raise not_found()
    view = task_view(task_id, state, task.found.version, at)
    known: dict[str, Any] = {name: getattr(view, name) for name in _OWN}
    if not task.shows_parent:
        known["parent_id"] = UNSET
    return TaskThen(**known, watching=user_id in state.watchers)
