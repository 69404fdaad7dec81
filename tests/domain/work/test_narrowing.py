"""Stories of what hides a project of a fork from whoever lost sight of it."""

from uuid import UUID

from immutables import Map

from domain.base import TeamId, UserId
from domain.work.project.events import (
    ProjectEvent,
    ProjectLeadAssigned,
    ProjectMemberAdded,
    ProjectMemberRemoved,
    ProjectTeamLinked,
    ProjectVisibilityChanged,
    Visibility,
)
from domain.work.project.narrowing import kept_by, shown_to_fewer
from domain.work.project.state import PROJECT_MEMBERS_MAX, Project
from domain.work.team import (
    Team,
    TeamLeaveCause,
    TeamMemberRemoved,
    TeamRole,
    TeamRoleChanged,
)
from tests.domain.spec import ANA, BEN, CLEO, DAN

TEAM = TeamId(UUID(int=0x7EA))
LEAD, MEMBER = TeamRole.LEAD, TeamRole.MEMBER
MADE_PRIVATE = ProjectVisibilityChanged(from_=Visibility.ORGANIZATION, to=Visibility.PRIVATE)


def project(*members: UserId, lead: UserId | None = None, private: bool = True) -> Project:
    visibility = Visibility.PRIVATE if private else Visibility.ORGANIZATION
    return Project(created=True, members=members, lead_id=lead, visibility=visibility)


def of(*members: UserId, deleted: bool = False) -> Team:
    return Team(created=True, deleted=deleted, members=Map(dict.fromkeys(members, TeamRole.MEMBER)))


def shown_to(
    *people: UserId,
    project: Project,
    team: Team | None = None,
    others: tuple[UserId, ...] = (),
    left: tuple[UserId, ...] = (),
) -> list[ProjectEvent]:
    """Return what shows a project only to *people*."""
    return shown_to_fewer(project, team, others, people.__contains__, left.__contains__)


def test_whoever_may_see_it_still_does() -> None:
    assert shown_to(ANA, BEN, project=project(ANA, lead=BEN), team=of(BEN), others=(BEN,)) == []


def test_neither_members_nor_a_lead_stay_who_may_not_see_it() -> None:
    assert shown_to(ANA, project=project(ANA, BEN, lead=CLEO)) == [
        ProjectLeadAssigned(user_id=None),
        ProjectMemberRemoved(user_id=BEN),
    ]


def test_what_all_saw_has_as_members_who_may_see_it() -> None:
    events = shown_to(ANA, BEN, project=project(ANA, private=False), others=(ANA, BEN, CLEO))
    assert events == [MADE_PRIVATE, ProjectMemberAdded(user_id=BEN)]


def test_a_team_of_which_one_may_not_see_it_is_replaced_by_its_other_members() -> None:
    assert shown_to(ANA, BEN, project=project(ANA), team=of(ANA, BEN, CLEO)) == [
        ProjectTeamLinked(team_id=None),
        ProjectMemberAdded(user_id=BEN),
    ]


def test_a_team_stays_that_somebody_left_with_the_organization() -> None:
    assert shown_to(ANA, project=project(ANA), team=of(ANA, CLEO), left=(CLEO,)) == []


def test_a_team_in_the_trash_may_come_back_and_showed_it_to_nobody() -> None:
    assert shown_to(ANA, BEN, project=project(ANA), team=of(BEN, CLEO, deleted=True)) == [
        ProjectTeamLinked(team_id=None)
    ]


def test_a_project_has_no_more_members_than_it_can() -> None:
    many = tuple(UserId(UUID(int=0xABC000 + each)) for each in range(PROJECT_MEMBERS_MAX))
    full = project(*many[1:], CLEO)
    assert shown_to(*many, ANA, BEN, project=full, team=of(CLEO, ANA, BEN)) == [
        ProjectTeamLinked(team_id=None),
        ProjectMemberRemoved(user_id=CLEO),
        ProjectMemberAdded(user_id=ANA),
    ]


def test_a_team_keeps_those_who_are_in_it_now_with_the_lower_of_two_roles() -> None:
    eve = UserId(UUID(int=0xE))
    then = Team(members=Map({ANA: LEAD, BEN: LEAD, CLEO: MEMBER, DAN: LEAD, eve: MEMBER}))
    now = Team(members=Map({ANA: LEAD, BEN: MEMBER, CLEO: LEAD, eve: MEMBER}))
    assert kept_by(then, now) == [
        TeamRoleChanged(user_id=BEN, from_=LEAD, to=MEMBER),
        TeamMemberRemoved(user_id=DAN, cause=TeamLeaveCause.REMOVED),
    ]
