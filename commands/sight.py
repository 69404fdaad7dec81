"""Who may see a project, and what the LEADs of its team may do there, on what was read just now.

Every command on a project, or on something in one, asks here before anything else (``permit``),
so that neither a dry run nor a repeated reply shows what its caller may no longer see. Every query
asks through ``api/work/sight.py``. The rule itself is ``domain/sight.py``.
"""

from typing import Protocol, TypeVar
from uuid import UUID

from msgspec import Struct

from commands.base import Context, refuse_unless_role_grants
from commands.project_claims import PRIVATE_PROJECT
from commands.reads import Reads
from commands.states import States
from domain.base import NotFound, OrgId, ProjectId, State, TeamId, UserId
from domain.identity.organization.membership import Role
from domain.identity.organization.state import Organization
from domain.permission import LEAD_PERMISSIONS, Permission, is_allowed
from domain.sight import sees
from domain.work.project.events import Visibility
from domain.work.project.state import Project
from domain.work.task.errors import CannotSeeProject
from domain.work.team import Team
from eventstore.log import EventLog

S = TypeVar("S", bound=State)


class Read(Protocol):
    """Reads the state of a stream: of a decision, or as it is now."""

    async def __call__(self, kind: type[S], stream: UUID, /) -> S: ...


async def sees_project(read: Read, org_id: OrgId, user_id: UserId, project: Project) -> bool:
    """Return whether somebody sees *project*, which is of the organization *org_id*.

    It reads no more than the answer depends on: nothing for a project that is not private.
    """
    if project.visibility is not Visibility.PRIVATE:
        return True  # whether somebody is a member at all is asked by their permission
    role = (await read(Organization, org_id)).role_of(user_id)
    if project.team_id is None or sees(project, user_id, role, None):
        return sees(project, user_id, role, None)
    return sees(project, user_id, role, await read(Team, project.team_id))


async def refuse_unless_concerned(
    read: Reads, context: Context, project: Project, user_id: UserId
) -> None:
    """Refuse to assign a task to somebody, or let them watch it, who could not even see it.

    :raises NotFound: they are no active member of the organization.
    :raises CannotSeeProject: they do not see the project of the task.
    """
    organization = await read(Organization, context.organization)
    if organization.role_of(user_id) is None:
        raise NotFound(user_id=user_id)
    if not await sees_project(read, context.organization, user_id, project):
        raise CannotSeeProject(user_id=user_id)


async def refuse_unless_sees(read: Reads, context: Context, project: Project) -> None:
    """Refuse a caller who does not see *project*, as if it did not exist.

    :raises NotFound: they do not. Our own rules see everything.
    """
    person = context.person
    if person is None:
        return
    if not await sees_project(read, context.organization, person, project):
        raise NotFound


async def refuse_unless_sees_id(read: Reads, context: Context, project_id: ProjectId) -> None:
    """Refuse a caller who does not see a project, given by its id.

    :raises NotFound: they do not, or there is none.
    """
    await refuse_unless_sees(read, context, await read(Project, project_id))


async def refuse_unless_granted_in(
    read: Reads, context: Context, project: Project, needed: Permission
) -> None:
    """Refuse a caller who may do *needed* neither by their role nor as a LEAD of the team.

    :raises NotPermitted: neither grants it; other errors as ``refuse_unless_role_grants``.
    """
    await refuse_unless_granted_by_team(read, context, project.team_id, needed)


async def refuse_unless_granted_by_team(
    read: Reads, context: Context, team_id: TeamId | None, needed: Permission
) -> None:
    """Refuse a caller who may do *needed* neither by their role nor as a LEAD of a team.

    :raises NotPermitted: neither grants it; other errors as ``refuse_unless_role_grants``.
    """
    if needed in LEAD_PERMISSIONS:
        role = (await read(Organization, context.organization)).role_of(context.user_id)
        if not is_allowed(role, needed) and await _leads(read, context, team_id):
            needed = Permission.ORG_READ  # every member has it
    await refuse_unless_role_grants(read, context, needed)


async def leads_team_of(read: Reads, context: Context, project: Project) -> bool:
    """Return whether the caller is a LEAD of the team of *project*, and asks in person."""
    return await _leads(read, context, project.team_id)


async def _leads(read: Reads, context: Context, team_id: TeamId | None) -> bool:
    if team_id is None or context.scopes is not None:
        return False
    return (await read(Team, team_id)).is_led_by(context.user_id)


class PrivateProjects(Struct, frozen=True):
    """The private projects of an organization as they are now, with what says who sees them."""

    organization: Organization
    projects: dict[ProjectId, Project]
    teams: dict[TeamId, Team]

    def hidden_from(self, user_id: UserId) -> frozenset[ProjectId]:
        """Return those that somebody does not see."""
        role = self.organization.role_of(user_id)
        return frozenset(
            project_id
            for project_id, project in self.projects.items()
            if not sees(project, user_id, role, self.with_team(project_id)[1])
        )

    def with_team(self, project_id: ProjectId) -> tuple[Project, Team | None]:
        """Return one of them, and the team that it is linked to, if any."""
        project = self.projects[project_id]
        return project, None if project.team_id is None else self.teams[project.team_id]


async def private_projects(
    log: EventLog, states: States, organization: Organization, org_id: OrgId
) -> PrivateProjects:
    """Return the private projects of an organization, with three queries for any number of them."""
    private = await log.claimed(org_id, PRIVATE_PROJECT, org_id)
    found = await states.all_fresh([(Project, each) for each in private], org_id)
    projects: list[Project] = [each.state for each in found]
    ids = list(dict.fromkeys(p.team_id for p in projects if p.team_id is not None))
    read = await states.all_fresh([(Team, each) for each in ids], org_id) if ids else []
    return PrivateProjects(
        organization,
        dict(zip(map(ProjectId, private), projects, strict=True)),
        {team_id: each.state for team_id, each in zip(ids, read, strict=True)},
    )


async def hidden_projects(
    log: EventLog, states: States, org_id: OrgId, user_id: UserId
) -> frozenset[ProjectId]:
    """Return the private projects of an organization that a member does not see now.

    For lists and counts that go across projects: they leave these out. One query if there are no
    private projects or the member is an ADMIN, otherwise three for any number of them.
    """
    organization = await states.fresh(Organization, org_id, org_id)
    if organization.role_of(user_id) is Role.ADMIN:
        return frozenset()
    return (await private_projects(log, states, organization, org_id)).hidden_from(user_id)
