"""What follows for the work of an organization once somebody has left it."""

from typing import ClassVar

from commands.base import Context, Decision, changes_of
from commands.reads import Reads
from commands.work.task import TaskCommand
from domain.base import NotFound, UserId
from domain.identity.organization.state import Organization
from domain.permission import Permission
from domain.work.task.events import TaskUnassigned
from domain.work.task.state import Task
from domain.work.task.watching import let_go


class UnassignFormerMember(TaskCommand, frozen=True, kw_only=True):
    """Unassign somebody who left the organization from a task that is not finished.

    Also from one in the trash or in an archived project, or a project in the trash, so that they
    are not back when it is.
    """

    needs: ClassVar[Permission | None] = None
    records = (TaskUnassigned,)
    user_id: UserId

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        organization = await read(Organization, context.organization)
        if organization.member(self.user_id) is not None:
            return []  # they came back
        task = await read(Task, self.task_id)
        if task.project_id is None or task.purged:
            raise NotFound
        return changes_of(self.task_id, let_go(task, self.user_id))
