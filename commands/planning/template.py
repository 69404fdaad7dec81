"""Commands on task templates."""

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType, field
from msgspec.structs import asdict, replace

from commands.base import Command, Context, Decision, changes_of
from commands.planning.fitting import Fitting, Misfit
from commands.reads import Reads
from commands.sight import refuse_unless_sees_id
from domain.base import CycleId, LabelId, MilestoneId, ProjectId, TemplateId, UserId
from domain.name import Name, Title
from domain.permission import Permission
from domain.planning.template.events import (
    TemplateCreated,
    TemplateDeleted,
    TemplateDescribed,
    TemplateEvent,
    TemplateFieldsChanged,
    TemplateRenamed,
    TemplateRestored,
    TemplateSubtasksChanged,
    TemplateTextChanged,
    TemplateTitled,
    TemplateValuesChanged,
)
from domain.planning.template.state import TaskTemplate
from domain.planning.template.values import (
    LEFT_OPEN,
    StartingValues,
    Subtask,
    joined_fields,
    subtask_titles,
)
from domain.work.project.state import Project
from domain.work.task.custom_field import FieldInput
from domain.work.task.events import Priority

_NO_FIELDS = dict[str, FieldInput | None]


class CreateTemplate(Command, frozen=True, kw_only=True):
    """Create a template for the tasks of a project or, without one, of all projects.

    With ``fitted``, what its tasks could not get is left out instead of refused.
    """

    needs: ClassVar[Permission | None] = Permission.TASK_EDIT
    records = (TemplateCreated,)
    template_id: TemplateId
    project_id: ProjectId | None = None
    name: Name
    description: str | None = None
    title: Title | None = None
    text: str | None = None
    values: StartingValues = LEFT_OPEN
    fields: Mapping[str, FieldInput] = {}
    subtasks: tuple[Subtask, ...] = ()
    fitted: bool = False

    async def permit(self, read: Reads, context: Context, /) -> None:
        await super().permit(read, context)
        if self.project_id is not None:
            await refuse_unless_sees_id(read, context, self.project_id)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        project = await _read_editable(read, self.project_id)
        fitting, misfits = Fitting(read, context, self.project_id, project), list[Misfit]()
        await fitting.look_up([self.values, *(each.values for each in self.subtasks)])
        values = await fitting.fit(self.values, misfits)
        fields = await fitting.fit_fields(self.fields, misfits)
        subtasks = [
            replace(each, values=await fitting.fit(each.values, misfits)) for each in self.subtasks
        ]
        if misfits and not self.fitted:
            raise misfits[0].refused
        created = TemplateCreated(
            project_id=self.project_id,
            name=self.name,
            description=self.description,
            title=self.title,
            text=self.text,
            values=values,
            fields=joined_fields(fields),
            subtasks=tuple(each.values for each in subtasks),
            subtask_titles=subtask_titles(subtasks),
            created_by=context.user_id,
            created_at=context.now,
        )
        new = read.new(TaskTemplate, self.template_id)
        return changes_of(self.template_id, new.create(created))


class TemplateCommand(Command, frozen=True, kw_only=True):
    """A command on one task template."""

    needs: ClassVar[Permission | None] = Permission.TASK_EDIT
    template_id: TemplateId

    @property
    def target(self) -> UUID | None:
        return self.template_id

    async def permit(self, read: Reads, context: Context, /) -> None:
        await super().permit(read, context)
        template = await read(TaskTemplate, self.template_id)
        if template.project_id is not None:
            await refuse_unless_sees_id(read, context, template.project_id)


class ValuesChange(Struct, frozen=True, kw_only=True):
    """Which of the values of a template to set; None is none."""

    status: str | UnsetType | None = UNSET
    priority: Priority | UnsetType | None = UNSET
    estimate: int | UnsetType | None = UNSET
    labels: tuple[LabelId, ...] | UnsetType = UNSET
    assignees: tuple[UserId, ...] | UnsetType = UNSET
    start_in: int | UnsetType | None = UNSET
    due_in: int | UnsetType | None = UNSET
    cycle_id: CycleId | UnsetType | None = UNSET
    milestone_id: MilestoneId | UnsetType | None = UNSET

    def given(self) -> dict[str, Any]:
        """Return the values to set by their names."""
        return {name: value for name, value in asdict(self).items() if value is not UNSET}


