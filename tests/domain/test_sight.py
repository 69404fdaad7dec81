"""Who sees a project: the table of roles and ties, written out."""

import pytest

from domain.base import UserId
from domain.identity.organization.membership import Role
from domain.sight import sees
from domain.work.project.events import ProjectCreated, ProjectLeadAssigned, Visibility
from domain.work.project.state import Project
from domain.work.team import Team, TeamCreated, TeamDeleted, TeamMemberAdded, TeamRole
from tests.domain.spec import ANA, BEN, CLEO, DAN, GEARS, given

OPEN = given(Project(), ProjectCreated(key="ENG", name="Engine", created_by=ANA))
PRIVATE = given(
    Project(),
    ProjectCreated(
        key="ENG", name="Engine", created_by=ANA, team_id=GEARS, visibility=Visibility.PRIVATE
    ),
    ProjectLeadAssigned(user_id=BEN),
)
TEAM = given(
    Team(),
    TeamCreated(name="Gears", created_by=ANA),
    TeamMemberAdded(user_id=CLEO, role=TeamRole.MEMBER),
)


@pytest.mark.parametrize("role", list(Role))
def test_every_active_member_sees_a_project_of_the_organization(role: Role) -> None:
    assert sees(OPEN, DAN, role, None)


@pytest.mark.parametrize("user_id", [ANA, BEN, CLEO, DAN])
def test_whoever_has_no_role_sees_nothing(user_id: UserId) -> None:
    assert not sees(OPEN, user_id, None, TEAM)
    assert not sees(PRIVATE, user_id, None, TEAM)


@pytest.mark.parametrize("role", [Role.MEMBER, Role.MANAGER])
def test_a_private_project_is_seen_by_its_members_its_lead_and_its_team(role: Role) -> None:
    assert sees(PRIVATE, ANA, role, None), "a member: its creator"
    assert sees(PRIVATE, BEN, role, None), "its lead"
    assert sees(PRIVATE, CLEO, role, TEAM), "in its team"
    assert not sees(PRIVATE, DAN, role, TEAM)
    assert not sees(PRIVATE, CLEO, role, None)
    assert not sees(PRIVATE, CLEO, role, given(TEAM, TeamDeleted()))


def test_an_admin_sees_every_private_project() -> None:
    assert sees(PRIVATE, DAN, Role.ADMIN, None)
