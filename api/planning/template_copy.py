"""What a template takes over from a task: its values, and its subtasks with theirs."""

from datetime import date
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from api.http.paging import wait_for_own_writes
from api.http.request import ApiRequest
from api.planning.template_body import NAMED_MAX
from api.work.task_key import task_here
from domain.base import TaskId
from domain.identity.organization.state import Organization
from domain.planning.template.errors import TemplateTooLarge
from domain.planning.template.values import DAYS_MAX, SUBTASKS_MAX, StartingValues, Subtask
from domain.work.task.custom_field import FieldInput, shown_values
from domain.work.task.state import Task
from projections.work.task_place import subtasks_of


class _Listed(Struct, frozen=True):
    id: UUID


_listed = msgspec.json.Decoder(list[_Listed]).decode


class CopiedTask(NamedTuple):
    """A task as a template has it."""

    title: str
    text: str | None
    values: StartingValues
    fields: dict[str, FieldInput]
    subtasks: tuple[Subtask, ...]


async def copied_task(request: ApiRequest, task_id: TaskId) -> CopiedTask:
    """Return what a template takes over from a task that the caller sees.

    Its status is where it has got to, so that it is left out. Its days are counted from the day of
    its creation.

    :raises NotFound: the caller does not see it.
    :raises TemplateTooLarge: it has more subtasks than a template.
    """
    org_id = await request.own_organization()
    task = (await task_here(request, task_id))[0].state
    organization = (await request.newest(Organization, org_id)).state
    zone = ZoneInfo(organization.settings.time_zone)
    shown = shown_values(task.fields)
    below = await _below(request, task_id)
    return CopiedTask(
        title=task.title,
        text=task.description,
        values=_values_of(task, zone),
        fields={k: tuple(v) if isinstance(v, list) else v for k, v in shown.items()},
        subtasks=tuple(Subtask(title=each.title, values=_few(each, zone)) for each in below),
    )


async def _below(request: ApiRequest, task_id: TaskId) -> list[Task]:
    """Return the subtasks of a task in the order of their ranks."""
    models, org_id = request.api.models, request.organization
    await wait_for_own_writes(request, "tasks")
    page = await subtasks_of(models, org_id, task_id, SUBTASKS_MAX)
    if page.next_key is not None:
        raise TemplateTooLarge(limit=SUBTASKS_MAX)
    wanted = [(Task, each.id) for each in _listed(b"[%b]" % page.json)]
    states = request.api.system.commands.states
    found = await states.all_fresh(wanted, org_id) if wanted else []
    tasks: list[Task] = [each.state for each in found]
    return [each for each in tasks if each.parent_id == task_id and not each.deleted]


def _values_of(task: Task, zone: ZoneInfo) -> StartingValues:
    assert task.created_at is not None  # noqa: S101 - it is here
    created = task.created_at.astimezone(zone).date()
    due = task.due_date if task.due_at is None else task.due_at.astimezone(zone).date()
    start_in, due_in = _days(created, task.start_date), _days(created, due)
    if start_in is not None and due_in is not None and start_in > due_in:
        start_in = None  # it is due at a time that is still the day before here
    return StartingValues(
        priority=task.priority,
        estimate=task.estimate,
        labels=task.labels,
        assignees=task.assignees,
        start_in=start_in,
        due_in=due_in,
        cycle_id=task.cycle_id,
        milestone_id=task.milestone_id,
    )


def _few(task: Task, zone: ZoneInfo) -> StartingValues:
    """Return the values of a subtask, with as many labels and people as a template has of one."""
    values = _values_of(task, zone)
    few = {name: getattr(values, name)[:NAMED_MAX] for name in ("labels", "assignees")}
    return msgspec.structs.replace(values, **few)


def _days(created: date, day: date | None) -> int | None:
    """Return how many days after its creation something of a task is; None if it is before."""
    if day is None or not 0 <= (day - created).days <= DAYS_MAX:
        return None
    return (day - created).days
