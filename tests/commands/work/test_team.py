"""Stories of teams: who may change them, and what their LEADs may do."""

from typing import Any

import pytest

from commands.base import Command, NotPermitted
from commands.work.project import HoldProject, ResumeProject
from commands.work.task import ChangeTaskStatus
from commands.work.team import (
    AddTeamMember,
    ChangeTeamRole,
    CreateTeam,
    DeleteTeam,
    RemoveTeamMember,
    RenameTeam,
    RestoreTeam,
)
from commands.work.trash.task import DeleteTask, RestoreTask
from domain.base import NotFound, TeamId
from domain.claim import TeamNameTaken
from domain.identity.organization.membership import MemberDeactivated
from domain.identity.plan import PlanLimitReached
from domain.permission import KEY_PERMISSIONS
from domain.work.project.events import ProjectPutOnHold, ProjectTeamLinked
from domain.work.task.events import TaskDeleted, TaskStatus
from domain.work.team import (
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
from eventstore.identifiers import new_id
from tests.commands.acme import HERE, STRANGERS, TEAM, went
from tests.domain.spec import ACME, ANA, BEN, CLEO, DAN, ENG, GEARS, TASK
from tests.spec import given, on

LEAD, MEMBER = TeamRole.LEAD, TeamRole.MEMBER
WHEELS = TeamId(new_id())
MADE = on(GEARS, TeamCreated(name="Gears", created_by=ANA))
LED = on(GEARS, TeamMemberAdded(user_id=CLEO, role=LEAD))
JOINED = on(GEARS, TeamMemberAdded(user_id=CLEO, role=MEMBER))
BEN_IN = on(GEARS, TeamMemberAdded(user_id=BEN, role=MEMBER))
LINKED = on(ENG, ProjectTeamLinked(team_id=GEARS))
TRASHED = on(GEARS, TeamDeleted())
create = CreateTeam(team_id=WHEELS, name="Wheels")
add = AddTeamMember(team_id=GEARS, user_id=BEN, role=LEAD)


class TestCreateTeam:
    def test_a_manager_creates_a_team(self) -> None:
        made = TeamCreated(name="Wheels", created_by=BEN)
        given(TEAM).when(create, by=BEN).then(on(WHEELS, made))

    def test_a_member_does_not(self) -> None:
        given(TEAM).when(create, by=CLEO).then_refused(NotPermitted)

    @pytest.mark.parametrize("name", ["Gears", "gears", " GEARS "])
    def test_a_name_is_given_once(self, name: str) -> None:
        again = CreateTeam(team_id=WHEELS, name=name)
        given(TEAM, MADE).when(again).then_refused(TeamNameTaken)

    def test_the_name_of_a_deleted_or_renamed_team_is_free(self) -> None:
        again = CreateTeam(team_id=WHEELS, name="Gears")
        given(TEAM, MADE, TRASHED).when(again).then(TeamCreated(name="Gears", created_by=ANA))
        renamed = on(GEARS, TeamRenamed(from_="Gears", to="Shafts"))
        given(TEAM, MADE, renamed).when(again).then(TeamCreated(name="Gears", created_by=ANA))

    def test_a_name_that_differs_only_in_case_stays_taken_after_a_rename(self) -> None:
        renamed = on(GEARS, TeamRenamed(from_="Gears", to="GEARS"))
        again = CreateTeam(team_id=WHEELS, name="gears")
        given(TEAM, MADE, renamed).when(again).then_refused(TeamNameTaken)

    def test_the_plan_limits_how_many_there_are(self) -> None:
        other = on(new_id(), TeamCreated(name="Shafts", created_by=ANA))
        given(TEAM, MADE, other).when(create).then_refused(PlanLimitReached, what="teams", used=2)

    def test_another_organization_can_have_a_team_of_the_same_name(self) -> None:
        theirs = on(GEARS, TeamCreated(name="Wheels", created_by=DAN), org_id=STRANGERS[0].org_id)
        given(TEAM, *STRANGERS, theirs).when(create).then(
            TeamCreated(name="Wheels", created_by=ANA)
        )


class TestChangingATeam:
    def test_a_team_is_renamed(self) -> None:
        rename = RenameTeam(team_id=GEARS, name="Shafts")
        given(TEAM, MADE).when(rename).then(TeamRenamed(from_="Gears", to="Shafts"))
        given(TEAM, MADE).when(RenameTeam(team_id=GEARS, name="Gears")).then()

    def test_a_team_does_not_take_the_name_of_another(self) -> None:
        other = on(WHEELS, TeamCreated(name="Wheels", created_by=ANA))
        rename = RenameTeam(team_id=GEARS, name="wheels")
        given(TEAM, MADE, other).when(rename).then_refused(TeamNameTaken)

    def test_an_active_member_of_the_organization_is_added(self) -> None:
        given(TEAM, MADE).when(add).then(TeamMemberAdded(user_id=BEN, role=LEAD))
        given(TEAM, MADE, BEN_IN).when(add).then(
            TeamRoleChanged(user_id=BEN, from_=MEMBER, to=LEAD)
        )

    def test_nobody_else_is(self) -> None:
        stranger = AddTeamMember(team_id=GEARS, user_id=DAN)
        given(TEAM, MADE).when(stranger).then_refused(NotFound, user_id=DAN)
        closed = on(ACME, MemberDeactivated(user_id=BEN))
        given(TEAM, MADE, closed).when(add).then_refused(NotFound, user_id=BEN)

    def test_a_role_is_changed(self) -> None:
        command = ChangeTeamRole(team_id=GEARS, user_id=BEN, role=LEAD)
        changed = TeamRoleChanged(user_id=BEN, from_=MEMBER, to=LEAD)
        given(TEAM, MADE, BEN_IN).when(command).then(changed)
        given(TEAM, MADE).when(command).then_refused(NotFound)

    def test_somebody_is_removed_or_leaves(self) -> None:
        command = RemoveTeamMember(team_id=GEARS, user_id=CLEO)
        removed = TeamMemberRemoved(user_id=CLEO, cause=TeamLeaveCause.REMOVED)
        given(TEAM, MADE, JOINED).when(command, by=BEN).then(removed)
        left = TeamMemberRemoved(user_id=CLEO, cause=TeamLeaveCause.LEFT)
        given(TEAM, MADE, JOINED).when(command, by=CLEO).then(left)
        given(TEAM, MADE).when(command).then()

    def test_a_team_is_deleted_and_restored(self) -> None:
        given(TEAM, MADE).when(DeleteTeam(team_id=GEARS), by=BEN).then(TeamDeleted())
        restore = RestoreTeam(team_id=GEARS)
        given(TEAM, MADE, TRASHED).when(restore, by=BEN).then(TeamRestored())
        given(TEAM, MADE, TRASHED).when(add).then_refused(NotFound)

    def test_a_team_is_not_restored_when_its_name_or_its_place_is_taken(self) -> None:
        restore = RestoreTeam(team_id=GEARS)
        taken = on(WHEELS, TeamCreated(name="gears", created_by=ANA))
        given(TEAM, MADE, TRASHED, taken).when(restore).then_refused(TeamNameTaken)
        full = [on(new_id(), TeamCreated(name=n, created_by=ANA)) for n in ("One", "Two")]
        given(TEAM, MADE, TRASHED, *full).when(restore).then_refused(PlanLimitReached)


OF_A_TEAM: list[Command] = [
    RenameTeam(team_id=GEARS, name="Shafts"),
    AddTeamMember(team_id=GEARS, user_id=ANA),
    ChangeTeamRole(team_id=GEARS, user_id=BEN, role=LEAD),
    RemoveTeamMember(team_id=GEARS, user_id=BEN),
]
OF_ITS_PROJECTS: list[Command] = [
    HoldProject(project_id=ENG),
    DeleteTask(task_id=TASK),
    ChangeTaskStatus(task_id=TASK, to=TaskStatus.DONE, force=True),
]
ADMINISTRATION: list[Command] = [create, DeleteTeam(team_id=GEARS), RestoreTeam(team_id=GEARS)]
STARTED = on(TASK, *went(TaskStatus.IN_PROGRESS))
PAST = (*HERE, STARTED, MADE, BEN_IN, LINKED)
KEY: dict[str, Any] = {"on_behalf_of": CLEO, "scopes": KEY_PERMISSIONS}


class TestRightsOfALead:
    @pytest.mark.parametrize("command", [*OF_A_TEAM, *OF_ITS_PROJECTS])
    def test_a_lead_may_what_other_members_may_not(self, command: Command) -> None:
        assert given(*PAST, LED).when(command, by=CLEO).recorded
        given(*PAST, JOINED).when(command, by=CLEO).then_refused(NotPermitted)

    @pytest.mark.parametrize("command", [*OF_A_TEAM, *OF_ITS_PROJECTS])
    def test_not_in_person_a_lead_may_not(self, command: Command) -> None:
        refused = given(*PAST, LED).when(command, **KEY).refused
        assert isinstance(refused, NotPermitted)

    @pytest.mark.parametrize("command", [*OF_A_TEAM, *OF_ITS_PROJECTS])
    def test_the_lead_of_a_deleted_team_has_no_rights(self, command: Command) -> None:
        given(*PAST, LED, TRASHED).when(command, by=CLEO).then_refused(NotPermitted)

    @pytest.mark.parametrize("command", OF_ITS_PROJECTS)
    def test_a_lead_has_no_rights_in_the_projects_of_others(self, command: Command) -> None:
        unlinked = on(ENG, ProjectTeamLinked(team_id=None))
        given(*PAST, LED, unlinked).when(command, by=CLEO).then_refused(NotPermitted)

    @pytest.mark.parametrize("command", ADMINISTRATION)
    def test_teams_are_made_and_deleted_by_managers_only(self, command: Command) -> None:
        given(*PAST, LED).when(command, by=CLEO).then_refused(NotPermitted)

    def test_a_lead_resumes_reopens_and_restores(self) -> None:
        held = on(ENG, ProjectPutOnHold())
        assert given(*PAST, LED, held).when(ResumeProject(project_id=ENG), by=CLEO).recorded
        gone = on(TASK, TaskDeleted())
        assert given(*PAST, LED, gone).when(RestoreTask(task_id=TASK), by=CLEO).recorded
        done = on(TASK, *went(TaskStatus.IN_PROGRESS, TaskStatus.DONE)[1:])
        again = ChangeTaskStatus(task_id=TASK, to=TaskStatus.TODO)
        assert given(*PAST, LED, done).when(again, by=CLEO).recorded
        given(*PAST, JOINED, done).when(again, by=CLEO).then_refused(NotPermitted)
