"""HTTP routes of how a task repeats."""

from litestar import Controller, delete, put
from litestar.params import JSONBody
from msgspec import Struct

from api.http.parameters import shows
from api.http.policy import needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.work.task_key import TaskRef, task_id_of
from api.work.task_reply import change_task
from api.work.tasks.detail import TaskDetail
from commands.planning.recurrence import RuleText, SetRecurrence, StopRecurrence
from domain.permission import Permission
from domain.planning.repeat_rule import NeverRepeats, RecurrenceNotValid
from domain.work.project.errors import ProjectIsArchived
from domain.work.task.recurrence_events import RepeatAfter
from eventstore.identifiers import new_id


class WantedRecurrence(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of how a task repeats.

    `rrule` is a rule of RFC 5545 on whole days, such as `FREQ=WEEKLY;BYDAY=MO`.
    """

    rrule: RuleText
    after: RepeatAfter = RepeatAfter.SCHEDULE


class TaskRecurrenceController(Controller):
    """How a task repeats."""

    path = "/api/task/{task:str}/recurrence"
    tags = ("Tasks",)

    @put(
        "/",
        opt=needs(
            Permission.TASK_EDIT, fails=(NeverRepeats, ProjectIsArchived, RecurrenceNotValid)
        ),
        responses=shows(TaskDetail),
    )
    async def repeat(
        self, request: ApiRequest, task: TaskRef, data: JSONBody[WantedRecurrence]
    ) -> ApiResponse:
        """Let a task repeat: the next one is made on its day, or once this one is finished.

        Days begin in the time zone of the organization. The next task takes over what describes
        the work, and its start and due dates are moved; only the newest task of a series repeats.
        """
        task_id = await task_id_of(request, task)
        command = SetRecurrence(
            task_id=task_id, series_id=new_id(), rrule=data.rrule, after=data.after
        )
        return await change_task(request, command)

    @delete(
        "/",
        status_code=200,
        opt=needs(Permission.TASK_EDIT, fails=(ProjectIsArchived,)),
        responses=shows(TaskDetail),
    )
    async def stop(self, request: ApiRequest, task: TaskRef) -> ApiResponse:
        """Let a task no longer repeat. The tasks that were made stay."""
        task_id = await task_id_of(request, task)
        return await change_task(request, StopRecurrence(task_id=task_id))
