"""Stories of the commands on tasks."""

from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from commands.base import NotPermitted
from commands.work.task import AssignTask, EditTask, UnassignTask
from commands.work.task_create import CreateTask
from commands.work.trash.task import DeleteTask, RestoreTask
from domain.base import NotFound, TaskId, UserId
from domain.identity.organization.membership import MemberDeactivated
from domain.work.project.errors import ProjectIsArchived, ProjectOnHold
from domain.work.project.events import (
    ProjectArchived,
    ProjectCreated,
    ProjectDeleted,
    ProjectPutOnHold,
)
from domain.work.task.errors import TooManyAssignees, TransitionNotAllowed, TwoDueDates
from domain.work.task.events import (
    Priority,
    TaskAssigned,
    TaskDeleted,
    TaskDescribed,
    TaskEstimated,
    TaskPriorityChanged,
    TaskRestored,
    TaskRetitled,
    TaskSchedule,
    TaskScheduled,
    TaskStatus,
    TaskUnassigned,
    TaskWatched,
)
from domain.work.task.mentions import TaskMentioned
from domain.work.task.state import OWN_DELETE_WINDOW
from tests.commands.acme import (
    CHILD,
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

DOING, DONE, TODO = TaskStatus.IN_PROGRESS, TaskStatus.DONE, TaskStatus.TODO
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

    def test_a_new_task_has_dates_an_estimate_and_assignees_in_events_of_their_own(self) -> None:
        wanted = TaskSchedule(start_date=NOW.date(), due_at=NOW)
        in_paris = NOW.astimezone(ZoneInfo("Europe/Paris"))
        asked = create(
            start_date=NOW.date(), due_at=in_paris, estimate=3, assignees=(BEN, CLEO, BEN)
        )
        given(*HERE).when(asked).then(
            on(
                CHILD,
                task(2),
                TaskScheduled(from_=TaskSchedule(), to=wanted),
                TaskEstimated(from_=None, to=3),
                TaskAssigned(user_id=BEN),
                TaskAssigned(user_id=CLEO),
            )
        )

    def test_whom_a_description_mentions_watches_the_new_task(self) -> None:
        asked = create(assignees=(BEN,), mentions=(BEN, CLEO, BEN, ANA))
        given(*HERE).when(asked).then(
            on(
                CHILD,
                task(2),
                TaskAssigned(user_id=BEN),
                TaskMentioned(mentions=(BEN, CLEO, ANA), added=(BEN, CLEO, ANA)),
                TaskWatched(user_id=CLEO),
            )
        )

    def test_nobody_outside_the_organization_is_mentioned(self) -> None:
        given(*HERE).when(create(mentions=(DAN,))).then_refused(NotFound, user_id=DAN)

    def test_nobody_outside_the_organization_is_assigned_to_a_new_task(self) -> None:
        given(*HERE).when(create(assignees=(DAN,))).then_refused(NotFound, user_id=DAN)

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

    def test_an_edit_tells_those_whom_the_description_did_not_mention_before(self) -> None:
        past = on(TASK, TaskMentioned(mentions=(BEN, CLEO), added=(BEN, CLEO)))
        edit = EditTask(task_id=TASK, description="Ask them", mentions=(CLEO, ANA))
        given(*HERE, past).when(edit).then(
            TaskDescribed(description="Ask them"), TaskMentioned(mentions=(CLEO, ANA), added=(ANA,))
        )
        left = EditTask(task_id=TASK, mentions=(BEN, CLEO))
        given(*HERE, past).when(left).then()
        given(*HERE, past, on(ACME, MemberDeactivated(user_id=CLEO))).when(left).then()
        given(*HERE).when(EditTask(task_id=TASK, mentions=(CLEO,))).then(
            TaskMentioned(mentions=(CLEO,), added=(CLEO,)), TaskWatched(user_id=CLEO)
        )
        nobody = EditTask(task_id=TASK, mentions=())
        given(*HERE, past).when(nobody).then(TaskMentioned())

    def test_an_edit_without_changes_records_nothing(self) -> None:
        asked = EditTask(task_id=TASK, title="Oil it", description=None, status=TODO)
        given(*HERE).when(asked).then()

    def test_an_edit_changes_the_dates_that_it_names(self) -> None:
        due = TaskSchedule(due_date=NOW.date())
        scheduled = on(TASK, TaskScheduled(from_=TaskSchedule(), to=due))
        asked = EditTask(task_id=TASK, start_date=NOW.date(), estimate=5)
        given(*HERE, scheduled).when(asked).then(
            TaskScheduled(from_=due, to=TaskSchedule(start_date=NOW.date(), due_date=NOW.date())),
            TaskEstimated(from_=None, to=5),
        )

    def test_a_time_at_which_a_task_is_due_replaces_the_day_and_the_other_way_round(self) -> None:
        day, time = TaskSchedule(due_date=NOW.date()), TaskSchedule(due_at=NOW)
        on_day = on(TASK, TaskScheduled(from_=TaskSchedule(), to=day))
        at_time = on(TASK, TaskScheduled(from_=TaskSchedule(), to=time))
        given(*HERE, on_day).when(EditTask(task_id=TASK, due_at=NOW)).then(
            TaskScheduled(from_=day, to=time)
        )
        given(*HERE, at_time).when(EditTask(task_id=TASK, due_date=NOW.date())).then(
            TaskScheduled(from_=time, to=day)
        )
        given(*HERE, at_time).when(EditTask(task_id=TASK, due_at=None)).then(
            TaskScheduled(from_=time, to=TaskSchedule())
        )

    def test_an_edit_with_a_day_and_a_time_is_refused(self) -> None:
        asked = EditTask(task_id=TASK, due_date=NOW.date(), due_at=NOW)
        given(*HERE).when(asked).then_refused(TwoDueDates)

    def test_a_refused_field_refuses_the_whole_edit(self) -> None:
        asked = EditTask(task_id=TASK, title="New", status=DONE)
        given(*HERE).when(asked).then_refused(TransitionNotAllowed, at=TODO)


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
        given(*here).when(DeleteTask(task_id=TASK), by=by, now=late).then(
            TaskDeleted(at=late, project_id=ENG, owner=CLEO)
        )

    def test_members_can_delete_their_own_recent_tasks(self) -> None:
        here = (TEAM, PROJECT, on(TASK, task(by=CLEO)))
        in_time = NOW + OWN_DELETE_WINDOW
        deleted = TaskDeleted(at=in_time, project_id=ENG, owner=CLEO)
        given(*here).when(DeleteTask(task_id=TASK), by=CLEO, now=in_time).then(deleted)

    def test_members_cannot_delete_their_own_older_tasks(self) -> None:
        here = (TEAM, PROJECT, on(TASK, task(by=CLEO)))
        late = NOW + OWN_DELETE_WINDOW + timedelta(microseconds=1)
        asked = DeleteTask(task_id=TASK)
        given(*here).when(asked, by=CLEO, now=late).then_refused(NotPermitted)

    def test_members_cannot_delete_the_tasks_of_others(self) -> None:
        given(*HERE).when(DeleteTask(task_id=TASK), by=CLEO).then_refused(NotPermitted)

    def test_a_task_can_be_deleted_in_an_archived_project(self) -> None:
        given(*HERE, ARCHIVED).when(DeleteTask(task_id=TASK)).then(
            TaskDeleted(at=NOW, project_id=ENG, owner=ANA)
        )


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
