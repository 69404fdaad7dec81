"""Commands on tasks that repeat: how they do, and the next one of a series."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Meta

from commands.base import Change, Command, Context, Decision, changes_of
from commands.reads import Reads
from commands.sight import sees_project
from commands.work.task import TaskCommand, read_task
from commands.work.task_tree import read_ancestors
from domain.base import Event, TaskId, UserId
from domain.identity.organization.state import Organization
from domain.permission import Permission
from domain.planning.field import CHOOSING, Field, stream_of_field
from domain.planning.recurrence import (
    NextTask,
    Place,
    Today,
    due_at,
    next_task,
    repeat,
    skip,
    stop,
    today,
)
from domain.planning.repeat_rule import RULE_MAX
from domain.work.label import Label
from domain.work.project.state import Project
from domain.work.task import planning
from domain.work.task.custom_field import FieldType, TaskFieldSet, joined_texts, values_of
from domain.work.task.events import (
    TaskAssigned,
    TaskCreated,
    TaskEstimated,
    TaskLabelled,
    TaskScheduled,
    TaskUnwatched,
    TaskWatched,
)
from domain.work.task.mentions import TaskMentioned
from domain.work.task.recurrence_events import (
    Recurrence,
    RepeatAfter,
    TaskOccurrenceSkipped,
    TaskRecurrenceSet,
    TaskRepeated,
)
from domain.work.task.state import OPEN_NUMBER, Task

Sees = Callable[[UserId], Awaitable[bool]]
RuleText = Annotated[str, Meta(min_length=1, max_length=RULE_MAX)]


class SetRecurrence(TaskCommand, frozen=True, kw_only=True):
    """Let a task repeat by a rule: the next one is made on its day, or once this one is finished.

    ``series_id`` is that of a new series, or with ``number`` of the one that the task was in. A
    task that repeats already stays in its own.
    """

    records = (TaskRecurrenceSet,)
    series_id: UUID
    rrule: RuleText
    after: RepeatAfter = RepeatAfter.SCHEDULE
    number: int = 1

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        task, project = await read_task(read, self.task_id)
        project.refuse_unless_editable()
        at = await today_in(read, context)
        place = Place(self.series_id, self.number)
        events = repeat(task, self.rrule, self.after, place, at)
        return changes_of(self.task_id, events)


class StopRecurrence(TaskCommand, frozen=True, kw_only=True):
    """Let a task no longer repeat."""

    records = (TaskRecurrenceSet,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        task, project = await read_task(read, self.task_id)
        project.refuse_unless_editable()
        return changes_of(self.task_id, stop(task))


class RepeatTask(Command, frozen=True, kw_only=True):
    """Make the next task of a series if it is due, and let that one repeat from now on.

    Only a worker sends this. The new task takes over what describes the work, and whoever of those
    concerned still sees it. Its subtasks, comments and files stay with the old one, and no plan
    gets it that ends some day: a cycle or a milestone.
    """

    needs: ClassVar[Permission | None] = None
    records = (
        TaskCreated,
        TaskScheduled,
        TaskEstimated,
        TaskAssigned,
        TaskWatched,
        TaskUnwatched,
        TaskMentioned,
        TaskLabelled,
        TaskFieldSet,
        TaskRecurrenceSet,
        TaskRepeated,
    )
    task_id: TaskId

    @property
    def target(self) -> UUID | None:
        return self.task_id

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        repeats = await _due(read, context, self.task_id)
        if repeats is None:
            return []
        (await read(Organization, context.organization)).refuse_unless_here()
        task, project = await read_task(read, self.task_id)
        project.refuse_unless_takes_tasks()
        if task.parent_id is not None:
            await read_ancestors(read, task.parent_id, task.project_id)
        coming = next_task(task, repeats, await today_in(read, context))
        if coming is None:
            return changes_of(self.task_id, stop(task))
        repeated = Change(self.task_id, [TaskRepeated(task_id=coming.id, date=coming.date)])
        if read.new(Task, coming.id).project_id is not None:
            return [repeated]
        events = [each async for each in _made(read, context, (task, project), coming)]
        return [Change(coming.id, events), repeated]


class SkipOccurrence(Command, frozen=True, kw_only=True):
    """Go on with the day that follows, because the task that is due was refused.

    Only a worker sends this. ``because`` is the code of what refused it.
    """

    needs: ClassVar[Permission | None] = None
    records = (TaskOccurrenceSkipped,)
    task_id: TaskId
    because: str

    @property
    def target(self) -> UUID | None:
        return self.task_id

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        if await _due(read, context, self.task_id) is None:
            return []
        task = await read(Task, self.task_id)
        return changes_of(self.task_id, skip(task, self.because, await today_in(read, context)))


async def today_in(read: Reads, context: Context) -> Today:
    """Return which day it is in the time zone of the caller's organization."""
    organization = await read(Organization, context.organization)
    return today(context.now, ZoneInfo(organization.settings.time_zone))


