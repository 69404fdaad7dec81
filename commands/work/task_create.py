"""The command that creates a task."""

from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import Meta, field

from commands.base import Change, Command, Context, Decision
from commands.reads import Reads
from commands.sight import refuse_unless_concerned, refuse_unless_sees_id
from commands.work.task import refuse_unless_sees_task
from commands.work.task_label import refuse_unless_usable
from commands.work.task_plan import (
    NO_VALUES,
    NOT_PLANNED,
    FieldInputs,
    Planned,
    fill_in,
    mention_in,
    put,
)
from commands.work.task_tree import read_ancestors
from commands.work.task_values import Description, DueTime, Estimate, Mentions, in_utc
from domain.base import LabelId, ProjectId, TaskId, UserId
from domain.name import Title
from domain.permission import Permission
from domain.work.project.state import Project
from domain.work.task import planning
from domain.work.task.custom_field import TaskFieldSet
from domain.work.task.events import (
    Priority,
    TaskAssigned,
    TaskCreated,
    TaskEstimated,
    TaskEvent,
    TaskLabelled,
    TaskSchedule,
    TaskScheduled,
    TaskWatched,
)
from domain.work.task.mentions import TaskMentioned
from domain.work.task.plan_events import TaskCycleChanged, TaskMilestoneChanged
from domain.work.task.state import ASSIGNEES_MAX, LABELS_MAX, OPEN_NUMBER, Task
from domain.work.workflow.events import StatusKey

Assignees = Annotated[tuple[UserId, ...], Meta(max_length=ASSIGNEES_MAX)]
LabelIds = Annotated[tuple[LabelId, ...], Meta(max_length=LABELS_MAX)]
_NEVER = (None, None, None)


class CreateTask(Command, frozen=True, kw_only=True):
    """Create a task in a project."""

    needs: ClassVar[Permission | None] = Permission.TASK_CREATE
    records = (
        TaskCreated,
        TaskScheduled,
        TaskEstimated,
        TaskAssigned,
        TaskMentioned,
        TaskWatched,
        TaskLabelled,
        TaskFieldSet,
        TaskCycleChanged,
        TaskMilestoneChanged,
    )
    task_id: TaskId
    project_id: ProjectId
    title: Title
    description: Description | None = None
    mentions: Mentions = ()
    status: StatusKey | None = None
    priority: Priority = Priority.MEDIUM
    parent_id: TaskId | None = None
    start_date: date | None = None
    due_date: date | None = None
    due_at: DueTime | None = None
    estimate: Estimate | None = None
    assignees: Assignees = ()
    labels: LabelIds = ()
    fields: FieldInputs = field(default_factory=NO_VALUES)
    planned: Planned = NOT_PLANNED

    async def permit(self, read: Reads, context: Context, /) -> None:
        await super().permit(read, context)
        await refuse_unless_sees_id(read, context, self.project_id)

    async def permit_repeat(self, read: Reads, context: Context, made: UUID, /) -> None:
        await refuse_unless_sees_task(read, context, TaskId(made))  # it may have been moved

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        project = await read(Project, self.project_id)
        project.refuse_unless_takes_tasks()
        if self.parent_id is not None:
            await read_ancestors(read, self.parent_id, self.project_id)
        new = read.new(Task, self.task_id)
        if new.project_id is not None:
            return []
        workflow = project.workflow
        begun = workflow.start if self.status is None else workflow.status(self.status)
        created = TaskCreated(
            project_id=self.project_id,
            project_key=project.key,
            number=OPEN_NUMBER,
            title=self.title,
            description=self.description,
            status=begun.key,
            group=begun.group,
            priority=self.priority,
            parent_id=self.parent_id,
            created_by=context.user_id,
            created_at=context.now,
        )
        more: list[TaskEvent] = []
        if not self._is_plain:
            more = await self._more(read, context, project, new.evolve(created))
        return [Change(self.task_id, [created, *more])]

    @property
    def _is_plain(self) -> bool:
        """Whether nothing else is known about the new task."""
        dates = (self.start_date, self.due_date, self.due_at)
        return (
            dates == _NEVER
            and self.estimate is None
            and not (self.assignees or self.labels or self.mentions)
            and not (self.fields or self.planned.somewhere)
        )

    async def _more(
        self, read: Reads, context: Context, project: Project, task: Task
    ) -> list[TaskEvent]:
        """Return the events with what else is known about the new task."""
        wanted = TaskSchedule(
            start_date=self.start_date, due_date=self.due_date, due_at=in_utc(self.due_at)
        )
        events = planning.schedule(task, wanted)
        if self.estimate is not None:
            events += planning.estimate(task, self.estimate)
        for user_id in dict.fromkeys(self.assignees):
            await refuse_unless_concerned(read, context, project, user_id)
            assigned = TaskAssigned(user_id=user_id)
            events.append(assigned)
            task = task.evolve(assigned)
        events += await mention_in(read, context, project, task, self.mentions)
        for label_id in dict.fromkeys(self.labels):
            await refuse_unless_usable(read, label_id, self.project_id)
            events.append(TaskLabelled(label_id=label_id))
        events += await fill_in(read, context, project, task, self.fields)
        return [*events, *await put(read, task, self.planned)]
