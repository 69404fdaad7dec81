"""Stories of the commands on tasks."""

from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from commands.base import Command, NotPermitted
from commands.work.task import (
    AssignTask,
    ChangeTaskStatus,
    CreateTask,
    DeleteTask,
    EditTask,
    RestoreTask,
    UnassignTask,
)
from domain.base import NotFound, TaskId, UserId
from domain.identity.organization.membership import MemberDeactivated
from domain.work.project import (
    ProjectArchived,
    ProjectCreated,
    ProjectDeleted,
    ProjectIsArchived,
    ProjectOnHold,
    ProjectPutOnHold,
)
from domain.work.task.errors import SubtasksOpen, TooManyAssignees, TransitionNotAllowed
from domain.work.task.events import (
    Priority,
    TaskAssigned,
    TaskDeleted,
    TaskDescribed,
    TaskEvent,
    TaskPriorityChanged,
    TaskRestored,
    TaskRetitled,
    TaskStatus,
    TaskStatusChanged,
    TaskUnassigned,
)
from domain.work.task.state import OWN_DELETE_WINDOW
from tests.commands.acme import (
    CHILD,
    CREATED,
    FOREIGN_PROJECT,
    FOREIGN_TASK,
    HERE,
    OPS,
    PROJECT,
    STRANGERS,
    TEAM,
    task,
    went,
)
from tests.domain.spec import ACME, ANA, BEN, CLEO, DAN, ENG, NOW, TASK
from tests.spec import given, on

DOING, REVIEW = TaskStatus.IN_PROGRESS, TaskStatus.IN_REVIEW
DONE, CANCELLED, TODO = TaskStatus.DONE, TaskStatus.CANCELLED, TaskStatus.TODO
ON_HOLD, ARCHIVED = on(ENG, ProjectPutOnHold()), on(ENG, ProjectArchived())
IN_TRASH, GONE = on(ENG, ProjectDeleted()), on(TASK, TaskDeleted())


def create(**about: object) -> CreateTask:
    details: dict[str, object] = {"task_id": CHILD, "project_id": ENG, "title": "Oil it"}
    return CreateTask(**(details | about))  # type: ignore[arg-type]  # what is given is checked at run time


class TestCreateTask:
    def test_a_task_gets_the_next_number_of_its_project(self) -> None:
        given(*HERE).when(create()).then(on(CHILD, task(2)))

    def test_the_first_task_of_a_project_gets_number_one(self) -> None:
        given(TEAM, PROJECT).when(create(), by=CLEO).then(task(1, by=CLEO))

    def test_creating_a_task_again_records_nothing(self) -> None:
        given(*HERE).when(create(task_id=TASK)).then()

    def test_a_task_can_have_a_parent_in_the_same_project(self) -> None:
        story = given(*HERE).when(create(parent_id=TASK))

        story.then(*(e for past in story.recorded for e in past.events))
        assert story.recorded[0].events[0].parent_id == TASK  # type: ignore[attr-defined]  # a union of events, and this one has it

    def test_a_new_task_has_the_requested_values(self) -> None:
        created = replace(task(2), title="New", description="Why", priority=Priority.URGENT)
        asked = create(title="New", description="Why", priority=Priority.URGENT)
        given(*HERE).when(asked).then(on(CHILD, created))

    def test_a_parent_in_another_project_is_not_found(self) -> None:
        other = on(OPS, ProjectCreated(key="OPS", name="Other", created_by=ANA))
        given(*HERE, other).when(create(project_id=OPS, parent_id=TASK)).then_refused(NotFound)

    def test_a_deleted_parent_is_not_found(self) -> None:
        given(*HERE, GONE).when(create(parent_id=TASK)).then_refused(NotFound)

    @pytest.mark.parametrize("parent", [FOREIGN_TASK, TaskId(UUID(int=99))])
    def test_a_parent_in_another_organization_is_not_found(self, parent: TaskId) -> None:
        given(*HERE, *STRANGERS).when(create(parent_id=parent)).then_refused(NotFound)

    def test_no_task_is_created_in_a_project_on_hold(self) -> None:
        given(*HERE, ON_HOLD).when(create()).then_refused(ProjectOnHold)

    def test_no_task_is_created_in_an_archived_project(self) -> None:
        given(*HERE, ARCHIVED).when(create()).then_refused(ProjectIsArchived)

    def test_no_task_is_created_in_a_deleted_project(self) -> None:
        given(*HERE, IN_TRASH).when(create()).then_refused(NotFound)

    def test_no_task_is_created_in_another_organizations_project(self) -> None:
        asked = create(project_id=FOREIGN_PROJECT)
        given(*HERE, *STRANGERS).when(asked).then_refused(NotFound)

    def test_a_task_cannot_take_the_id_of_another_organizations(self) -> None:
        given(*HERE, *STRANGERS).when(create(task_id=FOREIGN_TASK)).then_refused(NotFound)

    def test_a_task_cannot_take_the_id_of_another_resource(self) -> None:
        given(*HERE).when(create(task_id=TaskId(ENG))).then_refused(NotFound)


class TestEditTask:
    def test_an_edit_records_one_event_per_field(self) -> None:
        asked = EditTask(
            task_id=TASK, title="New", description="Why", priority=Priority.HIGH, status=DOING
        )
        given(*HERE).when(asked, by=CLEO).then(
            TaskRetitled(from_="Oil it", to="New"),
            TaskDescribed(description="Why"),
            TaskPriorityChanged(from_=Priority.MEDIUM, to=Priority.HIGH),
            *went(DOING),
        )

    def test_an_edit_without_changes_records_nothing(self) -> None:
        asked = EditTask(task_id=TASK, title="Oil it", description=None, status=TODO)
        given(*HERE).when(asked).then()

    def test_a_refused_field_refuses_the_whole_edit(self) -> None:
        asked = EditTask(task_id=TASK, title="New", status=DONE)
        given(*HERE).when(asked).then_refused(TransitionNotAllowed, at=TODO)


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


