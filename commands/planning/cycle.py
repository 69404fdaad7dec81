"""Commands on the cycles of a project."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from msgspec import UNSET, UnsetType

from commands.base import Command, Context, Decision, changes_of
from commands.planning.part import refuse_unless_editable, refuse_unless_may_plan
from commands.reads import Reads
from domain.base import CycleId, ProjectId
from domain.name import Name
from domain.permission import Permission
from domain.planning.cycle import (
    Cycle,
    CycleCreated,
    CycleDates,
    CycleDeleted,
    CycleEvent,
    CycleRenamed,
    CycleRescheduled,
    CycleRestored,
)
from domain.work.project.state import Project


class CreateCycle(Command, frozen=True, kw_only=True):
    """Plan a cycle of a project, on days that no other cycle of it has."""

    needs: ClassVar[Permission | None] = Permission.PROJECT_WORKFLOW
    records = (CycleCreated,)
    cycle_id: CycleId
    project_id: ProjectId
    name: Name
    starts_on: date
    ends_on: date

    async def permit(self, read: Reads, context: Context, /) -> None:
        await refuse_unless_may_plan(read, context, self.project_id)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        (await read(Project, self.project_id)).refuse_unless_editable()
        created = CycleCreated(
            project_id=self.project_id,
            name=self.name,
            dates=CycleDates(starts_on=self.starts_on, ends_on=self.ends_on),
            created_by=context.user_id,
            created_at=context.now,
        )
        return changes_of(self.cycle_id, read.new(Cycle, self.cycle_id).create(created))


class CycleCommand(Command, frozen=True, kw_only=True):
    """A command on one cycle."""

    needs: ClassVar[Permission | None] = Permission.PROJECT_WORKFLOW
    cycle_id: CycleId

    @property
    def target(self) -> UUID | None:
        return self.cycle_id

    async def permit(self, read: Reads, context: Context, /) -> None:
        cycle = await read(Cycle, self.cycle_id)
        await refuse_unless_may_plan(read, context, cycle.project_id)


class EditCycle(CycleCommand, frozen=True, kw_only=True):
    """Change the name or the days of a cycle."""

    records = (CycleRenamed, CycleRescheduled)
    name: Name | UnsetType = UNSET
    starts_on: date | UnsetType = UNSET
    ends_on: date | UnsetType = UNSET

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        cycle = await read(Cycle, self.cycle_id)
        cycle.refuse_unless_here()
        await refuse_unless_editable(read, cycle)
        events: list[CycleEvent] = []
        if self.name is not UNSET:
            events += cycle.rename(self.name)
        wanted = CycleDates(
            starts_on=cycle.starts_on if self.starts_on is UNSET else self.starts_on,
            ends_on=cycle.ends_on if self.ends_on is UNSET else self.ends_on,
        )
        return changes_of(self.cycle_id, [*events, *cycle.reschedule(wanted)])


class DeleteCycle(CycleCommand, frozen=True, kw_only=True):
    """Move a cycle to the trash. Its days are free then; tasks stay in it, should it come back."""

    records = (CycleDeleted,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        cycle = await read(Cycle, self.cycle_id)
        deleted = cycle.delete()
        await refuse_unless_editable(read, cycle)
        return changes_of(self.cycle_id, deleted)


class RestoreCycle(CycleCommand, frozen=True, kw_only=True):
    """Restore a cycle from the trash, unless another has its name or one of its days by now."""

    records = (CycleRestored,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        cycle = await read(Cycle, self.cycle_id)
        restored = cycle.restore()
        await refuse_unless_editable(read, cycle)
        return changes_of(self.cycle_id, restored)
