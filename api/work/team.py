"""HTTP routes of teams."""

from datetime import datetime
from functools import partial
from uuid import UUID

from litestar import Controller, delete, get, patch, post
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from api.http.paging import LIMIT_DEFAULT, Paging, one, wait_for_own_writes
from api.http.parameters import Cursor, Limit, Page, nothing, shows, unchanged
from api.http.policy import needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command
from commands.work.team import (
    AddTeamMember,
    ChangeTeamRole,
    CreateTeam,
    DeleteTeam,
    RemoveTeamMember,
    RenameTeam,
    RestoreTeam,
    TeamCommand,
)
from domain.base import NotFound, TeamId, UserId
from domain.claim import TeamNameTaken
from domain.identity.plan import PlanLimitReached
from domain.name import Name
from domain.permission import Permission
from domain.work.team import Team, TeamRole, TooManyTeamMembers
from eventstore.identifiers import new_id
from projections.work.team import TeamView, render_team, teams_of


class TeamName(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of a new team, or of one that is renamed."""

    name: Name


class NewTeamMember(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body that adds somebody to a team."""

    user_id: UserId
    role: TeamRole = TeamRole.MEMBER


class TeamRoleChoice(Struct, frozen=True, forbid_unknown_fields=True):
    """Body that changes what somebody is in a team."""

    role: TeamRole


def _shown(team_id: UUID, status: int = 200) -> Reply:
    def show(team: Team, version: int, at: datetime) -> bytes:
        return render_team(team_id, team, version, at)

    location = "/api/team/{id}" if status == 201 else ""
    return Reply(stream=team_id, show=show, status=status, location=location)


async def _change(request: ApiRequest, command: TeamCommand) -> ApiResponse:
    return await run_command(request, command, _shown(command.team_id))


class TeamController(Controller):
    """Teams: people of an organization who work on projects together."""

    path = "/api/team"
    tags = ("Teams",)

    @post(
        "/",
        opt=needs(Permission.TEAM_CREATE, fails=(PlanLimitReached, TeamNameTaken)),
        responses=shows(TeamView, 201),
    )
    async def create(self, request: ApiRequest, data: JSONBody[TeamName]) -> ApiResponse:
        """Create a team. Its name must be new in the organization, whatever its case."""
        team_id = TeamId(new_id())
        command = CreateTeam(team_id=team_id, name=data.name)
        return await run_command(request, command, _shown(team_id, 201))

    @get("/", opt=needs(Permission.TEAM_READ), responses=shows(Page[TeamView]))
    async def list_teams(
        self, request: ApiRequest, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
    ) -> ApiResponse:
        """List the teams of the organization with their members, sorted by name."""
        paging = Paging(request)
        after = paging.key(cursor)
        await wait_for_own_writes(request, "teams")
        page = await teams_of(request.api.models, request.organization, None, limit, after)
        return paging.answer(page, limit)

    @get(
        "/{team_id:uuid}",
        opt=needs(Permission.TEAM_READ),
        responses=shows(TeamView) | unchanged(),
    )
    async def get_team(self, request: ApiRequest, team_id: FromPath[UUID]) -> ApiResponse:
        """Return a team with its members."""
        found = await request.newest(Team, team_id)
        found.state.refuse_unless_here()
        return one(request, found, partial(render_team, team_id))

    @patch(
        "/{team_id:uuid}",
        opt=needs(Permission.TEAM_EDIT, fails=(TeamNameTaken,)),
        responses=shows(TeamView),
    )
    async def edit(
        self, request: ApiRequest, team_id: FromPath[UUID], data: JSONBody[TeamName]
    ) -> ApiResponse:
        """Rename a team; its LEADs may, too."""
        return await _change(request, RenameTeam(team_id=TeamId(team_id), name=data.name))

    @delete(
        "/{team_id:uuid}",
        status_code=200,
        opt=needs(Permission.TEAM_CREATE),
        responses=nothing(),
    )
    async def remove(self, request: ApiRequest, team_id: FromPath[UUID]) -> ApiResponse:
        """Move a team to the trash. Its projects stay."""
        command = DeleteTeam(team_id=TeamId(team_id))
        return await run_command(request, command, Reply(stream=team_id))

    @post(
        "/{team_id:uuid}/restore",
        status_code=200,
        opt=needs(Permission.TEAM_CREATE, fails=(PlanLimitReached, TeamNameTaken)),
        responses=shows(TeamView),
    )
    async def restore(self, request: ApiRequest, team_id: FromPath[UUID]) -> ApiResponse:
        """Restore a team and its members from the trash."""
        return await _change(request, RestoreTeam(team_id=TeamId(team_id)))


class TeamMemberController(Controller):
    """Who is in a team."""

    path = "/api/team/{team_id:uuid}/members"
    tags = ("Teams",)

    @post(
        "/",
        status_code=200,
        opt=needs(Permission.TEAM_EDIT, fails=(NotFound, TooManyTeamMembers)),
        responses=shows(TeamView),
    )
    async def add_team_member(
        self, request: ApiRequest, team_id: FromPath[UUID], data: JSONBody[NewTeamMember]
    ) -> ApiResponse:
        """Add an active member of the organization to a team; its LEADs may, too."""
        command = AddTeamMember(team_id=TeamId(team_id), user_id=data.user_id, role=data.role)
        return await _change(request, command)

    @patch("/{user_id:uuid}", opt=needs(Permission.TEAM_EDIT), responses=shows(TeamView))
    async def change_team_role(
        self,
        request: ApiRequest,
        team_id: FromPath[UUID],
        user_id: FromPath[UUID],
        data: JSONBody[TeamRoleChoice],
    ) -> ApiResponse:
        """Make somebody a LEAD of their team, or an ordinary member again."""
        command = ChangeTeamRole(team_id=TeamId(team_id), user_id=UserId(user_id), role=data.role)
        return await _change(request, command)

    @delete(
        "/{user_id:uuid}",
        status_code=200,
        opt=needs(Permission.TEAM_EDIT),
        responses=shows(TeamView),
    )
    async def remove_team_member(
        self, request: ApiRequest, team_id: FromPath[UUID], user_id: FromPath[UUID]
    ) -> ApiResponse:
        """Remove somebody from a team; everybody may leave by themselves."""
        command = RemoveTeamMember(team_id=TeamId(team_id), user_id=UserId(user_id))
        return await _change(request, command)
