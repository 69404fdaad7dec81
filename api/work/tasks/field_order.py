"""Pages of tasks in the order of a custom field."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from api.http.problem import Problem
from api.http.request import ApiRequest
from commands.states import Loaded
from domain.base import ProjectId
from domain.planning.field import CHOOSING, Field, stream_of_field
from domain.work.task.custom_field import FieldType
from projections.engine.query import ListSlice
from projections.work.field_order.sorting import (
    SORTED_MAX,
    FieldKinds,
    FieldOrder,
    FoundTask,
    TooManyTasks,
    sorted_page,
    tasks_with_values,
)
from projections.work.field_order.walking import (
    WALKED,
    FieldWalk,
    OfferedOptions,
    tasks_in_field_order,
)
from projections.work.task_filter import TaskFilter
from projections.work.task_query import Lane

PROJECTS_MAX = 200
"""In how many projects an index is walked: in each, the options of the field are read."""
TOO_MANY = (422, "too_many_to_sort")
"""How a list refuses to be sorted by a custom field."""


class AskedOrder(NamedTuple):
    """Which tasks are asked for, in which order.

    ``alone`` are the lanes once more, each of one project, in the order of their keys.
    """

    wanted: TaskFilter
    order: FieldOrder
    alone: Sequence[Lane]


async def by_field(
    request: ApiRequest,
    lanes: Sequence[Lane],
    asked: AskedOrder,
    limit: int,
    after: str | None,
) -> ListSlice:
    """Return a page of tasks in the order of a custom field.

    If there are many, an index tells the order, in up to ``PROJECTS_MAX`` projects.

    :raises Problem: 422 if they are too many, or became so behind the first page.
    """
    models, org_id, order = request.api.models, request.organization, asked.order
    if after is not None and after.startswith(WALKED):
        return await _walked(request, lanes, asked, limit, after)
    try:
        found = await tasks_with_values(models, org_id, lanes, asked.wanted, order.key)
    except TooManyTasks:
        if after is None and asked.wanted.among is None and len(asked.alone) <= PROJECTS_MAX:
            return await _walked(request, lanes, asked, limit, after)
        detail = "There are too many tasks to sort them by a custom field. Add filters."
        raise Problem(*TOO_MANY, detail, details={"limit": SORTED_MAX}) from None
    return sorted_page(found, order, await _kinds(request, found, order.key), limit, after)


async def _walked(
    request: ApiRequest,
    lanes: Sequence[Lane],
    asked: AskedOrder,
    limit: int,
    after: str | None,
) -> ListSlice:
    options = await _options(request, [each.projects[0] for each in asked.alone], asked.order.key)
    walk = FieldWalk(lanes, asked.alone, asked.wanted, asked.order, options)
    return await tasks_in_field_order(request.api.models, request.organization, walk, limit, after)


async def _options(request: ApiRequest, projects: Sequence[ProjectId], key: str) -> OfferedOptions:
    """Return the options of a field in those projects that have one with options."""
    org_id, commands = request.organization, request.api.system.commands
    streams: dict[UUID, ProjectId] = {stream_of_field(each, key): each for each in projects}
    heads = await request.api.system.log.heads(dict.fromkeys(streams, org_id))
    wanted = [(Field, stream) for stream in heads]
    loaded: list[Loaded[Field]] = await commands.states.all_fresh(wanted, org_id, {**heads})
    found = [(streams[stream], one.state) for (_, stream), one in zip(wanted, loaded, strict=True)]
    return {project: field.options for project, field in found if field.kind in CHOOSING}


async def _kinds(request: ApiRequest, found: Sequence[FoundTask], key: str) -> FieldKinds:
    """Return what the field is in each project whose tasks have a value."""
    projects: dict[ProjectId, None] = dict.fromkeys(
        task.project_id for task in found if task.value is not None
    )
    if not projects:
        return FieldKinds()
    states = request.api.system.commands.states
    wanted = [(Field, stream_of_field(each, key)) for each in projects]
    loaded: list[Loaded[Field]] = await states.all_fresh(wanted, request.organization)
    fields = {each: one.state for each, one in zip(projects, loaded, strict=True)}
    return FieldKinds(
        ranks={
            each: {option: n for n, option in enumerate(one.options)}
            for each, one in fields.items()
            if one.kind in CHOOSING
        },
        of_days={each for each, one in fields.items() if one.kind is FieldType.DATE},
    )
