"""Pages of tasks, of one project or of several, as filters and an order ask for them."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import asdict

from api.http.paging import Paging, wait_for_own_writes
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.work.project_key import project_id_of
from api.work.sight import project_here, projects_seen
from api.work.tasks.detail import Viewer, tasks_in_full, viewer_of
from api.work.tasks.field_order import by_field
from api.work.tasks.filters import AskedTasks
from domain.base import NotFound, ProjectId
from domain.work.project.state import Project
from projections.engine.query import ListSlice
from projections.work.dashboard import Now
from projections.work.task_field_order import FieldOrder
from projections.work.task_list import Lane, TaskSort, find_tasks, find_tasks_by_key, lanes_of
from projections.work.workflow import keys_within


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
        for key in self.statuses():
            project.workflow.status(key)
        paging = self.paging(request)
        after = paging.key(cursor)
        await wait_for_own_writes(request, "tasks")
        projects = {project_id: project}
        viewer = await viewer_of(request)
        page = await self._found(request, viewer, projects, limit, after)
        return paging.answer(await tasks_in_full(request, viewer, page, projects), limit)

    async def across_projects(
        self, request: ApiRequest, chosen: str | None, limit: int, cursor: str | None
    ) -> ApiResponse:
        """Return a page of the tasks of the projects *chosen* by id or key, or of all.

        :raises NotFound: a chosen one does not exist, or not for the caller.
        """
        paging = self.paging(request, project=chosen)
        after = paging.key(cursor)
        await wait_for_own_writes(request, "projects", "tasks")
        projects = await _projects(request, chosen)
        viewer = await viewer_of(request)
        page = await self._found(request, viewer, projects, limit, after)
        return paging.answer(await tasks_in_full(request, viewer, page, projects), limit)

    def paging(self, request: ApiRequest, **beside: Any) -> Paging:
        """Return the pages of the list that is asked for with these filters and those *beside*."""
        return Paging(request, **beside, **asdict(self))

    async def _found(
        self,
        request: ApiRequest,
        viewer: Viewer,
        projects: Mapping[ProjectId, Project],
        limit: int,
        after: str | int | None,
    ) -> ListSlice:
        """Return the page of the tasks of *projects* that are asked for.

        Which statuses they have is asked of each project's workflow as it is now.
        """
        order, statuses, groups = self.order(), self.statuses(), self.groups()
        wanted = self.filter(Now(viewer.now, viewer.zone))
        keys = {each: keys_within(one.workflow, statuses, groups) for each, one in projects.items()}
        found = {each: within for each, within in keys.items() if within != ()}
        models, org_id = request.api.models, request.organization
        if isinstance(order, FieldOrder):
            lanes = lanes_of(found)
            return await by_field(request, lanes, wanted, order, limit, _text(after))
        if order.sort is not TaskSort.KEY:
            return await find_tasks(models, org_id, lanes_of(found), wanted, order, limit, after)
        ordered = sorted(found, key=lambda each: projects[each].key)
        lanes = [Lane((each,), found[each], projects[each].key) for each in ordered]
        return await find_tasks_by_key(models, org_id, lanes, wanted, order, limit, _text(after))


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