class EditTemplate(TemplateCommand, frozen=True, kw_only=True):
    """Change a task template; what already has the value records nothing."""

    records = (
        TemplateRenamed,
        TemplateDescribed,
        TemplateTitled,
        TemplateTextChanged,
        TemplateValuesChanged,
        TemplateFieldsChanged,
        TemplateSubtasksChanged,
    )
    name: Name | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    title: Title | UnsetType | None = UNSET
    text: str | UnsetType | None = UNSET
    values: ValuesChange = ValuesChange()
    fields: Mapping[str, FieldInput | None] = field(default_factory=_NO_FIELDS)
    subtasks: tuple[Subtask, ...] | UnsetType = UNSET

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        template = await read(TaskTemplate, self.template_id)
        template.refuse_unless_here()
        project = await _read_editable(read, template.project_id)
        events: list[TemplateEvent] = []
        if self.name is not UNSET:
            events += template.rename(self.name)
        if self.description is not UNSET:
            events += template.describe(self.description)
        if self.title is not UNSET:
            events += template.title_tasks(self.title)
        if self.text is not UNSET:
            events += template.describe_tasks(self.text)
        fitting = Fitting(read, context, template.project_id, project)
        events += await self._starting(template, fitting)
        return changes_of(self.template_id, events)

    async def _starting(self, template: TaskTemplate, fitting: Fitting) -> list[TemplateEvent]:
        """Return what changes what tasks start with; only what is new has to fit.

        :raises DomainError: a task could not get it.
        """
        given, misfits = self.values.given(), list[Misfit]()
        new = replace(LEFT_OPEN, **_new(template.values, given))
        subtasks = () if self.subtasks is UNSET else self.subtasks
        await fitting.look_up([new, *(each.values for each in subtasks)])
        await fitting.fit(new, misfits)
        known = template.field_values
        fields = {k: v for k, v in self.fields.items() if v is not None and v != known.get(k)}
        await fitting.fit_fields(fields, misfits)
        events = template.begin_with(replace(template.values, **given))
        events += template.fill_in(self.fields)
        if self.subtasks is not UNSET:
            kept = [each.values for each in template.listed_subtasks]
            for each in subtasks:
                if each.values not in kept:
                    await fitting.fit(each.values, misfits)
            events += template.list_subtasks(subtasks)
        if misfits:
            raise misfits[0].refused
        return events


class DeleteTemplate(TemplateCommand, frozen=True, kw_only=True):
    """Move a task template to the trash. Tasks that were created from it stay as they are."""

    records = (TemplateDeleted,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        template = await read(TaskTemplate, self.template_id)
        template.refuse_unless_here()
        await _read_editable(read, template.project_id)
        return changes_of(self.template_id, template.delete())


class RestoreTemplate(TemplateCommand, frozen=True, kw_only=True):
    """Restore a task template from the trash, unless another has its name by now."""

    records = (TemplateRestored,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        template = await read(TaskTemplate, self.template_id)
        restored = template.restore()
        await _read_editable(read, template.project_id)
        return changes_of(self.template_id, restored)


async def _read_editable(read: Reads, project_id: ProjectId | None) -> Project:
    """Return the project of a template, an empty one for the organization's.

    :raises NotFound: it is deleted.
    :raises ProjectIsArchived: it is archived.
    """
    if project_id is None:
        return Project()
    project = await read(Project, project_id)
    project.refuse_unless_editable()
    return project


def _new(known: StartingValues, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of the values *given* is not *known* already."""
    found = dict[str, Any]()
    for name, value in given.items():
        before: Any = getattr(known, name)
        if name in ("labels", "assignees"):
            found[name] = tuple(one for one in value if one not in before)
        elif value != before:
            found[name] = value
    return found
