"""Pages of tasks in the order of a custom field."""

from collections.abc import Sequence
from typing import NamedTuple

from api.http.problem import Problem
from api.http.request import ApiRequest
from api.work.tasks.field_values import FieldChoice, has_values
from commands.states import Loaded
from domain.base import ProjectId
from domain.planning.field import CHOOSING, Field, stream_of_field
from projections.engine.query import ListSlice
from projections.work.task_field_order import (
    SORTED_MAX,
    FieldOrder,
    FoundTask,
    Ranks,
    TooManyTasks,
    sorted_page,
    tasks_with_values,
)
from projections.work.task_filter import TaskFilter
from projections.work.task_query import Lane

TOO_MANY = (422, "too_many_to_sort")
"""How a list refuses to be sorted by a custom field."""


class AskedOrder(NamedTuple):
    """Which tasks are asked for, by an index and by what it does not answer, in which order."""

    wanted: TaskFilter
    choices: Sequence[FieldChoice]
    order: FieldOrder


async def by_field(
    request: ApiRequest,
    lanes: Sequence[Lane],
    asked: AskedOrder,
    limit: int,
    after: str | None,
) -> ListSlice:
    """Return a page of tasks in the order of a custom field.

    :raises Problem: 422 if there are too many tasks to sort.
    """
    models, org_id, order = request.api.models, request.organization, asked.order
    try:
        found = await tasks_with_values(models, org_id, lanes, asked.wanted, order.key)
    except TooManyTasks:
        detail = "There are too many tasks to sort them by a custom field. Add filters."
        raise Problem(*TOO_MANY, detail, details={"limit": SORTED_MAX}) from None
    if asked.choices:
        found = [task for task in found if has_values(task.json, asked.choices)]
    return sorted_page(found, order, await _ranks(request, found, order.key), limit, after)


async def _ranks(request: ApiRequest, found: Sequence[FoundTask], key: str) -> Ranks:
    """Return where the options of the field stand, in each project whose tasks have a value."""
    projects: dict[ProjectId, None] = dict.fromkeys(
        task.project_id for task in found if task.value is not None
    )
    if not projects:
        return {}
    states = request.api.system.commands.states
    wanted = [(Field, stream_of_field(each, key)) for each in projects]
    loaded: list[Loaded[Field]] = await states.all_fresh(wanted, request.organization)
    return {
        project_id: {option: n for n, option in enumerate(one.state.options)}
        for project_id, one in zip(projects, loaded, strict=True)
        if one.state.kind in CHOOSING
    }
