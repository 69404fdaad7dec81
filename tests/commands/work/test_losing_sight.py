"""Stories of those who no longer see a private project, or have left the organization."""

from commands.work.losing_sight import (
    ReleaseWithoutSight,
    RemoveFormerMemberFromProject,
    RemoveFormerMemberFromTeam,
)
from domain.identity.organization.membership import LeaveCause, MemberJoined, MemberLeft, Role
from domain.work.project.events import (
    ProjectArchived,
    ProjectLeadAssigned,
    ProjectMemberAdded,
    ProjectMemberRemoved,
    ProjectVisibilityChanged,
    Visibility,
)
from domain.work.task.events import (
    TaskAssigned,
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
from tests.commands.acme import HERE, went
from tests.domain.spec import ACME, ANA, BEN, ENG, GEARS, TASK
from tests.spec import given, on

PRIVATE = ProjectVisibilityChanged(from_=Visibility.ORGANIZATION, to=Visibility.PRIVATE)
CONCERNED = on(TASK, TaskAssigned(user_id=BEN), TaskWatched(user_id=BEN))
PAST = (*HERE, CONCERNED)
LEFT = on(ACME, MemberLeft(user_id=BEN, cause=LeaveCause.LEFT))
BACK = on(ACME, MemberJoined(user_id=BEN, role=Role.MEMBER))
release = ReleaseWithoutSight(task_id=TASK, user_id=BEN)
leave_team = RemoveFormerMemberFromTeam(team_id=GEARS, user_id=BEN)
leave_project = RemoveFormerMemberFromProject(project_id=ENG, user_id=BEN)
JOINED = on(
    GEARS,
    TeamCreated(name="Gears", created_by=ANA),
    TeamMemberAdded(user_id=BEN, role=TeamRole.LEAD),
)
MEMBER = on(ENG, ProjectMemberAdded(user_id=BEN), ProjectLeadAssigned(user_id=BEN))


class TestReleaseWithoutSight:
    def test_whoever_sees_nothing_neither_works_on_the_task_nor_watches_it(self) -> None:
        gone = (TaskUnassigned(user_id=BEN), TaskUnwatched(user_id=BEN))
        given(*PAST, on(ENG, PRIVATE)).when(release).then(*gone)
        given(*HERE, on(ENG, PRIVATE)).when(release).then()

    def test_whoever_sees_it_stays(self) -> None:
        given(*PAST).when(release).then()
        member = ProjectMemberAdded(user_id=BEN)
        given(*PAST, on(ENG, PRIVATE, member)).when(release).then()

    def test_a_finished_task_keeps_who_did_it(self) -> None:
        done = on(TASK, *went(TaskStatus.IN_PROGRESS, TaskStatus.DONE))
        given(*PAST, on(ENG, PRIVATE), done).when(release).then(TaskUnwatched(user_id=BEN))

    def test_an_archived_project_lets_go_of_them_as_well(self) -> None:
        gone = (TaskUnassigned(user_id=BEN), TaskUnwatched(user_id=BEN))
        archived = on(ENG, PRIVATE, ProjectArchived())
        given(*PAST, archived).when(release).then(*gone)


class TestLeavingTheOrganization:
    def test_whoever_left_is_no_longer_in_a_team(self) -> None:
        removed = TeamMemberRemoved(user_id=BEN, cause=TeamLeaveCause.LEFT_ORGANIZATION)
        given(*HERE, JOINED, LEFT).when(leave_team).then(removed)
        given(*HERE, JOINED).when(leave_team).then()
        given(*HERE, JOINED, LEFT, BACK).when(leave_team).then()

    def test_whoever_left_has_no_project_either(self) -> None:
        gone = (ProjectMemberRemoved(user_id=BEN), ProjectLeadAssigned(user_id=None))
        given(*HERE, MEMBER, LEFT).when(leave_project).then(*gone)
        archived = on(ENG, ProjectArchived())
        given(*HERE, MEMBER, archived, LEFT).when(leave_project).then(*gone)
        given(*HERE, MEMBER).when(leave_project).then()
        given(*HERE, LEFT).when(leave_project).then()
