"""What follows for the work of an organization once somebody has left it."""

from typing import ClassVar

from commands.base import Context, Decision, changes_of
from commands.reads import Reads
from commands.work.task import TaskCommand, read_task
from domain.base import UserId
from domain.identity.organization.state import Organization
from domain.permission import Permission
from domain.work.task.events import TaskUnassigned
from domain.work.workflow.events import FINISHED


class UnassignFormerMember(TaskCommand, frozen=True, kw_only=True):
    """Unassign somebody who left the organization from a task that is still open."""

    needs: ClassVar[Permission | None] = None
    records = (TaskUnassigned,)
    user_id: UserId

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        organization = await read(Organization, context.organization)
        if organization.member(self.user_id) is not None:
            return []  # they came back
        task, project = await read_task(read, self.task_id)
        project.refuse_unless_editable()
        return (
            [] if task.group in FINISHED else changes_of(self.task_id, task.unassign(self.user_id))
        )
