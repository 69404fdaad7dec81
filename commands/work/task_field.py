"""The values that commands on tasks set in custom fields."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from commands.base import Context
from commands.reads import Reads
from commands.sight import refuse_unless_concerned
from domain.base import UserId
from domain.planning.field import CHOOSING, Field, FieldNotInUse, stream_of_field
from domain.work.project.state import Project
from domain.work.task import filling
from domain.work.task.custom_field import (
    FieldInput,
    FieldKey,
    FieldType,
    FieldValueNotValid,
    UnknownField,
    texts_of,
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
    if not field.created or _not_offered(field, value):
        field = await read(Field, stream)
    if not field.created:
        raise UnknownField(key=key)
    texts = texts_of(key, field.kind, value)
    if field.kind in CHOOSING and not {*texts} <= {*field.options}:
        raise FieldValueNotValid(key=key, type=field.kind)
    events = filling.fill(task, key, field.kind, texts)
    if events and texts and (field.deleted or _not_offered(field, value)):
        raise FieldNotInUse(key=key)
    if field.kind is FieldType.USER and events:
        for text in texts:
            await refuse_unless_concerned(read, context, project, UserId(UUID(text)))
    return events


def _not_offered(field: Field, value: FieldInput | None) -> bool:
    """Return whether *value* is an option that tasks do not get."""
    if value is None or field.kind not in CHOOSING:
        return False
    return bool({*texts_of(field.key, field.kind, value)}.difference(field.offered))
