"""Stories of the commands that change the status of a task."""

import pytest

from commands.base import Command, NotPermitted
from commands.work.task import (
    ChangeTaskStatus,
    EditTask,
)
from domain.base import UserId
from domain.work.project.errors import ProjectOnHold
from domain.work.project.events import ProjectPutOnHold
from domain.work.task.errors import SubtasksOpen, TransitionNotAllowed
from domain.work.task.events import (
    TaskAssigned,
    TaskDeleted,
    TaskEvent,
    TaskRestored,
    TaskStatus,
    TaskStatusChanged,
)
from domain.work.workflow.events import (
    Guard,
    StatusGroup,
    StatusRule,
    Transition,
    WorkflowDefined,
)
from tests.commands.acme import (
    CHILD,
    CREATED,
    HERE,
    PROJECT,
    TEAM,
    task,
    went,
)
from tests.domain.spec import ANA, BEN, CLEO, ENG, NOW, TASK, stepped
from tests.spec import given, on

DOING, REVIEW = TaskStatus.IN_PROGRESS, TaskStatus.IN_REVIEW
DONE, CANCELLED, TODO = TaskStatus.DONE, TaskStatus.CANCELLED, TaskStatus.TODO
ON_HOLD = on(ENG, ProjectPutOnHold())
SHIPPING = on(
    ENG,
    WorkflowDefined(
        version=2,
        statuses=(
            StatusRule(key="TODO", group=StatusGroup.TODO),
            StatusRule(key="IN_PROGRESS", group=StatusGroup.IN_PROGRESS),
            StatusRule(key="DONE", group=StatusGroup.DONE),
            StatusRule(key="SHIPPED", group=StatusGroup.DONE),
        ),
        names="To do\nIn progress\nDone\nShipped",
        transitions=(
            Transition(from_="TODO", to="IN_PROGRESS"),
            Transition(from_="IN_PROGRESS", to="DONE"),
            Transition(from_="DONE", to="SHIPPED"),
        ),
    ),
)


class TestChangeTaskStatus:
    def test_a_status_change_is_recorded(self) -> None:
        given(*HERE).when(ChangeTaskStatus(task_id=TASK, to=DOING), by=CLEO).then(*went(DOING))

    def test_setting_the_same_status_records_nothing(self) -> None:
        given(*HERE).when(ChangeTaskStatus(task_id=TASK, to=TODO)).then()

    def test_a_status_change_cannot_skip_a_status(self) -> None:
        asked = ChangeTaskStatus(task_id=TASK, to=DONE)
        given(*HERE).when(asked).then_refused(TransitionNotAllowed)

    def test_via_path_records_the_statuses_between(self) -> None:
        asked = ChangeTaskStatus(task_id=TASK, to=DONE, via_path=True)
        given(*HERE).when(asked).then(*went(DOING, DONE))

    def test_no_task_is_started_in_a_project_on_hold(self) -> None:
        asked = ChangeTaskStatus(task_id=TASK, to=DOING)
        given(*HERE, ON_HOLD).when(asked).then_refused(ProjectOnHold)

    def test_no_task_goes_to_review_in_a_project_on_hold(self) -> None:
        doing = on(TASK, *went(DOING))
        asked = ChangeTaskStatus(task_id=TASK, to=REVIEW)
        given(*HERE, doing, ON_HOLD).when(asked).then_refused(ProjectOnHold)

    def test_a_task_can_be_cancelled_in_a_project_on_hold(self) -> None:
        asked = ChangeTaskStatus(task_id=TASK, to=CANCELLED)
        given(*HERE, ON_HOLD).when(asked).then(*went(CANCELLED))

    def test_via_path_starts_no_task_in_a_project_on_hold(self) -> None:
        asked = ChangeTaskStatus(task_id=TASK, to=DONE, via_path=True)
        given(*HERE, ON_HOLD).when(asked).then_refused(ProjectOnHold)

    @pytest.mark.parametrize("by", [ANA, BEN], ids=["admin", "manager"])
    def test_admins_and_managers_can_reopen_a_task(self, by: UserId) -> None:
        finished = (TEAM, PROJECT, on(TASK, task(by=CLEO), *went(CANCELLED)))
        given(*finished).when(ChangeTaskStatus(task_id=TASK, to=TODO), by=by).then(
            went(CANCELLED, TODO)[1]
        )

    def test_the_creator_can_reopen_a_task(self) -> None:
        finished = (TEAM, PROJECT, on(TASK, task(by=CLEO), *went(DOING, DONE)))
        given(*finished).when(ChangeTaskStatus(task_id=TASK, to=DOING), by=CLEO).then(
            went(DONE, DOING)[1]
        )

    def test_an_assignee_can_reopen_a_task(self) -> None:
        finished = (TEAM, PROJECT, on(TASK, CREATED, TaskAssigned(user_id=CLEO), *went(CANCELLED)))
        given(*finished).when(ChangeTaskStatus(task_id=TASK, to=TODO), by=CLEO).then(
            went(CANCELLED, TODO)[1]
        )

    def test_other_members_cannot_reopen_a_task(self) -> None:
        finished = (*HERE, on(TASK, *went(DOING, DONE)))
        for asked in (
            ChangeTaskStatus(task_id=TASK, to=TODO),
            ChangeTaskStatus(task_id=TASK, to=CANCELLED, via_path=True),
            EditTask(task_id=TASK, status=DOING),
        ):
            given(*finished).when(asked, by=CLEO).then_refused(NotPermitted)

    def test_setting_the_same_final_status_is_not_reopening(self) -> None:
        finished = (*HERE, on(TASK, *went(DOING, DONE)))
        given(*finished).when(ChangeTaskStatus(task_id=TASK, to=DONE), by=CLEO).then()

    def test_who_goes_on_from_done_to_another_final_status_reopens_nothing(self) -> None:
        asked = ChangeTaskStatus(task_id=TASK, to="SHIPPED", via_path=True)
        recorded = given(*HERE, SHIPPING).when(asked, by=CLEO).recorded
        changes = [each for past in recorded for each in past.events]
        steps = [each.to for each in changes if isinstance(each, TaskStatusChanged)]
        assert steps == ["IN_PROGRESS", "DONE", "SHIPPED"]


