"""Stories of the tasks of somebody who left."""

from commands.work.leaving import UnassignFormerMember
from domain.base import NotFound
from domain.identity.organization.membership import (
    LeaveCause,
    MemberDeactivated,
    MemberJoined,
    MemberLeft,
    Role,
)
from domain.work.project.errors import ProjectIsArchived
from domain.work.project.events import ProjectArchived
from domain.work.task.events import (
    TaskAssigned,
    TaskDeleted,
    TaskStatus,
    TaskUnassigned,
)
from tests.commands.acme import HERE
from tests.domain.spec import ACME, BEN, CLEO, DAN, ENG, TASK, stepped
from tests.spec import given, on

ASSIGNED = on(TASK, TaskAssigned(user_id=BEN), TaskAssigned(user_id=CLEO))
LEFT = on(ACME, MemberLeft(user_id=BEN, cause=LeaveCause.REMOVED))
unassign = UnassignFormerMember(task_id=TASK, user_id=BEN)


class TestUnassignFormerMember:
    def test_whoever_left_is_unassigned_and_nobody_else(self) -> None:
        given(*HERE, ASSIGNED, LEFT).when(unassign, by=DAN).then(TaskUnassigned(user_id=BEN))

    def test_a_second_time_records_nothing(self) -> None:
        given(*HERE, ASSIGNED, LEFT, on(TASK, TaskUnassigned(user_id=BEN))).when(unassign).then()

    def test_whoever_came_back_or_is_suspended_stays_assigned(self) -> None:
        back = on(ACME, MemberJoined(user_id=BEN, role=Role.MEMBER))
        given(*HERE, ASSIGNED, LEFT, back).when(unassign).then()
        given(*HERE, ASSIGNED, on(ACME, MemberDeactivated(user_id=BEN))).when(unassign).then()

    def test_a_finished_task_keeps_who_did_it(self) -> None:
        begun = stepped(TaskStatus.TODO, TaskStatus.IN_PROGRESS)
        done = stepped(TaskStatus.IN_PROGRESS, TaskStatus.DONE)
        given(*HERE, ASSIGNED, LEFT, on(TASK, begun, done)).when(unassign).then()

    def test_what_nobody_can_change_stays_as_it_is(self) -> None:
        given(*HERE, ASSIGNED, LEFT, on(TASK, TaskDeleted())).when(unassign).then_refused(NotFound)
        archived = on(ENG, ProjectArchived())
        given(*HERE, ASSIGNED, LEFT, archived).when(unassign).then_refused(ProjectIsArchived)
