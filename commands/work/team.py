"""Commands on teams."""

from typing import ClassVar
from uuid import UUID

from commands.base import Command, Context, Decision, changes_of, refuse_unless_role_grants
from commands.reads import Reads
from commands.sight import refuse_unless_granted_by_team
from domain.base import NotFound, TeamId, UserId
from domain.identity.organization.state import Organization
from domain.name import Name
from domain.permission import Permission
from domain.work.team import (
    Team,
    TeamCreated,
    TeamDeleted,
    TeamLeaveCause,
    TeamMemberAdded,
    TeamMemberRemoved,
    TeamRenamed,
    TeamRestored,
    TeamRole,
    TeamRoleChanged,
)


class CreateTeam(Command, frozen=True, kw_only=True):
    """Create a team; its name must be new in the organization."""

    needs: ClassVar[Permission | None] = Permission.TEAM_CREATE
    records = (TeamCreated,)
    team_id: TeamId
    name: Name

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        created = TeamCreated(name=self.name, created_by=context.user_id)
        return changes_of(self.team_id, read.new(Team, self.team_id).create(created))


class TeamCommand(Command, frozen=True, kw_only=True):
    """A command on one team, which its LEADs may send if ``LEAD_PERMISSIONS`` say so."""

    needs: ClassVar[Permission | None] = Permission.TEAM_EDIT
    team_id: TeamId

    @property
    def target(self) -> UUID | None:
        return self.team_id

    async def permit(self, read: Reads, context: Context, /) -> None:
        if self.needs is not None:
            await refuse_unless_granted_by_team(read, context, self.team_id, self.needs)


class RenameTeam(TeamCommand, frozen=True, kw_only=True):
    """Rename a team."""

    records = (TeamRenamed,)
    name: Name

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        team = await read(Team, self.team_id)
        return changes_of(self.team_id, team.rename(self.name))


class AddTeamMember(TeamCommand, frozen=True, kw_only=True):
    """Add an active member of the organization to a team."""

    records = (TeamMemberAdded, TeamRoleChanged)
    user_id: UserId
    role: TeamRole = TeamRole.MEMBER

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        team = await read(Team, self.team_id)
        team.refuse_unless_here()
        organization = await read(Organization, context.organization)
        if organization.role_of(self.user_id) is None:
            raise NotFound(user_id=self.user_id)
        return changes_of(self.team_id, team.add(self.user_id, self.role))


class ChangeTeamRole(TeamCommand, frozen=True, kw_only=True):
    """Make somebody a LEAD of their team, or an ordinary member again."""

    records = (TeamRoleChanged,)
    user_id: UserId
    role: TeamRole

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        team = await read(Team, self.team_id)
        return changes_of(self.team_id, team.change_role(self.user_id, self.role))


class RemoveTeamMember(TeamCommand, frozen=True, kw_only=True):
    """Remove somebody from a team; everybody may leave by themselves."""

    records = (TeamMemberRemoved,)
    user_id: UserId

    async def permit(self, read: Reads, context: Context, /) -> None:
        if context.user_id == self.user_id and context.scopes is None:
            await refuse_unless_role_grants(read, context, Permission.TEAM_READ)
        else:
            await super().permit(read, context)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        team = await read(Team, self.team_id)
        own = context.user_id == self.user_id
        cause = TeamLeaveCause.LEFT if own else TeamLeaveCause.REMOVED
        return changes_of(self.team_id, team.remove(self.user_id, cause))


class DeleteTeam(TeamCommand, frozen=True, kw_only=True):
    """Move a team to the trash; its projects stay."""

    needs: ClassVar[Permission | None] = Permission.TEAM_CREATE
    records = (TeamDeleted,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        team = await read(Team, self.team_id)
        return changes_of(self.team_id, team.delete())


class RestoreTeam(TeamCommand, frozen=True, kw_only=True):
    """Restore a team from the trash, with its members and for its projects."""

    needs: ClassVar[Permission | None] = Permission.TEAM_CREATE
    records = (TeamRestored,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        team = await read(Team, self.team_id)
        return changes_of(self.team_id, team.restore())
