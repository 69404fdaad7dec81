"""HTTP route that changes many tasks at once."""

from datetime import date
from typing import Annotated

import msgspec
from litestar import Controller, post
from litestar.params import JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType

from api.http.parameters import shows
from api.http.policy import needs
from api.http.problem import FieldError, invalid
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command
from api.work.task_place import subtasks_known
from commands.exchange.bulk import (
    BULK_MAX,
    BulkRefused,
    ChangeTasks,
    TaskOutcome,
    TaskSetting,
    TooManyForMember,
    TooManyMoved,
    item_of,
)
from commands.receipt import Receipt, Response
from commands.work.task_move import SUBTREE_MAX
from commands.work.task_plan import FieldInputs, Planned
from commands.work.task_values import DueTime
from commands.work.trash.task import BELOW_MAX
from domain.base import CycleId, LabelId, MilestoneId, ProjectId, TaskId, UserId
from domain.identity.plan import PlanLimitReached
from domain.permission import Permission
from domain.work.task.events import Priority
from domain.work.workflow.events import StatusKey

_EACH_MAX = 20
_encode = msgspec.json.Encoder().encode


class PeopleChange(Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to assign to each task, and whom to unassign."""

    add: Annotated[tuple[UserId, ...], Meta(max_length=_EACH_MAX)] = ()
    remove: Annotated[tuple[UserId, ...], Meta(max_length=_EACH_MAX)] = ()


class LabelsChange(Struct, frozen=True, forbid_unknown_fields=True):
    """Which labels each task gets, and which it loses."""

    add: Annotated[tuple[LabelId, ...], Meta(max_length=_EACH_MAX)] = ()
    remove: Annotated[tuple[LabelId, ...], Meta(max_length=_EACH_MAX)] = ()


class TasksChange(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What each task is set to; what is left out stays as it is.

    ``projectId`` is where each task is moved with its subtasks, before all else is set there.
    ``delete`` stands alone.
    """

    status: StatusKey | UnsetType = UNSET
    force: bool = False
    priority: Priority | UnsetType = UNSET
    assignees: PeopleChange = PeopleChange()
    labels: LabelsChange = LabelsChange()
    due_date: date | UnsetType | None = UNSET
    due_at: DueTime | UnsetType | None = UNSET
    cycle_id: CycleId | UnsetType | None = UNSET
    milestone_id: MilestoneId | UnsetType | None = UNSET
    fields: FieldInputs = {}
    project_id: ProjectId | UnsetType = UNSET
    delete: bool = False


class Bulk(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of a request to change many tasks in the same way."""

    ids: Annotated[tuple[TaskId, ...], Meta(min_length=1, max_length=BULK_MAX)]
    set: TasksChange


class BulkView(Struct, frozen=True, rename="camel"):
    """How many tasks were changed, and how many were so already."""

    correlation_id: str
    changed: int
    unchanged: int


class BulkController(Controller):
    """Changes to many tasks at once."""

    path = "/api/task/bulk"
    tags = ("Tasks",)

    @post(
        "/",
        status_code=200,
        opt=needs(
            Permission.TASK_EDIT,
            fails=(BulkRefused, PlanLimitReached, TooManyForMember, TooManyMoved),
        ),
        responses=shows(BulkView),
    )
    async def change_tasks(self, request: ApiRequest, data: JSONBody[Bulk]) -> ApiResponse:
        """Change up to 1,000 tasks in the same way: all of them or, if one is refused, none.

        All events have the same `correlationId`. A dry run says in `items` what would become of
        each task, and goes on behind those that would be refused.
        """
        setting = _setting(data)
        outcomes: list[TaskOutcome] = []
        below = await _below(request, data)
        command = ChangeTasks(task_ids=data.ids, setting=setting, below=below, note=outcomes.append)
        correlation_id = request.client_info.correlation

        def shown(_: Receipt) -> Response:
            changed = sum(bool(each.changes) for each in outcomes[-len(data.ids) :])
            view = BulkView(correlation_id, changed, len(data.ids) - changed)
            return Response(200, 0, _encode(view))

        reply = Reply(
            stream=None,
            whole=shown,
            tagged=False,
            dry=lambda: {"items": [item_of(each) for each in outcomes[-len(data.ids) :]]},
        )
        return await run_command(request, command, reply)


async def _below(request: ApiRequest, data: Bulk) -> dict[TaskId, tuple[TaskId, ...]]:
    """Return the subtasks that go wherever the tasks go."""
    if data.set.delete:
        return {each: await subtasks_known(request, each, BELOW_MAX) for each in data.ids}
    if data.set.project_id is not UNSET:
        return {each: await subtasks_known(request, each, SUBTREE_MAX) for each in data.ids}
    return {}


def _setting(data: Bulk) -> TaskSetting:
    """Return what is asked for.

    :raises Problem: it names a task twice, asks for nothing, or for changes to what it deletes.
    """
    if len(set(data.ids)) < len(data.ids):
        raise invalid(FieldError("$.ids", "Names a task twice"))
    asked = data.set
    others = asked != TasksChange(delete=asked.delete)
    if others == asked.delete:
        raise invalid(FieldError("$.set", "Expected changes, or delete alone"))
    return TaskSetting(
        status=asked.status,
        force=asked.force,
        priority=asked.priority,
        due_date=asked.due_date,
        due_at=asked.due_at,
        assign=asked.assignees.add,
        unassign=asked.assignees.remove,
        label=asked.labels.add,
        unlabel=asked.labels.remove,
        fields=asked.fields,
        planned=Planned(cycle_id=asked.cycle_id, milestone_id=asked.milestone_id),
        project_id=asked.project_id,
        delete=asked.delete,
    )
