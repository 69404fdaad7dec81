"""Commands on labels."""

from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import UNSET, UnsetType

from commands.base import Command, Context, Decision, changes_of
from commands.reads import Reads
from commands.sight import refuse_unless_sees_id
from domain.base import LabelId, ProjectId
from domain.name import Name
from domain.patterned import patterned
from domain.permission import Permission
from domain.work.label import (
    COLOR_PATTERN,
    Label,
    LabelCreated,
    LabelDeleted,
    LabelEvent,
    LabelRecolored,
    LabelRenamed,
    LabelRestored,
)
from domain.work.project.state import Project

LabelColor = Annotated[str, patterned(COLOR_PATTERN, "a color such as #0969da")]


class CreateLabel(Command, frozen=True, kw_only=True):
    """Create a label for the tasks of a project or, without one, of the organization."""

    needs: ClassVar[Permission | None] = Permission.TASK_EDIT
    records = (LabelCreated,)
    label_id: LabelId
    name: Name
    color: LabelColor
    project_id: ProjectId | None = None

    async def permit(self, read: Reads, context: Context, /) -> None:
        await super().permit(read, context)
        if self.project_id is not None:
            await refuse_unless_sees_id(read, context, self.project_id)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        await _refuse_unless_editable(read, self.project_id)
        created = LabelCreated(
            name=self.name,
            color=self.color.lower(),
            project_id=self.project_id,
            created_by=context.user_id,
            created_at=context.now,
        )
        return changes_of(self.label_id, read.new(Label, self.label_id).create(created))


class LabelCommand(Command, frozen=True, kw_only=True):
    """A command on one label."""

    needs: ClassVar[Permission | None] = Permission.TASK_EDIT
    label_id: LabelId

    @property
    def target(self) -> UUID | None:
        return self.label_id

    async def permit(self, read: Reads, context: Context, /) -> None:
        await super().permit(read, context)
        label = await read(Label, self.label_id)
        if label.project_id is not None:
            await refuse_unless_sees_id(read, context, label.project_id)


class EditLabel(LabelCommand, frozen=True, kw_only=True):
    """Change the name or colour of a label."""

    records = (LabelRenamed, LabelRecolored)
    name: Name | UnsetType = UNSET
    color: LabelColor | UnsetType = UNSET

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        label = await read(Label, self.label_id)
        label.refuse_unless_here()
        await _refuse_unless_editable(read, label.project_id)
        events: list[LabelEvent] = []
        if self.name is not UNSET:
            events += label.rename(self.name)
        if self.color is not UNSET:
            events += label.recolor(self.color.lower())
        return changes_of(self.label_id, events)


class DeleteLabel(LabelCommand, frozen=True, kw_only=True):
    """Move a label to the trash. Tasks keep it, in case that it is restored."""

    records = (LabelDeleted,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        label = await read(Label, self.label_id)
        label.refuse_unless_here()
        await _refuse_unless_editable(read, label.project_id)
        return changes_of(self.label_id, label.delete())


class RestoreLabel(LabelCommand, frozen=True, kw_only=True):
    """Restore a label from the trash, unless another has its name by now."""

    records = (LabelRestored,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        label = await read(Label, self.label_id)
        restored = label.restore()
        await _refuse_unless_editable(read, label.project_id)
        return changes_of(self.label_id, restored)


async def _refuse_unless_editable(read: Reads, project_id: ProjectId | None) -> None:
    """Refuse if the project of a label, if it has one, is deleted or archived."""
    if project_id is not None:
        (await read(Project, project_id)).refuse_unless_editable()
