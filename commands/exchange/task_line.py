"""One task as files of tasks have it, on its way in and out."""

from datetime import date
from typing import Annotated, Any, NamedTuple

from msgspec import Meta, Struct

from commands.planning.recurrence import RuleText
from commands.work.task_create import CreateTask
from commands.work.task_plan import FieldInputs, Planned
from commands.work.task_values import Description, DueTime, Estimate
from domain.base import LabelId, ProjectId, TaskId, UserId
from domain.name import Name, Title
from domain.work.task.events import Priority
from domain.work.task.imported import ExternalId
from domain.work.task.mentions import MENTIONS_MAX
from domain.work.task.recurrence_events import RepeatAfter
from domain.work.task.state import ASSIGNEES_MAX, LABELS_MAX
from domain.work.workflow.events import StatusKey

PersonName = Annotated[str, Meta(min_length=1, max_length=320)]
"""An e-mail address, or what a mapping turns into one; RFC 5321 has none that are longer."""
Mentioned = Annotated[tuple[PersonName, ...], Meta(max_length=MENTIONS_MAX)]
"""Whom a text mentions; only those who are members are kept."""


class Meant(NamedTuple):
    """What the names in a line stand for."""

    parent_id: TaskId | None
    assignees: tuple[UserId, ...]
    labels: tuple[LabelId, ...]
    planned: Planned


class TaskLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """One task of a file, with people by their addresses and labels by their names.

    ``key`` and ``files`` are only there for readers: an imported task gets the next number of its
    project, and the contents of files are not in the file.
    """

    id: ExternalId
    key: str | None = None
    title: Title
    description: Description | None = None
    mentions: Mentioned = ()
    status: StatusKey | None = None
    priority: Priority | None = None
    parent: ExternalId | None = None
    start_date: date | None = None
    due_date: date | None = None
    due_at: DueTime | None = None
    estimate: Estimate | None = None
    assignees: Annotated[tuple[PersonName, ...], Meta(max_length=ASSIGNEES_MAX)] = ()
    labels: Annotated[tuple[Name, ...], Meta(max_length=LABELS_MAX)] = ()
    cycle: Name | None = None
    milestone: Name | None = None
    fields: FieldInputs = {}
    rrule: RuleText | None = None
    repeat_after: RepeatAfter | None = None
    files: tuple[dict[str, Any], ...] = ()
    occurred_at: DueTime | None = None
    author: Name | None = None

    def creation(
        self,
        task_id: TaskId,
        project_id: ProjectId,
        meant: Meant,
    ) -> CreateTask:
        """Return the command that creates this task, with what its names stand for."""
        return CreateTask(
            task_id=task_id,
            project_id=project_id,
            title=self.title,
            description=self.description or None,
            status=self.status,
            priority=self.priority or Priority.MEDIUM,
            parent_id=meant.parent_id,
            start_date=self.start_date,
            due_date=self.due_date,
            due_at=self.due_at,
            estimate=self.estimate,
            assignees=meant.assignees,
            labels=meant.labels,
            fields=self.fields,
            planned=meant.planned,
        )


class NumberedLine(NamedTuple):
    """A line with its number in the file, from 1, and the id of the task that it would become."""

    number: int
    task_id: TaskId
    task: TaskLine
