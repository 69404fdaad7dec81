"""Task templates as their readers see them: one document per template."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec
from msgspec.structs import asdict

from domain.base import CycleId, LabelId, MilestoneId, OrgId, ProjectId, TemplateId, UserId
from domain.name import folded
from domain.planning.template.events import TemplateEvent
from domain.planning.template.state import TaskTemplate
from domain.work.task.custom_field import FieldInput
from domain.work.task.events import Priority
from eventstore.recorded import Recorded
from projections.base import AggregateProjection, View, tags_of, text_of
from projections.engine.find import PAGE_DEFAULT, ReadModels
from projections.engine.query import ListSlice, Query
from projections.shape import Index, Kind, Value

_encode = msgspec.json.Encoder().encode


class _Starting(View, frozen=True, kw_only=True):
    """What a task starts with; `startIn` and `dueIn` are days after the day of its creation."""

    status: str | None
    priority: Priority | None
    estimate: int | None
    labels: tuple[LabelId, ...]
    assignees: tuple[UserId, ...]
    start_in: int | None
    due_in: int | None
    cycle_id: CycleId | None
    milestone_id: MilestoneId | None


class SubtaskOfTemplate(_Starting, frozen=True, kw_only=True):
    """What a subtask starts with; null is what the template leaves open."""

    title: str


class TaskOfTemplate(_Starting, frozen=True, kw_only=True):
    """What a task starts with; null is what the template leaves open."""

    title: str | None
    description: str | None
    fields: dict[str, FieldInput | int]


class TemplateView(View, frozen=True, kw_only=True):
    """A task template as the API shows it; without a project it is the whole organization's."""

    id: TemplateId
    name: str
    description: str | None
    project_id: ProjectId | None
    task: TaskOfTemplate
    subtasks: list[SubtaskOfTemplate]
    created_by: UserId | None
    created_at: datetime | None
    updated_at: datetime
    deleted_at: datetime | None
    version: int


def render_template(
    template_id: UUID, template: TaskTemplate, version: int, updated_at: datetime
) -> bytes:
    """Return the JSON of *template*, the same after a command as in a later GET."""
    view = TemplateView(
        id=TemplateId(template_id),
        name=template.name,
        description=template.description,
        project_id=template.project_id,
        task=TaskOfTemplate(
            title=template.title,
            description=template.text,
            fields=template.field_values,
            **asdict(template.values),
        ),
        subtasks=[
            SubtaskOfTemplate(title=each.title, **asdict(each.values))
            for each in template.listed_subtasks
        ],
        created_by=template.created_by,
        created_at=template.created_at,
        updated_at=updated_at,
        deleted_at=updated_at if template.deleted else None,
        version=version,
    )
    return _encode(view)


class Templates(AggregateProjection[TaskTemplate]):
    """Task templates of the organization, or of a project, in the order of their names."""

    name = "templates"
    tags = tags_of(TemplateEvent)
    state = TaskTemplate
    more: ClassVar[Mapping[str, Kind]] = {"order": Kind.TEXT}
    indexes = (Index(("org", "project_id", "deleted"), "order"),)

    def render(self, key: str, state: TaskTemplate, recorded: Recorded) -> bytes:
        return render_template(recorded.stream_id, state, recorded.version, recorded.at)

    def fields(self, state: TaskTemplate) -> Mapping[str, Value]:
        # Names in the trash need not be unique, but lists do not show them.
        return {"order": folded(state.name)}


async def templates_of(
    models: ReadModels,
    org_id: OrgId,
    project_id: ProjectId | None = None,
    limit: int = PAGE_DEFAULT,
    after: str | None = None,
) -> ListSlice:
    """Return templates of a project, or the organization's, with names above *after*."""
    where: dict[str, Value] = {
        "org": text_of(org_id),
        "project_id": None if project_id is None else text_of(project_id),
        "deleted": False,
    }
    query = Query(model="templates", where=where, sort="order", limit=limit, above=after)
    return await models.page(query)
