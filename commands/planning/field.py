"""Commands on the custom fields of a project."""

from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from commands.base import Command, Context, Decision, changes_of
from commands.planning.part import refuse_unless_editable, refuse_unless_may_plan
from commands.reads import Reads
from domain.base import FieldId, ProjectId
from domain.name import Name
from domain.permission import Permission
from domain.planning.field import (
    OPTIONS_MAX,
    Field,
    FieldCreated,
    FieldDeleted,
    FieldEvent,
    FieldOptionsChanged,
    FieldRenamed,
    FieldRestored,
    Option,
    OptionRule,
    stream_of_field,
)
from domain.work.project.state import Project
from domain.work.task.custom_field import FieldKey, FieldType

Options = Annotated[tuple[Option, ...], Meta(max_length=OPTIONS_MAX)]


class CreateField(Command, frozen=True, kw_only=True):
    """Create a custom field for the tasks of a project. Its key and its type never change."""

    needs: ClassVar[Permission | None] = Permission.PROJECT_WORKFLOW
    records = (FieldCreated,)
    project_id: ProjectId
    key: FieldKey
    name: Name
    kind: FieldType
    options: Options = ()

    @property
    def field_id(self) -> FieldId:
        """The id of the new field."""
        return stream_of_field(self.project_id, self.key)

    async def permit(self, read: Reads, context: Context, /) -> None:
        await refuse_unless_may_plan(read, context, self.project_id)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        (await read(Project, self.project_id)).refuse_unless_editable()
        created = FieldCreated(
            project_id=self.project_id,
            key=self.key,
            name=self.name,
            kind=self.kind,
            options=tuple(OptionRule(key=one.key) for one in self.options),
            option_names="\n".join(one.name for one in self.options) or None,
            created_by=context.user_id,
            created_at=context.now,
        )
        return changes_of(self.field_id, read.new(Field, self.field_id).create(created))


class FieldCommand(Command, frozen=True, kw_only=True):
    """A command on one custom field."""

    needs: ClassVar[Permission | None] = Permission.PROJECT_WORKFLOW
    field_id: FieldId

    @property
    def target(self) -> UUID | None:
        return self.field_id

    async def permit(self, read: Reads, context: Context, /) -> None:
        field = await read(Field, self.field_id)
        await refuse_unless_may_plan(read, context, field.project_id)


class EditField(FieldCommand, frozen=True, kw_only=True):
    """Change the name or the options of a custom field. Options that are left out are retired."""

    records = (FieldRenamed, FieldOptionsChanged)
    name: Name | UnsetType = UNSET
    options: Options | UnsetType = UNSET

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        field = await read(Field, self.field_id)
        field.refuse_unless_here()
        await refuse_unless_editable(read, field)
        events: list[FieldEvent] = []
        if self.name is not UNSET:
            events += field.rename(self.name)
        if self.options is not UNSET:
            events += field.offer(self.options)
        return changes_of(self.field_id, events)


class DeleteField(FieldCommand, frozen=True, kw_only=True):
    """Move a custom field to the trash. Tasks keep their values, in case that it is restored."""

    records = (FieldDeleted,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        field = await read(Field, self.field_id)
        deleted = field.delete()
        await refuse_unless_editable(read, field)
        return changes_of(self.field_id, deleted)


class RestoreField(FieldCommand, frozen=True, kw_only=True):
    """Restore a custom field from the trash, unless another has its name by now."""

    records = (FieldRestored,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        field = await read(Field, self.field_id)
        restored = field.restore()
        await refuse_unless_editable(read, field)
        return changes_of(self.field_id, restored)
