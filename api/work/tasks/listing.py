"""Pages of tasks, of one project or of several, as filters and an order ask for them."""

from collections.abc import Collection, Container, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from msgspec.structs import replace

from api.http.paging import Answered, Paging, as_of_own_writes
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.work.project_key import project_id_of
from api.work.sight import led_among, project_here, projects_seen
from api.work.tasks.blocked import hides_blockers
from api.work.tasks.detail import Timed, Viewer, tasks_timed, viewer_of
from api.work.tasks.field_order import AskedOrder, by_field
from api.work.tasks.filters import AskedTasks, Parsed
from api.work.tasks.sieve import Sieve, sifted
from api.work.tasks.words import named_in, tasks_with, words_asked
from domain.base import CycleId, NotFound, ProjectId, UserId
from domain.identity.organization.membership import Role
from domain.identity.organization.state import Organization
from domain.permission import Permission
from domain.work.project.state import Project
from projections.engine.query import ListSlice
from projections.exchange.keys_named import NO_PROJECTS_NAMED, NamedProjects
from projections.planning.cycle import cycles_on
from projections.work.dashboard import Now
from projections.work.field_order.sorting import FieldOrder
from projections.work.task_filter import TaskFilter
from projections.work.task_list import find_columns, find_tasks, find_tasks_by_key
from projections.work.task_query import Lane, TaskOrder, TaskSort, lanes_of
from projections.work.workflow import keys_within

_READ = ("projects", "tasks", "searched_texts")
"""The read models of a list that asks for words, or for what is blocked."""

_ORDERED = "priority"
"""What cursors are bound to: those are refused that were made before tasks with one priority were
listed in the order of priorities.
"""
NO_CYCLE = CycleId(UUID(int=0))
"""A cycle that no task is in."""


class TaskPages(AskedTasks, frozen=True, kw_only=True):
    """Lists, page by page, of the tasks that the filters of a request ask for."""

    async def of_project(
        self, request: ApiRequest, project_id: ProjectId, limit: int, cursor: str | None
    ) -> ApiResponse:
        """Return a page of the tasks of one project.

        :raises NotFound: it does not exist, or not for the caller.
        :raises UnknownStatus: its workflow has no status that is asked for.
        """
        project = (await project_here(request, project_id)).state
        parsed = self.parsed()
        for key in (*parsed.statuses, *parsed.statuses_left_out):
            project.workflow.status(key)
        paging = self.paging(request, parsed)
        after = paging.key(cursor)
        as_of = await as_of_own_writes(request, *self.read)

        async def make() -> Answered:
            made = await self.among(request, {project_id: project}, limit, after)
            return Answered(paging.answer(made.page, limit), made.until)

        return await paging.kept(as_of, limit, cursor, make)

    async def across_projects(
        self, request: ApiRequest, chosen: str | None, limit: int, cursor: str | None
    ) -> ApiResponse:
        """Return a page of the tasks of the projects *chosen* by id or key, or of all.

        :raises NotFound: a chosen one does not exist, or not for the caller.
        """
        parsed = self.parsed()
        paging = self.paging(request, parsed, project=chosen)
        after = paging.key(cursor)
        as_of = await as_of_own_writes(request, *{"projects": None, **dict.fromkeys(self.read)})

        async def make() -> Answered:
            projects = await _projects(request, chosen)
            made = await self.among(request, projects, limit, after)
            return Answered(paging.answer(made.page, limit), made.until)

        return await paging.kept(as_of, limit, cursor, make)

    def paging(self, request: ApiRequest, parsed: Parsed, **beside: Any) -> Paging:
        """Return the pages of the list that is asked for with these filters and those *beside*."""
        return Paging(request, bound=_ORDERED, **beside, **parsed.told)

    @property
    def read(self) -> tuple[str, ...]:
        """The read models that tell which tasks of a project the lists show."""
        sifted = self.blocked is not None or self.q is not None
        return (*(_READ if sifted else ("tasks",)), *(("cycles",) * self.parsed().current))

    async def among(
        self,
        request: ApiRequest,
        projects: Mapping[ProjectId, Project],
        limit: int,
        after: str | int | None,
    ) -> Timed:
        """Return the page of the tasks of *projects* that are asked for, in full."""
        asked = await self.looked_up(request, projects)
        return await asked.page(request, limit, after)

    async def looked_up(
        self, request: ApiRequest, projects: Mapping[ProjectId, Project]
    ) -> "AskedPages":
        """Return what is asked for of *projects*, with all that is looked up once for its pages."""
        parsed = self.parsed()
        viewer, named = await viewer_of(request), NO_PROJECTS_NAMED
        if self.q is not None:
            named = await named_in(request, words_asked(self.q), projects)
        wanted = await self._wanted(request, parsed, viewer, named)
        if parsed.current:
            wanted = replace(wanted, cycles=await _with_current(request, wanted, viewer, projects))
        words = None if self.q is None else words_asked(self.q)
        sieve = Sieve(words=words, named=named, blocked=self.blocked, left_out=parsed.left_out)
        return AskedPages(projects, parsed, viewer, wanted, sieve)

    async def _wanted(
        self, request: ApiRequest, parsed: Parsed, viewer: Viewer, named: NamedProjects
    ) -> TaskFilter:
        """Return what the read model is asked for, which may be more than what is shown."""
        wanted = parsed.filter(viewer.now, viewer.zone)
        if self.blocked is False and await hides_blockers(request):
            wanted = replace(wanted, blocked=None)
        if self.q is not None:
            asked = words_asked(self.q)
            # No text in the trash is searched for: there, all tasks are looked at.
            if not wanted.hidden:
                wanted = replace(wanted, among=await tasks_with(request, asked, named))
        return wanted