class TestFinishingATaskWithSubtasks:
    """Ana's task is in progress and has one subtask, in TODO."""

    BELOW = (*HERE, on(TASK, *went(DOING)), on(CHILD, task(2, parent=TASK)))
    FINISH = ChangeTaskStatus(task_id=TASK, to=DONE)
    FORCE = ChangeTaskStatus(task_id=TASK, to=DONE, force=True)
    FINISHED = TaskStatusChanged(from_=DOING, to=DONE)
    FORCED = TaskStatusChanged(from_=DOING, to=DONE, forced=True)

    @pytest.mark.parametrize("asked", [FINISH, EditTask(task_id=TASK, status=DONE)])
    def test_it_is_not_done_while_a_subtask_is_open(self, asked: Command) -> None:
        given(*self.BELOW).when(asked).then_refused(SubtasksOpen, open=1)

    def test_it_is_not_done_through_the_statuses_between_either(self) -> None:
        back = on(TASK, TaskStatusChanged(from_=DOING, to=TODO))
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
        cancelled = TaskStatusChanged(from_=DOING, to=CANCELLED)
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


class TestAssignTask:
    def test_a_member_can_be_assigned(self) -> None:
        asked = AssignTask(task_id=TASK, user_id=BEN)
        given(*HERE).when(asked, by=CLEO).then(on(TASK, TaskAssigned(user_id=BEN)))

    def test_assigning_twice_records_nothing(self) -> None:
        asked = AssignTask(task_id=TASK, user_id=BEN)
        given(*HERE, on(TASK, TaskAssigned(user_id=BEN))).when(asked).then()

    def test_a_user_outside_the_organization_cannot_be_assigned(self) -> None:
        asked = AssignTask(task_id=TASK, user_id=DAN)
        given(*HERE).when(asked).then_refused(NotFound, user_id=DAN)

    def test_a_deactivated_member_cannot_be_assigned(self) -> None:
        closed = on(ACME, MemberDeactivated(user_id=BEN))
        given(*HERE, closed).when(AssignTask(task_id=TASK, user_id=BEN)).then_refused(NotFound)

    def test_too_many_assignees_are_refused(self) -> None:
        crowd = (TaskAssigned(user_id=UserId(UUID(int=100 + n))) for n in range(20))
        asked = AssignTask(task_id=TASK, user_id=BEN)
        given(*HERE, on(TASK, *crowd)).when(asked).then_refused(TooManyAssignees)


class TestUnassignTask:
    def test_an_assignee_can_be_unassigned(self) -> None:
        asked = UnassignTask(task_id=TASK, user_id=BEN)
        off = TaskUnassigned(user_id=BEN)
        given(*HERE, on(TASK, TaskAssigned(user_id=BEN))).when(asked, by=CLEO).then(off)

    def test_unassigning_somebody_who_is_not_assigned_records_nothing(self) -> None:
        given(*HERE).when(UnassignTask(task_id=TASK, user_id=DAN)).then()


class TestDeleteTask:
    @pytest.mark.parametrize("by", [ANA, BEN], ids=["admin", "manager"])
    def test_admins_and_managers_can_delete_any_task(self, by: UserId) -> None:
        late = NOW + timedelta(days=400)
        here = (TEAM, PROJECT, on(TASK, task(by=CLEO)))
        given(*here).when(DeleteTask(task_id=TASK), by=by, now=late).then(TaskDeleted())

    def test_members_can_delete_their_own_recent_tasks(self) -> None:
        here = (TEAM, PROJECT, on(TASK, task(by=CLEO)))
        in_time = NOW + OWN_DELETE_WINDOW
        given(*here).when(DeleteTask(task_id=TASK), by=CLEO, now=in_time).then(TaskDeleted())

    def test_members_cannot_delete_their_own_older_tasks(self) -> None:
        here = (TEAM, PROJECT, on(TASK, task(by=CLEO)))
        late = NOW + OWN_DELETE_WINDOW + timedelta(microseconds=1)
        asked = DeleteTask(task_id=TASK)
        given(*here).when(asked, by=CLEO, now=late).then_refused(NotPermitted)

    def test_members_cannot_delete_the_tasks_of_others(self) -> None:
        given(*HERE).when(DeleteTask(task_id=TASK), by=CLEO).then_refused(NotPermitted)

    def test_a_task_can_be_deleted_in_an_archived_project(self) -> None:
        given(*HERE, ARCHIVED).when(DeleteTask(task_id=TASK)).then(TaskDeleted())


class TestRestoreTask:
    def test_a_deleted_task_can_be_restored(self) -> None:
        given(*HERE, GONE).when(RestoreTask(task_id=TASK), by=BEN).then(TaskRestored())

    def test_restoring_a_task_that_is_not_deleted_records_nothing(self) -> None:
        given(*HERE).when(RestoreTask(task_id=TASK)).then()

    def test_members_can_restore_their_own_tasks(self) -> None:
        here = (TEAM, PROJECT, on(TASK, task(by=CLEO), TaskDeleted()))
        given(*here).when(RestoreTask(task_id=TASK), by=CLEO).then(TaskRestored())

    def test_members_cannot_restore_the_tasks_of_others(self) -> None:
        given(*HERE, GONE).when(RestoreTask(task_id=TASK), by=CLEO).then_refused(NotPermitted)
