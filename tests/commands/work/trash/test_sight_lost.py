"""Stories of what comes back from the trash once somebody no longer sees it."""

from uuid import UUID

from commands.work.trash.task import RestoreTask
from domain.base import TeamId
from domain.identity.organization.membership import MemberDeactivated
from domain.work.project.events import (
    ProjectMemberAdded,
    ProjectMemberRemoved,
    ProjectTeamLinked,
    ProjectVisibilityChanged,
    Visibility,
)
from domain.work.task.events import (
    TaskAssigned,
    TaskDeleted,
    TaskRestored,
    TaskStatus,
    TaskUnassigned,
    TaskUnwatched,
    TaskWatched,
)
from domain.work.team import (
    TeamCreated,
    TeamLeaveCause,
    TeamMemberAdded,
    TeamMemberRemoved,
    TeamRole,
)
from tests.commands.acme import HERE
from tests.domain.spec import ACME, ANA, BEN, CLEO, ENG, TASK, stepped
from tests.spec import given, on

GEARS = TeamId(UUID(int=41))
PRIVATE = on(
    ENG,
    ProjectMemberAdded(user_id=CLEO),
    ProjectTeamLinked(team_id=GEARS),
    ProjectVisibilityChanged(from_=Visibility.ORGANIZATION, to=Visibility.PRIVATE),
)
TEAM = on(
    GEARS,
    TeamCreated(name="Gears", created_by=ANA),
    TeamMemberAdded(user_id=BEN, role=TeamRole.MEMBER),
)
ASSIGNED = (TaskAssigned(user_id=BEN), TaskAssigned(user_id=CLEO), TaskWatched(user_id=CLEO))
PAST = (*HERE, TEAM, PRIVATE, on(TASK, *ASSIGNED, TaskDeleted()))
NO_MEMBER = on(ENG, ProjectMemberRemoved(user_id=CLEO))
NO_TEAM = on(GEARS, TeamMemberRemoved(user_id=BEN, cause=TeamLeaveCause.REMOVED))
RESTORE = RestoreTask(task_id=TASK)


def test_whoever_sees_it_keeps_it() -> None:
    given(*PAST).when(RESTORE).then(TaskRestored())


def test_whoever_is_no_longer_in_the_project_lets_go_of_it() -> None:
    gone = (TaskUnassigned(user_id=CLEO), TaskUnwatched(user_id=CLEO))
    given(*PAST, NO_MEMBER).when(RESTORE).then(TaskRestored(), *gone)


def test_whoever_left_its_team_lets_go_of_it() -> None:
    gone = (TaskUnassigned(user_id=BEN), TaskUnwatched(user_id=BEN))
    given(*PAST, NO_TEAM).when(RESTORE).then(TaskRestored(), *gone)


def test_whoever_is_suspended_keeps_it() -> None:
    given(*PAST, on(ACME, MemberDeactivated(user_id=BEN))).when(RESTORE).then(TaskRestored())


def test_a_finished_one_keeps_who_did_it() -> None:
    done = (
        stepped(TaskStatus.TODO, TaskStatus.IN_PROGRESS),
        stepped(TaskStatus.IN_PROGRESS, TaskStatus.DONE),
    )
    past = (*HERE, TEAM, PRIVATE, on(TASK, ASSIGNED[0], *done, TaskDeleted()), NO_TEAM)
    given(*past).when(RESTORE).then(TaskRestored(), TaskUnwatched(user_id=BEN))


def test_a_project_that_all_see_lets_go_of_nobody() -> None:
    shown = on(ENG, ProjectVisibilityChanged(from_=Visibility.PRIVATE, to=Visibility.ORGANIZATION))
    given(*PAST, NO_MEMBER, NO_TEAM, shown).when(RESTORE).then(TaskRestored())
