"""Tasks in full: with what follows from other things, and from who asks when."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from api.http.paging import one
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.work.task_key import under_key
from api.work.tasks.blocked import BLOCKED, FREE, unblocked
from api.work.tasks.completed import Basis, CompletedPage, CompletedPages
from commands.content_counts import attachments_at, comments_on, minutes_spent_on
from commands.relation_counts import open_blockers, open_subtasks, subtasks
from commands.states import Loaded
from domain.base import OrgId, ProjectId, TaskId, UserId
from domain.identity.organization.state import Organization
from domain.work.project.state import Project
from domain.work.task.planning import is_overdue
from domain.work.task.state import Task
from domain.work.workflow.events import FINISHED, StatusGroup
from eventstore.claim import CountKey
from eventstore.log import EventLog
from projections.engine.query import ListSlice, list_slice
from projections.work.dashboard import Now
from projections.work.task import Beside, Subtasks, TaskView, render_task
from projections.work.workflow import placed
from runtime.system import System

_encode = msgspec.json.Encoder().encode
_UNCOUNTED = b'"subtasks":null}'
"""How a task ends in a list that has had subtasks."""


class TaskDetail(TaskView, frozen=True, kw_only=True):
    """A task, with what follows from other things, and from who asks when.

    ``overdue`` goes by the time zone of the organization; ``watching`` is whether the caller does.
    """

    subtasks: Subtasks
    overdue: bool
    watching: bool


class _Listed(Struct, frozen=True, rename="camel"):
    """What the rest of a task in a list follows from."""

    id: TaskId
    project_id: ProjectId
    group: StatusGroup
    due_date: date | None
    due_at: datetime | None
    watchers: tuple[UserId, ...]


_listed = msgspec.json.Decoder(list[_Listed]).decode
_completed = CompletedPages()


class Timed(NamedTuple):
    """A page of tasks, and when the next of them is overdue; None if none will be.

    ``freed`` is whether one of them is shown as free that the read model knows as blocked.
    """

    page: ListSlice
    until: datetime | None
    freed: bool = False


class Viewer(Struct, frozen=True):
    """Who looks at tasks, and when, in the time zone of the organization."""

    user_id: UserId
    now: datetime
    zone: ZoneInfo

    def completed(self, task: bytes, watching: bool, overdue: bool) -> bytes:
        """Return the JSON of a task with what depends on who looks."""
        return b'%b,"overdue":%b,"watching":%b}' % (
            task[:-1],
            b"true" if overdue else b"false",
            b"true" if watching else b"false",
        )

    def rendered(
        self, task_id: TaskId, task: Task, version: int, at: datetime, beside: Beside
    ) -> bytes:
        """Return the JSON of *task* in full."""
        shown = render_task(task_id, task, version, at, beside)
        overdue = is_overdue(task, self.now, self.zone)
        return self.completed(shown, self.user_id in task.watchers, overdue)

    def changes(self, tasks: Iterable[_Listed]) -> Iterator[datetime]:
        """Yield when each of *tasks* will be overdue that is not overdue now."""
        here = Now(self.now, self.zone)
        for task in tasks:
            when = task.due_at
            if task.due_date is not None:
                when = here.end_of(task.due_date)
            if when is not None and when >= self.now and task.group not in FINISHED:
                yield when


async def viewer_of(request: ApiRequest) -> Viewer:
    """Return the caller as a viewer of the tasks of their organization."""
    organization = (await request.newest(Organization, request.organization)).state
    zone = ZoneInfo(organization.settings.time_zone)
    return Viewer(request.caller.user_id, request.api.system.clock(), zone)


async def beside_of(system: System, org_id: OrgId, task_id: TaskId) -> Beside:
    """Return what is beside a task now."""
    log = system.log
    counts = (subtasks, open_subtasks, comments_on, attachments_at, minutes_spent_on, open_blockers)
    every, unfinished, comments, attachments, minutes, blockers = await log.counted(
        *(count(org_id, task_id) for count in counts)
    )
    blocked = blockers > 0
    if blocked:
        free = await unblocked(log, system.commands.states, org_id, [task_id])
        blocked = task_id not in free.tasks
    return Beside(
        blocked=blocked,
        comments=comments,
        attachments=attachments,
        time_spent_minutes=minutes,
        subtasks=Subtasks(every - unfinished, every),
    )


async def task_in_full(request: ApiRequest, task_id: TaskId, found: Loaded[Task]) -> ApiResponse:
    """Return the response with one task in full."""
    beside = await beside_of(request.api.system, request.organization, task_id)
    viewer = await viewer_of(request)

    def show(task: Task, version: int, at: datetime) -> bytes:
        return viewer.rendered(task_id, task, version, at, beside)

    return one(request, found, show, derived=True)


async def tasks_in_full(
    request: ApiRequest, viewer: Viewer, page: ListSlice, projects: Mapping[ProjectId, Project]
) -> ListSlice:
    """Return a page of tasks of *projects* in full, as reading each of them shows it."""
    return (await tasks_timed(request, viewer, page, projects)).page


async def tasks_timed(
    request: ApiRequest, viewer: Viewer, page: ListSlice, projects: Mapping[ProjectId, Project]
) -> Timed:
    """Return as ``tasks_in_full`` does, and when the next of these tasks is overdue."""
    log, org_id = request.api.system.log, request.organization
    seen = page.json, viewer.user_id, viewer.zone.key
    known = _completed.get(seen, viewer.now)  # none is kept of which a project may be renamed
    may_show = known is not None and not any(map(_is_renamed, projects.values()))
    if known is not None and may_show and await known.basis.holds(log, org_id):
        return Timed(ListSlice(known.json, page.size, page.next_key, page.keys), known.until)
    items, tasks = page.items, _listed(b"[%b]" % page.json)
    pairs = [*zip(tasks, items, strict=True)]
    parents = [task.id for task, item in pairs if item.endswith(_UNCOUNTED)]
    blocked = [task.id for task, item in pairs if BLOCKED in item]
    position = await log.newest_position(org_id) if parents or blocked else 0
    counts = await _counted(log, org_id, parents)
    free = await unblocked(log, request.api.system.commands.states, org_id, blocked)
    items = [i.replace(BLOCKED, FREE, 1) if t.id in free.tasks else i for t, i in pairs]
    shares = _shares(parents, counts.values())
    shown = list_slice([*_shown(viewer, tasks, items, projects, shares)], page.next_key, page.keys)
    until = min(viewer.changes(tasks), default=None)
    if free.heads is not None and not any(_is_renamed(projects[t.project_id]) for t in tasks):
        basis = Basis(position, free.heads, counts)
        _completed.keep(seen, CompletedPage(shown.json, basis, viewer.now, until))
    return Timed(shown, until, bool(free.tasks))


def _is_renamed(project: Project) -> bool:
    """Return whether tasks of *project* are shown under another key or status than stored."""
    return project.rekeyed or bool(project.workflow.moved)


def _shown(
    viewer: Viewer,
    tasks: Sequence[_Listed],
    items: Sequence[bytes],
    projects: Mapping[ProjectId, Project],
    shares: Mapping[TaskId, bytes],
) -> Iterator[bytes]:
    for task, stored in zip(tasks, items, strict=True):
        item, project = stored, projects[task.project_id]
        if _is_renamed(project):
            item = placed(under_key(list_slice([item]), project), project.workflow).json
        if task.id in shares:
            item = b'%b"subtasks":%b}' % (item[: -len(_UNCOUNTED)], shares[task.id])
        overdue = False
        if task.due_date is not None or task.due_at is not None:
            due = Task(group=task.group, due_date=task.due_date, due_at=task.due_at)
            overdue = is_overdue(due, viewer.now, viewer.zone)
        yield viewer.completed(item, viewer.user_id in task.watchers, overdue)


async def _counted(log: EventLog, org_id: OrgId, parents: Sequence[TaskId]) -> dict[CountKey, int]:
    """Return how many subtasks each of *parents* has now, and then how many of them are open."""
    if not parents:
        return {}
    keys = [count(org_id, each) for each in parents for count in (subtasks, open_subtasks)]
    return dict(zip(keys, await log.counted(*keys), strict=True))


def _shares(parents: Sequence[TaskId], counts: Iterable[int]) -> dict[TaskId, bytes]:
    """Return the JSON of how many subtasks each of *parents* has, by what ``_counted`` returns."""
    found = iter(counts)
    return {
        each: _encode(Subtasks(every - unfinished, every))
        for each, every, unfinished in zip(parents, found, found, strict=True)
    }
