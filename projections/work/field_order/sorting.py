"""Lists of tasks in the order of a custom field: read whole, and sorted where they are read."""

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Struct

from domain.base import OrgId, ProjectId
from domain.name import folded
from domain.work.task.custom_field import FieldShown
from projections.engine.find import ReadModels
from projections.engine.query import LIMIT_MAX, ListSlice, list_slice
from projections.work.task_filter import TaskFilter
from projections.work.task_list import find_tasks
from projections.work.task_query import Lane, TaskOrder, TaskSort

SORTED_MAX = 2_000
"""How many tasks a list sorts by a custom field; reading them takes some 30 ms of CPU."""
_ROUNDS_MAX = 10
"""How many pages are read for it, of which a filter may leave little."""

SortKey = tuple[int, int, Any, str]
"""Whether the task has a value, of which kind and which; and the task's key."""

_decode_key = msgspec.json.Decoder(SortKey).decode


class FieldKinds(NamedTuple):
    """What the field is in each project.

    ``ranks`` tell where each option stands among those of a field that has options; in the
    projects ``of_days``, it is a date.
    """

    ranks: Mapping[ProjectId, Mapping[str, int]] = {}
    of_days: Container[ProjectId] = ()


class TooManyTasks(Exception):
    """There are more tasks than a list sorts by a custom field."""


class _Task(Struct, frozen=True, rename="camel"):
    """What a task is sorted by."""

    id: UUID
    project_id: ProjectId
    key: str
    fields: dict[str, FieldShown]


_task = msgspec.json.Decoder(_Task).decode


class FieldOrder(NamedTuple):
    """The order of the values in the custom field *key*; tasks without one come last.

    Numbers sort as numbers, options as they are offered, days as days, all else as text. If it is
    ``turned``, all that is the other way round.
    """

    key: str
    turned: bool = False


class FoundTask(NamedTuple):
    """A task that is to be sorted: its project, its value and its key, and its JSON."""

    project_id: ProjectId
    value: FieldShown | None
    key: str
    json: bytes


async def tasks_with_values(
    models: ReadModels, org_id: OrgId, lanes: Sequence[Lane], wanted: TaskFilter, key: str
) -> list[FoundTask]:
    """Return all tasks of *lanes* with their values in the custom field *key*.

    :raises TooManyTasks: there are more than ``SORTED_MAX``.
    """
    found: list[FoundTask] = []
    after: Any = None
    order = TaskOrder(TaskSort.NEWEST)
    for _ in range(_ROUNDS_MAX if lanes else 0):
        page = await find_tasks(models, org_id, lanes, wanted, order, LIMIT_MAX, after)
        for item in page.items:
            task = _task(item)
            found.append(FoundTask(task.project_id, task.fields.get(key), task.key, item))
        if len(found) > SORTED_MAX:
            raise TooManyTasks
        after = page.next_key
        if after is None:
            return found
    if after is not None:
        raise TooManyTasks
    return found


def sorted_page(
    tasks: Sequence[FoundTask], order: FieldOrder, kinds: FieldKinds, limit: int, after: str | None
) -> ListSlice:
    """Return a page of *tasks* in an order, those behind the sort key *after*."""
    keyed = sorted(((_sort_key(task, kinds), task.json) for task in tasks), reverse=order.turned)
    if after is not None:
        keyed = _behind(keyed, _decode_key(after), turned=order.turned)
    shown = keyed[:limit]
    keys = [msgspec.json.encode(key).decode() for key, _ in shown]
    end = keys[-1] if len(keyed) > limit else None
    return list_slice([json for _, json in shown], end, keys)


def _behind(
    keyed: Sequence[tuple[SortKey, bytes]], after: SortKey, *, turned: bool
) -> list[tuple[SortKey, bytes]]:
    is_behind: Callable[[SortKey], bool] = after.__gt__ if turned else after.__lt__
    return [each for each in keyed if is_behind(each[0])]


def _sort_key(task: FoundTask, kinds: FieldKinds) -> SortKey:
    value, key = task.value, task.key
    if isinstance(value, list):
        value = value[0] if value else None
    if value is None:
        return (1, 0, "", key)
    if isinstance(value, float | int):
        return (0, 0, value, key)
    rank = kinds.ranks.get(task.project_id, {}).get(value)
    if rank is not None:
        return (0, 0, rank, key)
    is_day = task.project_id in kinds.of_days
    return (0, 1, value, key) if is_day else (0, 2, folded(value), key)
