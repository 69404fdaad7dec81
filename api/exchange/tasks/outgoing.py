"""The tasks of a project as lines of a file, a page at a time, in the order of their ranks."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from api.exchange.tasks.contents import (
    Line,
    addresses_of,
    comment_lines,
    file_lines,
    files_told,
    known_as,
    line_of,
    relation_lines,
    worklog_lines,
)
from api.exchange.tasks.packing import PackedFile
from api.http.paging import LIMIT_MAX
from api.http.request import ApiRequest
from api.work.sight import project_here
from api.work.tasks.detail import tasks_in_full, viewer_of
from commands.exchange.task_line import TaskLine
from domain.base import CycleId, LabelId, MilestoneId, OrgId, ProjectId, TaskId, UserId
from domain.planning.recurrence import rule_of_rest
from domain.work.task.custom_field import FieldShown, FieldType
from domain.work.task.imported import TaskOrigin
from projections.base import document_id
from projections.engine.find import ReadModels
from projections.engine.query import ListSlice
from projections.planning.cycle import cycles_of
from projections.planning.field import custom_fields_of
from projections.planning.milestone import milestones_of
from projections.work.label import labels_of
from projections.work.task_filter import EVERY_TASK
from projections.work.task_list import find_tasks
from projections.work.task_query import Lane, TaskOrder, TaskSort


class _Repeats(Struct, frozen=True):
    """What a file tells of how a task repeats."""

    rrule: str
    after: str
    number: int

    @property
    def rest(self) -> str:
        """The rule of what is left of its series."""
        return rule_of_rest(self.rrule, self.number)


class _Task(Struct, frozen=True, rename="camel"):
    """What a file tells of a task."""

    id: TaskId
    key: str
    title: str
    description: str | None
    mentions: tuple[UserId, ...]
    status: str
    priority: str
    parent_id: TaskId | None
    start_date: str | None
    due_date: str | None
    due_at: str | None
    estimate: int | None
    assignees: tuple[UserId, ...]
    labels: tuple[LabelId, ...]
    cycle_id: CycleId | None
    milestone_id: MilestoneId | None
    fields: dict[str, FieldShown]
    recurrence: _Repeats | None
    created_by: UserId | None
    created_at: datetime | None
    imported: TaskOrigin | None
    comments: int
    attachments: int
    time_spent_minutes: int

    @property
    def named(self) -> str:
        """By which id files know it."""
        return known_as(self.id, self.imported)


class _Named(Struct, frozen=True):
    id: UUID
    name: str


class _Custom(Struct, frozen=True):
    key: str
    type: FieldType


class _Parent(Struct, frozen=True):
    imported: TaskOrigin | None


_tasks = msgspec.json.Decoder(list[_Task]).decode
_named = msgspec.json.Decoder(_Named).decode
_custom = msgspec.json.Decoder(_Custom).decode
_parent = msgspec.json.Decoder(_Parent).decode
_List = Callable[[str | None], Awaitable[ListSlice]]
"""Returns a page of a list behind a key."""
LINE_FIELDS: tuple[str, ...] = TaskLine.__struct_encode_fields__


async def field_types(request: ApiRequest, project_id: ProjectId) -> dict[str, FieldType]:
    """Return the types of the custom fields of a project, by their keys."""
    found: dict[str, FieldType] = {}
    after: str | None = None
    while True:
        page = await custom_fields_of(
            request.api.models, request.organization, project_id, LIMIT_MAX, after
        )
        found |= {each.key: each.type for each in map(_custom, page.items)}
        if page.next_key is None:
            return found
        after = str(page.next_key)


async def lines_of(
    request: ApiRequest,
    project_id: ProjectId,
    fields: Iterable[str],
    *,
    contents: bool,
    files: list[PackedFile] | None = None,
) -> AsyncIterator[list[Line]]:
    """Yield the tasks of a project that are not in the trash, with their values in *fields*.

    With *contents*, comments, time and relations have lines behind those of their tasks. So have
    files with *files*, which gets them.

    :raises NotFound: the caller does not see the project, or no longer.
    """
    org_id, models, known = request.organization, request.api.models, frozenset(fields)
    names, after = await _names(models, org_id, project_id), None
    lanes, order = [Lane((project_id,))], TaskOrder(TaskSort.RANK)
    names_of: dict[TaskId, str] = {}
    while True:
        project = (await project_here(request, project_id)).state
        page = await find_tasks(models, org_id, lanes, EVERY_TASK, order, LIMIT_MAX, after)
        shown = await tasks_in_full(request, await viewer_of(request), page, {project_id: project})
        tasks = _tasks(b"[%b]" % shown.json)
        people, parents = await _people(models, tasks), await _parents(models, org_id, tasks)
        lines = [_line(task, names, people, parents, known) for task in tasks]
        if contents and files is None:
            await _name_files(request, tasks, lines)
        yield lines
        if contents:
            names_of |= {task.id: task.named for task in tasks}
            for task in tasks:
                yield await _beside(request, task, files)
        if page.next_key is None:
            break
        after = page.next_key
        await request.identify(fresh=True)
    if contents:
        async for lines in relation_lines(request, names_of):
            yield lines


async def _beside(request: ApiRequest, task: _Task, files: list[PackedFile] | None) -> list[Line]:
    """Return the comments on a task, its time and, with *files*, its files."""
    lines = await comment_lines(request, task.id, task.named) if task.comments else []
    if task.time_spent_minutes:
        lines += await worklog_lines(request, task.id, task.named)
    if task.attachments and files is not None:
        lines += await file_lines(request, task.id, task.named, files)
    return lines


async def _name_files(request: ApiRequest, tasks: Iterable[_Task], lines: Iterable[Line]) -> None:
    """Add to *lines* what is known about the files of their *tasks*."""
    for task, line in zip(tasks, lines, strict=True):
        if task.attachments:
            line["files"] = await files_told(request, task.id)


async def _names(models: ReadModels, org_id: OrgId, project_id: ProjectId) -> dict[UUID, str]:
    """Return the names of the labels, cycles and milestones that tasks of a project have."""
    lists: tuple[_List, ...] = (
        lambda after: labels_of(models, org_id, None, LIMIT_MAX, after),
        lambda after: labels_of(models, org_id, project_id, LIMIT_MAX, after),
        lambda after: cycles_of(models, org_id, project_id, LIMIT_MAX, after),
        lambda after: milestones_of(models, org_id, project_id, LIMIT_MAX, after),
    )
    found: dict[UUID, str] = {}
    for page_of in lists:
        after: str | None = None
        while True:
            page = await page_of(after)
            found |= {each.id: each.name for each in map(_named, page.items)}
            if page.next_key is None:
                break
            after = str(page.next_key)
    return found


async def _people(models: ReadModels, tasks: Iterable[_Task]) -> dict[UserId, str]:
    """Return the addresses of those who created tasks, are assigned to them or mentioned."""
    people = (each for one in tasks for each in (one.created_by, *one.assignees, *one.mentions))
    return await addresses_of(models, people)


async def _parents(models: ReadModels, org_id: OrgId, tasks: Iterable[_Task]) -> dict[UUID, str]:
    """Return by which ids the file knows the tasks above *tasks*."""
    ids = {document_id(org_id, each.parent_id): each.parent_id for each in tasks if each.parent_id}
    found = await models.many("tasks", list(ids)) if ids else {}
    return {ids[key]: known_as(ids[key], _parent(one).imported) for key, one in found.items()}


def _line(
    task: _Task,
    names: dict[UUID, str],
    people: dict[UserId, str],
    parents: dict[UUID, str],
    fields: frozenset[str],
) -> Line:
    origin = task.imported
    author = None if task.created_by is None else people.get(task.created_by)
    line: Line = {
        "id": task.named,
        "key": task.key,
        "title": task.title,
        "description": task.description or None,
        "mentions": [people[each] for each in task.mentions if each in people],
        "status": task.status,
        "priority": task.priority,
        "parent": None if task.parent_id is None else parents.get(task.parent_id),
        "startDate": task.start_date,
        "dueDate": task.due_date,
        "dueAt": task.due_at,
        "estimate": task.estimate,
        "assignees": [people.get(each, str(each)) for each in task.assignees],
        "labels": [names[each] for each in task.labels if each in names],
        "cycle": None if task.cycle_id is None else names.get(task.cycle_id),
        "milestone": None if task.milestone_id is None else names.get(task.milestone_id),
        "fields": {key: value for key, value in task.fields.items() if key in fields},
        "rrule": None if task.recurrence is None else task.recurrence.rest,
        "repeatAfter": None if task.recurrence is None else task.recurrence.after,
        "occurredAt": origin.occurred_at if origin else task.created_at,
        "author": origin.author if origin else author,
    }
    return line_of(line)