class AskedPages(NamedTuple):
    """Pages of tasks of some projects, of which everything is known but how far they are read."""

    projects: Mapping[ProjectId, Project]
    parsed: Parsed
    viewer: Viewer
    wanted: TaskFilter
    sieve: Sieve

    async def page(
        self,
        request: ApiRequest,
        limit: int,
        after: str | int | None,
        begun: ListSlice | None = None,
    ) -> Timed:
        """Return a page, in full; *begun* is what the read model finds for it, if that is known."""
        parsed, viewer, wanted, sieve = self.parsed, self.viewer, self.wanted, self.sieve
        if not sieve.compares:
            found = begun or await _found(request, parsed, wanted, self.projects, limit, after)
            made = await tasks_timed(request, viewer, found, self.projects)
            if sieve.blocked is wanted.blocked and not (made.freed and sieve.blocked):
                return _as_of(viewer, parsed, made)
        find = partial(_found, request, parsed, wanted, self.projects, keyed=True)
        show = partial(tasks_timed, request, viewer, projects=self.projects)
        return _as_of(viewer, parsed, await sifted(sieve, find, show, limit, after))

    async def columns(
        self, request: ApiRequest, statuses: Sequence[str], limit: int, after: str | None
    ) -> list[Timed]:
        """Return a page of the tasks of the only project for each status, by their ranks."""
        [(project_id, project)] = self.projects.items()
        order = TaskOrder(TaskSort.RANK)
        begun: list[ListSlice | None] = [None] * len(statuses)
        if not self.sieve.compares:
            keys = [keys_within(project.workflow, (each,), self.parsed.groups) for each in statuses]
            lanes = [Lane((project_id,), within) for within in keys]
            models, org_id = request.api.models, request.organization
            begun = [*await find_columns(models, org_id, lanes, self.wanted, order, limit, after)]
        return [
            await self._replace(parsed=replace(self.parsed, statuses=(each,), order=order)).page(
                request, limit, after, found
            )
            for each, found in zip(statuses, begun, strict=True)
        ]


