"""Commands on the members of a project, who see it if it is private."""

from typing import ClassVar

from commands.base import Context, Decision, changes_of, refuse_unless_role_grants
from commands.reads import Reads
from commands.sight import refuse_unless_sees_id
from commands.work.project import ProjectCommand, refuse_unless_member
from domain.base import UserId
from domain.permission import Permission
from domain.work.project.events import ProjectMemberAdded, ProjectMemberRemoved
from domain.work.project.state import Project


class AddProjectMember(ProjectCommand, frozen=True, kw_only=True):
    """Make an active member of the organization a member of a project."""

    needs: ClassVar[Permission | None] = Permission.PROJECT_EDIT
    records = (ProjectMemberAdded,)
    user_id: UserId

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        project = await read(Project, self.project_id)
        project.refuse_unless_here()
        await refuse_unless_member(read, context, self.user_id)
        return changes_of(self.project_id, project.add_member(self.user_id))


class RemoveProjectMember(ProjectCommand, frozen=True, kw_only=True):
    """Remove somebody from the members of a project; everybody may leave by themselves."""

    needs: ClassVar[Permission | None] = Permission.PROJECT_EDIT
    records = (ProjectMemberRemoved,)
    user_id: UserId

    async def permit(self, read: Reads, context: Context, /) -> None:
        if context.user_id == self.user_id and context.scopes is None:
            await refuse_unless_role_grants(read, context, Permission.PROJECT_READ)
            await refuse_unless_sees_id(read, context, self.project_id)
        else:
            await super().permit(read, context)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        project = await read(Project, self.project_id)
        return changes_of(self.project_id, project.remove_member(self.user_id))
