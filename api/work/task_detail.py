"""One task in full: with what follows from other things, and from who asks when."""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from api.http.paging import one
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from commands.content_counts import comments_on
from commands.relation_counts import open_blockers, open_subtasks, subtasks
from commands.states import Loaded
from domain.base import TaskId
from domain.identity.organization.state import Organization
from domain.work.task.planning import is_overdue
from domain.work.task.state import Task
from projections.work.task import TaskView, render_task

_encode = msgspec.json.Encoder().encode


class Subtasks(Struct, frozen=True):
    """How many subtasks a task has outside the trash, and how many of them are finished."""

    done: int
    all: int


class _Derived(Struct, frozen=True):
    """What follows from other things, and from who asks when."""

    subtasks: Subtasks
    comments: int
    overdue: bool
    watching: bool


class TaskDetail(TaskView, frozen=True, kw_only=True):
    """A task, with what follows from other things, and from who asks when.

    ``overdue`` goes by the time zone of the organization; ``watching`` is whether the caller does.
    """

    subtasks: Subtasks
    comments: int
    overdue: bool
    watching: bool


async def task_in_full(request: ApiRequest, task_id: TaskId, found: Loaded[Task]) -> ApiResponse:
    """Return the response with one task in full."""
    org_id = request.organization
    counts = (subtasks, open_subtasks, comments_on, open_blockers)
    every, unfinished, comments, blockers = await request.api.system.log.counted(
        *(count(org_id, task_id) for count in counts)
    )
    organization = (await request.newest(Organization, org_id)).state
    task = found.state
    derived = _Derived(
        Subtasks(every - unfinished, every),
        comments,
        is_overdue(task, request.api.system.clock(), ZoneInfo(organization.settings.time_zone)),
        request.caller.user_id in task.watchers,
    )

    def show(task: Task, version: int, at: datetime) -> bytes:
        return (
            render_task(task_id, task, version, at, blocked=blockers > 0)[:-1]
            + b","
            + _encode(derived)[1:]
        )

    return one(request, found, show, derived=True)
