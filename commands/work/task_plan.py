"""What commands on tasks set beside its own fields: custom ones, a cycle, mentions of people."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from commands.base import Context
from commands.reads import Reads
from commands.sight import refuse_unless_concerned
from domain.base import CycleId, MilestoneId, NotFound, ProjectId, UserId
from domain.planning.accepting import field_texts, is_not_offered
from domain.planning.cycle import Cycle
from domain.planning.field import Field, FieldNotInUse, stream_of_field
from domain.planning.milestone import Milestone
from domain.work.project.state import Project
from domain.work.task import filling, planning, watching
from domain.work.task.custom_field import (
    FieldInput,
    FieldKey,
    FieldType,
)
from domain.work.task.events import TaskEvent
from domain.work.task.state import Task

FIELDS_AT_ONCE = 50
FieldInputs = Annotated[dict[FieldKey, FieldInput | None], Meta(max_length=FIELDS_AT_ONCE)]
"""Values by the keys of their fields; null removes one."""
NO_VALUES = dict[str, FieldInput | None]
"""Makes the default of a field of the type ``FieldInputs``."""


async def fill_in(
    read: Reads,
    context: Context,
    project: Project,
    task: Task,
    values: Mapping[str, FieldInput | None],
) -> list[TaskEvent]:
    """Return the events that give *task*, which is in *project*, these values.

    :raises UnknownField: the project has no such field.
    :raises FieldValueNotValid: a value is not of the type of its field, or no option of it.
    :raises FieldNotInUse: a field is in the trash, or an option is retired.
    """
    events: list[TaskEvent] = []
    for key, value in values.items():
        for each in await _filled(read, context, project, task, (key, value)):
            task = task.evolve(each)
            events.append(each)
    return events


async def _filled(
    read: Reads,
    context: Context,
    project: Project,
    task: Task,
    wanted: tuple[str, FieldInput | None],
) -> list[TaskEvent]:
    key, value = wanted
    assert task.project_id is not None  # noqa: S101 - it is here
    stream = stream_of_field(task.project_id, key)
    # Its type never changes, and the append checks what else could. So its stream need not be
    # verified, unless it is refused by what is in memory, which may be old.
    field = await read.settled(Field, stream)
    if field.created_at is None or is_not_offered(field, value):
        field = await read(Field, stream)
    texts = field_texts(field, key, value)
    events = filling.fill(task, key, field.kind, texts)
    if events and texts and (field.deleted or is_not_offered(field, value)):
        raise FieldNotInUse(key=key)
    if field.kind is FieldType.USER and events:
        for text in texts:
            await refuse_unless_concerned(read, context, project, UserId(UUID(text)))
    return events


class Planned(Struct, frozen=True, kw_only=True):
    """Into which cycle and towards which milestone a command puts a task; None is none."""

    cycle_id: CycleId | UnsetType | None = UNSET
    milestone_id: MilestoneId | UnsetType | None = UNSET

    @property
    def somewhere(self) -> bool:
        """Whether it puts a task into a cycle or towards a milestone."""
        return bool(self.cycle_id or self.milestone_id)


NOT_PLANNED = Planned()


async def put(read: Reads, task: Task, wanted: Planned) -> list[TaskEvent]:
    """Return the events that put *task* where it is *wanted*.

    Where a part of a plan belongs never changes, so the append need not verify its stream; whether
    it is in the trash is counted, and checked there.

    :raises NotFound: the project of the task has no such part.
    """
    events: list[TaskEvent] = []
    if wanted.cycle_id is not UNSET:
        if wanted.cycle_id is not None:
            cycle = await read.settled(Cycle, wanted.cycle_id)
            _refuse_unless_of(task, cycle.project_id, cycle_id=wanted.cycle_id)
        events += planning.put_into(task, wanted.cycle_id)
    if wanted.milestone_id is not UNSET:
        if wanted.milestone_id is not None:
            milestone = await read.settled(Milestone, wanted.milestone_id)
            _refuse_unless_of(task, milestone.project_id, milestone_id=wanted.milestone_id)
        events += planning.put_towards(task, wanted.milestone_id)
    return events


def _refuse_unless_of(task: Task, project_id: ProjectId | None, **part: UUID) -> None:
    if project_id is None or project_id != task.project_id:
        raise NotFound(**part)


async def mention_in(
    read: Reads, context: Context, project: Project, task: Task, mentions: tuple[UserId, ...]
) -> list[TaskEvent]:
    """Return the events by which the description of *task* mentions these and no others.

    :raises NotFound: one who was not mentioned before is no member.
    :raises CannotSeeProject: one of those does not see the project.
    """
    for user_id in mentions:
        if user_id not in task.mentions:
            await refuse_unless_concerned(read, context, project, user_id)
    return watching.mention(task, tuple(dict.fromkeys(mentions)))
