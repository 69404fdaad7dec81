"""Setting and removing the values that a task has in custom fields."""

from collections.abc import Sequence

from domain.work.task.custom_field import (
    FIELD_VALUES_MAX,
    FieldType,
    TaskFieldSet,
    TooManyFieldValues,
    joined_texts,
    values_of,
    with_value,
)
from domain.work.task.events import TaskEvent
from domain.work.task.state import Task


def fill(task: Task, key: str, kind: FieldType, texts: Sequence[str]) -> list[TaskEvent]:
    """Return the events that give *task* the value *texts* in a field, none if it has that.

    :raises TooManyFieldValues: it has values in ``FIELD_VALUES_MAX`` fields.
    """
    before = values_of(task.fields, key)
    if before == (*texts,):
        return []
    event = TaskFieldSet(key=key, kind=kind, from_=joined_texts(before), to=joined_texts(texts))
    filled = {one.partition(":")[0] for one in with_value(task.fields, event)}
    if not before and len(filled) > FIELD_VALUES_MAX:
        raise TooManyFieldValues(limit=FIELD_VALUES_MAX)
    return [event]


def empty(task: Task) -> list[TaskEvent]:
    """Return the events that remove every value of *task*, as for a project without its fields."""
    kinds = dict(one.split(":", 2)[:2] for one in task.fields)
    return [each for key, kind in kinds.items() for each in fill(task, key, FieldType(kind), ())]
