"""Projects as their readers see them: one document per project."""

from datetime import datetime
from uuid import UUID

import msgspec

from domain.base import OrgId, ProjectId, UserId
from domain.work.project.events import ProjectEvent, ProjectStatus
from domain.work.project.state import Project
from eventstore.recorded import Recorded
from projections.base import AggregateProjection, View, tags_of
from projections.engine.find import PAGE_DEFAULT, ReadModels
from projections.engine.query import ListSlice, Query
from projections.shape import Index, Value

_encode = msgspec.json.Encoder().encode


class ProjectView(View, frozen=True, kw_only=True):
    """A project as the API shows it."""

    id: ProjectId
    key: str
    name: str
    description: str | None
    status: ProjectStatus
    lead: UserId | None
    workflow: str
    updated_at: datetime
    version: int


def render_project(project_id: UUID, project: Project, version: int, updated_at: datetime) -> bytes:
    """Return the JSON of *project*, the same after a command as in a later GET."""
    view = ProjectView(
        id=ProjectId(project_id),
        key=project.key,
        name=project.name,
        description=project.description,
        status=project.status,
        lead=project.lead,
        workflow=project.workflow,
        updated_at=updated_at,
        version=version,
    )
    return _encode(view)


class Projects(AggregateProjection[Project]):
    """Projects by id, and by organization in the order of their keys."""

    name = "projects"
    tags = tags_of(ProjectEvent)
    state = Project
    indexes = (
        Index(("org", "deleted"), "key"),
        Index(("org", "deleted", "status"), "key"),
    )

    def render(self, key: str, state: Project, recorded: Recorded) -> bytes:
        return render_project(recorded.stream_id, state, recorded.version, recorded.at)


async def projects_of(
    models: ReadModels,
    org_id: OrgId,
    status: ProjectStatus | None = None,
    limit: int = PAGE_DEFAULT,
    after: str | None = None,
) -> ListSlice:
    """Return projects of the organization in the order of their keys, those above *after*."""
    where: dict[str, Value] = {"org": str(org_id), "deleted": False}
    if status is not None:
        where["status"] = status.value
    query = Query(model="projects", where=where, sort="key", limit=limit, above=after)
    return await models.page(query)
