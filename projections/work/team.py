"""Teams as their readers see them: one document per team, with its members."""

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from domain.base import OrgId, TeamId, UserId
from domain.work.team import Team, TeamEvent, TeamRole
from eventstore.recorded import Recorded
from projections.base import Projection, View, tags_of, text_of
from projections.engine.find import PAGE_DEFAULT, ReadModels
from projections.engine.query import ListSlice, Query
from projections.shape import Index, Value

_encode = msgspec.json.Encoder().encode


class TeamMemberView(Struct, frozen=True, rename="camel"):
    """Somebody in a team."""

    user_id: UserId
    role: TeamRole


class TeamView(View, frozen=True, kw_only=True):
    """A team as the API shows it, with its members."""

    id: TeamId
    name: str
    members: list[TeamMemberView]
    updated_at: datetime
    deleted_at: datetime | None
    version: int


def render_team(team_id: UUID, team: Team, version: int, updated_at: datetime) -> bytes:
    """Return the JSON of *team*, the same after a command as in a later GET."""
    view = TeamView(
        id=TeamId(team_id),
        name=team.name,
        members=[
            TeamMemberView(user_id, team.members[user_id]) for user_id in sorted(team.members)
        ],
        updated_at=updated_at,
        deleted_at=updated_at if team.deleted else None,
        version=version,
    )
    return _encode(view)


class ListedTeam(Struct, frozen=True, kw_only=True):
    """What the list of teams needs to know about one: its members, and which of them lead it."""

    name: str = ""
    members: tuple[UserId, ...] = ()
    leads: tuple[UserId, ...] = ()
    created: bool = False
    deleted: bool = False

    @property
    def team(self) -> Team:
        """The team as the rules know it."""
        roles = dict.fromkeys(self.members, TeamRole.MEMBER)
        roles |= dict.fromkeys(self.leads, TeamRole.LEAD)
        members = Team().members.update(roles)
        return Team(name=self.name, members=members, created=self.created, deleted=self.deleted)


def _listed(team: Team) -> ListedTeam:
    return ListedTeam(
        name=team.name,
        members=tuple(sorted(team.members)),
        leads=tuple(sorted(u for u, role in team.members.items() if role is TeamRole.LEAD)),
        created=team.created,
        deleted=team.deleted,
    )


class Teams(Projection[ListedTeam]):
    """Teams of an organization by name, also those that one person is in."""

    name = "teams"
    version = 3
    tags = tags_of(TeamEvent)
    state = ListedTeam
    indexes = (
        Index(("org", "deleted"), "name"),
        Index(("org", "deleted"), "name", contains="members"),
    )

    def fold(self, key: str, state: ListedTeam | None, recorded: Recorded) -> ListedTeam:
        event: TeamEvent = recorded.event  # type: ignore[assignment]  # of the tags above
        return _listed((state or ListedTeam()).team.evolve(event))

    def render(self, key: str, state: ListedTeam, recorded: Recorded) -> bytes:
        return render_team(recorded.stream_id, state.team, recorded.version, recorded.at)


async def teams_of(
    models: ReadModels,
    org_id: OrgId,
    member: UserId | None = None,
    limit: int = PAGE_DEFAULT,
    after: str | None = None,
) -> ListSlice:
    """Return teams of the organization by name, those above *after*; of one *member* if given."""
    where: dict[str, Value] = {"org": text_of(org_id), "deleted": False}
    contains = None if member is None else ("members", text_of(member))
    query = Query(
        model="teams", where=where, sort="name", limit=limit, above=after, contains=contains
    )
    return await models.page(query)