def _as_of(viewer: Viewer, parsed: Parsed, made: Timed) -> Timed:
    """Return a page with the time until which it holds: as time goes by, tasks come and go."""
    return made._replace(until=viewer.now) if parsed.depends_on_time else made


async def _with_current(
    request: ApiRequest, wanted: TaskFilter, viewer: Viewer, projects: Collection[ProjectId]
) -> tuple[CycleId, ...]:
    """Return the cycles that are asked for with those of *projects* that run today."""
    today = Now(viewer.now, viewer.zone).today
    running = await cycles_on(request.api.models, request.organization, projects, today)
    return (*wanted.cycles, *running) or (NO_CYCLE,)


async def _found(  # noqa: PLR0913, PLR0917 - the list, its filter and its page
    request: ApiRequest,
    parsed: Parsed,
    wanted: TaskFilter,
    projects: Mapping[ProjectId, Project],
    limit: int,
    after: str | int | None,
    *,
    keyed: bool = False,
) -> ListSlice:
    """Return the page of the tasks of *projects* that are *wanted*, with sort keys if *keyed*.

    Which statuses they have is asked of each project's workflow as it is now.
    """
    order = parsed.order
    told = parsed.statuses, parsed.groups, parsed.statuses_left_out
    found = [
        (each, within)
        for each, one in projects.items()
        if (within := keys_within(one.workflow, *told)) != ()
    ]
    own = await _owned(request, projects) if wanted.hidden else frozenset[ProjectId]()
    models, org_id, creator = request.api.models, request.organization, request.caller.user_id
    if own and wanted.creators and creator not in wanted.creators:
        found = [each for each in found if each[0] not in own]
    if isinstance(order, FieldOrder) or order.sort is not TaskSort.KEY:
        lanes = lanes_of([each for each in found if each[0] not in own] if own else found)
        if own:
            owned = lanes_of([each for each in found if each[0] in own])
            lanes += [lane._replace(creator=creator) for lane in owned]
        if isinstance(order, FieldOrder):
            alone = _alone(found, projects, own, creator)
            asked = AskedOrder(wanted, order, alone)
            return await by_field(request, lanes, asked, limit, _text(after))
        return await find_tasks(models, org_id, lanes, wanted, order, limit, after, keyed=keyed)
    alone, key = _alone(found, projects, own, creator), _text(after)
    return await find_tasks_by_key(models, org_id, alone, wanted, order, limit, key, keyed=keyed)


def _alone(
    found: Sequence[tuple[ProjectId, tuple[str, ...] | None]],
    projects: Mapping[ProjectId, Project],
    own: Container[ProjectId],
    creator: UserId,
) -> list[Lane]:
    """Return a lane for each project, in the order of their keys."""
    lanes = [
        Lane((each,), within, projects[each].key, creator if each in own else None)
        for each, within in found
    ]
    return sorted(lanes, key=lambda lane: lane.key)


async def _owned(
    request: ApiRequest, projects: Mapping[ProjectId, Project]
) -> frozenset[ProjectId]:
    """Return the projects of which the caller sees only what they created in the trash.

    :raises NotPermitted: they may not see the trash at all.
    """
    request.caller.refuse_unless_may(Permission.TRASH_READ)
    organization = (await request.newest(Organization, request.organization)).state
    if organization.role_of(request.caller.user_id) is not Role.MEMBER:
        return frozenset()
    return frozenset(projects) - await led_among(request, projects)


async def _projects(request: ApiRequest, asked: str | None) -> Mapping[ProjectId, Project]:
    """Return the projects to list the tasks of.

    :raises NotFound: one that is asked for does not exist, or not for the caller.
    """
    if asked is None:
        return await projects_seen(request)
    ids = [ProjectId(await project_id_of(request, one)) for one in asked.split(",")]
    seen = await projects_seen(request)
    if any(each not in seen for each in ids):
        raise NotFound
    return {each: seen[each] for each in ids}


def _text(after: str | int | None) -> str | None:
    return None if after is None else str(after)