async def _due(read: Reads, context: Context, task_id: TaskId) -> Recurrence | None:
    """Return how a task repeats if the next one is due; else somebody was faster."""
    task = await read(Task, task_id)
    at = due_at(task)
    return task.repeats if at is not None and at <= context.now else None


async def _made(
    read: Reads, context: Context, source: tuple[Task, Project], coming: NextTask
) -> AsyncIterator[Event]:
    """Yield the events of the next task: what it takes over from the one before, in its project."""
    before, project = source
    assert before.project_id is not None  # noqa: S101 - it is here
    assert before.created_by is not None  # noqa: S101 - it is here
    start = project.workflow.start
    created = TaskCreated(
        project_id=before.project_id,
        project_key=project.key,
        number=OPEN_NUMBER,
        title=before.title,
        description=before.description,
        status=start.key,
        group=start.group,
        priority=before.priority,
        parent_id=before.parent_id,
        created_by=before.created_by,
        created_at=context.now,
    )
    task = Task().evolve(created)
    yield created
    for scheduled in planning.schedule(task, coming.schedule):
        yield scheduled
    if before.estimate is not None:
        yield TaskEstimated(from_=None, to=before.estimate)
    sees = _seeing(read, context, project)
    async for event in _people(before, sees):
        yield event
    for label_id in before.labels:
        if not (await read(Label, label_id)).deleted:
            yield TaskLabelled(label_id=label_id)
    async for event in _fields(read, before, sees):
        yield event
    if coming.repeats is not None:
        yield TaskRecurrenceSet(from_=None, to=coming.repeats)


def _seeing(read: Reads, context: Context, project: Project) -> Sees:
    """Return what tells whether somebody is still a member who sees *project*."""

    async def sees(user_id: UserId) -> bool:
        organization = await read(Organization, context.organization)
        if organization.role_of(user_id) is None:
            return False
        return await sees_project(read, context.organization, user_id, project)

    return sees


async def _people(before: Task, sees: Sees) -> AsyncIterator[Event]:
    """Yield the events that assign the same people, and let the same ones watch.

    Without those who have left or no longer see the project. Nobody is told that the description
    mentions them: that is nothing new.
    """
    assigned = [each for each in before.assignees if await sees(each)]
    watching = [each for each in before.watchers if await sees(each)]
    for user_id in assigned:
        yield TaskAssigned(user_id=user_id)
    assert before.created_by is not None  # noqa: S101 - it is here
    there = dict.fromkeys((before.created_by, *assigned))
    for user_id in watching:
        if user_id not in there:
            yield TaskWatched(user_id=user_id)
    for user_id in there:
        if user_id not in watching:
            yield TaskUnwatched(user_id=user_id)
    if before.mentions:
        yield TaskMentioned(mentions=before.mentions, added=())


async def _fields(read: Reads, before: Task, sees: Sees) -> AsyncIterator[Event]:
    """Yield the events that set the same custom fields, as far as their values are in use."""
    assert before.project_id is not None  # noqa: S101 - it is here
    for key in dict.fromkeys(one.partition(":")[0] for one in before.fields):
        field = await read(Field, stream_of_field(before.project_id, key))
        texts = () if field.deleted else values_of(before.fields, key)
        if field.kind in CHOOSING:
            texts = tuple(text for text in texts if text in field.offered)
        elif field.kind is FieldType.USER:
            texts = tuple([text for text in texts if await sees(UserId(UUID(text)))])
        if texts:
            yield TaskFieldSet(key=key, kind=field.kind, to=joined_texts(texts))
