"""Commands on the milestones of a project."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from msgspec import UNSET, UnsetType

from commands.base import Command, Context, Decision, changes_of
from commands.planning.part import refuse_unless_editable, refuse_unless_may_plan
from commands.reads import Reads
from domain.base import MilestoneId, ProjectId
from domain.name import Name
from domain.permission import Permission
from domain.planning.milestone import (
    Milestone,
    MilestoneCreated,
    MilestoneDated,
    MilestoneDeleted,
    MilestoneEvent,
    MilestoneRenamed,
    MilestoneRestored,
)
from domain.work.project.state import Project


class CreateMilestone(Command, frozen=True, kw_only=True):
    """Plan a milestone of a project."""

    needs: ClassVar[Permission | None] = Permission.PROJECT_WORKFLOW
    records = (MilestoneCreated,)
    milestone_id: MilestoneId
    project_id: ProjectId
    name: Name
    due_on: date | None = None

    async def permit(self, read: Reads, context: Context, /) -> None:
        await refuse_unless_may_plan(read, context, self.project_id)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        (await read(Project, self.project_id)).refuse_unless_editable()
        created = MilestoneCreated(
            project_id=self.project_id,
            name=self.name,
            due_on=self.due_on,
            created_by=context.user_id,
            created_at=context.now,
        )
        new = read.new(Milestone, self.milestone_id)
        return changes_of(self.milestone_id, new.create(created))


class MilestoneCommand(Command, frozen=True, kw_only=True):
    """A command on one milestone."""

    needs: ClassVar[Permission | None] = Permission.PROJECT_WORKFLOW
    milestone_id: MilestoneId

    @property
    def target(self) -> UUID | None:
        return self.milestone_id

    async def permit(self, read: Reads, context: Context, /) -> None:
        milestone = await read(Milestone, self.milestone_id)
        await refuse_unless_may_plan(read, context, milestone.project_id)


class EditMilestone(MilestoneCommand, frozen=True, kw_only=True):
    """Change the name of a milestone, or the day by which to reach it."""

    records = (MilestoneRenamed, MilestoneDated)
    name: Name | UnsetType = UNSET
    due_on: date | UnsetType | None = UNSET

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        milestone = await read(Milestone, self.milestone_id)
        milestone.refuse_unless_here()
        await refuse_unless_editable(read, milestone)
        events: list[MilestoneEvent] = []
        if self.name is not UNSET:
            events += milestone.rename(self.name)
        if self.due_on is not UNSET:
            events += milestone.set_date(self.due_on)
        return changes_of(self.milestone_id, events)


class DeleteMilestone(MilestoneCommand, frozen=True, kw_only=True):
    """Move a milestone to the trash. Tasks keep it, in case that it is restored."""

    records = (MilestoneDeleted,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        milestone = await read(Milestone, self.milestone_id)
        deleted = milestone.delete()
        await refuse_unless_editable(read, milestone)
        return changes_of(self.milestone_id, deleted)


class RestoreMilestone(MilestoneCommand, frozen=True, kw_only=True):
    """Restore a milestone from the trash, unless another has its name by now."""

    records = (MilestoneRestored,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        milestone = await read(Milestone, self.milestone_id)
        restored = milestone.restore()
        await refuse_unless_editable(read, milestone)
        return changes_of(self.milestone_id, restored)
