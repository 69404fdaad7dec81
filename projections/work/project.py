"""Projects as their readers see them: one document per project."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from domain.base import OrgId, ProjectId, TeamId, UserId
from domain.work.project.events import ProjectEvent, ProjectStatus, Visibility
from domain.work.project.state import Project
from domain.work.workflow.events import Preset
from domain.work.workflow.state import PRESETS, STANDARD
from eventstore.recorded import Recorded
from projections.base import (
    AggregateProjection,
    Document,
    View,
    document_id,
    tags_of,
    text_of,
)
from projections.engine.find import PAGE_DEFAULT, ReadModels
from projections.engine.query import LIMIT_MAX, ListSlice, Query
from projections.shape import Index, Kind, Value

_encode = msgspec.json.Encoder().encode


class ProjectView(View, frozen=True, kw_only=True):
    """A project as the API shows it."""

    id: ProjectId
    key: str
    name: str
    description: str | None
    status: ProjectStatus
    lead_id: UserId | None
    team_id: TeamId | None
    visibility: Visibility
    workflow: Preset | None
    updated_at: datetime
    deleted_at: datetime | None
    version: int


def render_project(project_id: UUID, project: Project, version: int, updated_at: datetime) -> bytes:
    """Return the JSON of *project*, the same after a command as in a later GET."""
    view = ProjectView(
        id=ProjectId(project_id),
        key=project.key,
        name=project.name,
        description=project.description,
        status=project.status,
        lead_id=project.lead_id,
        team_id=project.team_id,
        visibility=project.visibility,
        workflow=project.workflow.preset,
        updated_at=updated_at,
        deleted_at=updated_at if project.deleted else None,
        version=version,
    )
    return _encode(view)


class _Shown(Struct, frozen=True):
    id: ProjectId


_id_in = msgspec.json.Decoder(_Shown).decode


class Projects(AggregateProjection[Project]):
    """Projects by id, and by organization in the order of their keys."""

    name = "projects"
    version = 8
    tags = tags_of(ProjectEvent)
    state = Project
    left_out = frozenset({"workflow"})
    more: ClassVar[Mapping[str, Kind]] = {"preset": Kind.TEXT}
    indexes = (
        Index(("org", "deleted"), "key"),
        Index(("org", "deleted", "status"), "key"),
        Index(("org", "deleted", "lead_id"), "key"),
        Index(("org", "deleted"), "key", contains="members"),
    )

    def render(self, key: str, state: Project, recorded: Recorded) -> bytes:
        return render_project(recorded.stream_id, state, recorded.version, recorded.at)

    def fields(self, state: Project) -> Mapping[str, Value]:
        return {"preset": state.workflow.preset}

    def state_of(self, document: Document) -> Project:
        """Return the stored project; of its workflow it shows only which one it is."""
        preset = document.fields["preset"]
        workflow = (
            replace(STANDARD, preset=None) if preset is None else PRESETS[Preset(str(preset))]
        )
        return replace(super().state_of(document), workflow=workflow)


async def projects_of(  # noqa: PLR0913, PLR0917 - the list, its filters and its page
    models: ReadModels,
    org_id: OrgId,
    status: ProjectStatus | None = None,
    limit: int = PAGE_DEFAULT,
    after: str | None = None,
    hidden: frozenset[ProjectId] = frozenset(),
) -> ListSlice:
    """Return projects of the organization in the order of their keys, those above *after*.

    Those that are *hidden* from whoever asks are left out (``commands/sight.py``).
    """
    where: dict[str, Value] = {"org": str(org_id), "deleted": False}
    if status is not None:
        where["status"] = status.value
    query = Query(model="projects", where=where, sort="key", limit=limit, above=after)
    if hidden:
        ids = sorted(document_id(org_id, each) for each in hidden)
        query = replace(query, without=("id", ids))
    return await models.page(query)


async def projects_of_person(models: ReadModels, org_id: OrgId, user_id: UserId) -> list[ProjectId]:
    """Return the projects that a person leads or is a member of."""
    where: dict[str, Value] = {"org": text_of(org_id), "deleted": False}
    led = Query(
        model="projects", where={**where, "lead_id": text_of(user_id)}, sort="key", limit=LIMIT_MAX
    )
    joined = Query(
        model="projects",
        where=where,
        contains=("members", text_of(user_id)),
        sort="key",
        limit=LIMIT_MAX,
    )
    found: dict[ProjectId, None] = {}
    for query in (led, joined):
        found.update(dict.fromkeys(await _all_ids(models, query)))
    return list(found)


async def ids_of_projects(
    models: ReadModels, org_id: OrgId, hidden: frozenset[ProjectId]
) -> list[ProjectId]:
    """Return all projects of the organization that are not in the trash, without the *hidden*."""
    where: dict[str, Value] = {"org": text_of(org_id), "deleted": False}
    query = Query(model="projects", where=where, sort="key", limit=LIMIT_MAX)
    return [each for each in await _all_ids(models, query) if each not in hidden]


async def ids_of_all_projects(models: ReadModels, org_id: OrgId) -> list[ProjectId]:
    """Return all projects of the organization, those in the trash too."""
    found: list[ProjectId] = []
    for deleted in (False, True):
        where: dict[str, Value] = {"org": text_of(org_id), "deleted": deleted}
        query = Query(model="projects", where=where, sort="key", limit=LIMIT_MAX)
        found += await _all_ids(models, query)
    return found


async def has_deleted_projects(models: ReadModels, org_id: OrgId) -> bool:
    """Return whether the organization has a project in the trash, or one that is purged."""
    where: dict[str, Value] = {"org": text_of(org_id), "deleted": True}
    return bool((await models.page(Query(model="projects", where=where, sort="key", limit=1))).size)


async def _all_ids(models: ReadModels, query: Query) -> list[ProjectId]:
    page = await models.page(query)
    found = [_id_in(item).id for item in page.items]
    while page.next_key is not None:
        page = await models.page(replace(query, above=page.next_key))
        found += [_id_in(item).id for item in page.items]
    return found