class TestFinishingATaskWithSubtasks:
    """Ana's task is in progress and has one subtask, in TODO."""

    BELOW = (*HERE, on(TASK, *went(DOING)), on(CHILD, task(2, parent=TASK)))
    FINISH = ChangeTaskStatus(task_id=TASK, to=DONE)
    FORCE = ChangeTaskStatus(task_id=TASK, to=DONE, force=True)
    FINISHED = stepped(DOING, DONE, at=NOW)
    FORCED = stepped(DOING, DONE, guards=(), forced=True, past_guards=tuple(Guard), at=NOW)

    @pytest.mark.parametrize("asked", [FINISH, EditTask(task_id=TASK, status=DONE)])
    def test_it_is_not_done_while_a_subtask_is_open(self, asked: Command) -> None:
        given(*self.BELOW).when(asked).then_refused(SubtasksOpen, open=1)

    def test_it_is_not_done_through_the_statuses_between_either(self) -> None:
        back = on(TASK, stepped(DOING, TODO))
        asked = ChangeTaskStatus(task_id=TASK, to=DONE, via_path=True)
        given(*self.BELOW, back).when(asked).then_refused(SubtasksOpen)

    @pytest.mark.parametrize("what", [went(CANCELLED), went(DOING, DONE), (TaskDeleted(),)])
    def test_a_subtask_that_is_finished_or_in_the_trash_does_not_stop_it(
        self, what: tuple[TaskEvent, ...]
    ) -> None:
        given(*self.BELOW, on(CHILD, *what)).when(self.FINISH).then(self.FINISHED)

    def test_a_subtask_that_was_reopened_or_restored_stops_it(self) -> None:
        reopened = on(CHILD, *went(CANCELLED, TODO))
        restored = on(CHILD, TaskDeleted(), TaskRestored())
        for back in (reopened, restored):
            given(*self.BELOW, back).when(self.FINISH).then_refused(SubtasksOpen)

    def test_it_can_be_cancelled(self) -> None:
        cancelled = stepped(DOING, CANCELLED)
        given(*self.BELOW).when(ChangeTaskStatus(task_id=TASK, to=CANCELLED)).then(cancelled)

    @pytest.mark.parametrize("by", [ANA, BEN], ids=["admin", "manager"])
    def test_admins_and_managers_can_force_it_and_the_event_says_so(self, by: UserId) -> None:
        given(*self.BELOW).when(self.FORCE, by=by).then(self.FORCED)

    def test_members_cannot_force_it(self) -> None:
        given(*self.BELOW).when(self.FORCE, by=CLEO).then_refused(NotPermitted)

    def test_another_status_is_not_forced(self) -> None:
        asked = ChangeTaskStatus(task_id=CHILD, to=DOING, force=True)
        given(*self.BELOW).when(asked).then(on(CHILD, *went(DOING)))

    def test_a_dry_run_is_refused_as_well(self) -> None:
        given(*self.BELOW).when(self.FINISH, dry_run=True).then_refused(SubtasksOpen)
