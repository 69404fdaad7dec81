"""Stories of the command that changes many tasks at once."""

from datetime import date
from uuid import UUID

from commands.exchange.bulk import (
    BulkRefused,
    ChangeTasks,
    TaskSetting,
    TooManyForMember,
)
from domain.base import LabelId, TaskId
from domain.identity.organization.events import PlanChanged
from domain.identity.plan import Plan, PlanLimitReached
from domain.work.label import LabelCreated
from domain.work.task.events import (
    Priority,
    TaskAssigned,
    TaskDeleted,
    TaskLabelled,
    TaskPriorityChanged,
    TaskSchedule,
    TaskScheduled,
    TaskStatus,
    TaskUnassigned,
    TaskUnlabelled,
)
from tests.commands.acme import CHILD, HERE, task, went
from tests.domain.spec import ACME, ANA, BEN, CLEO, ENG, NOW, TASK
from tests.spec import given, on

BUG = LabelId(UUID(int=71))
PREMIUM = on(ACME, PlanChanged(from_=Plan.FREE, to=Plan.PREMIUM))
SECOND = on(CHILD, task(number=2))
BOTH = (*HERE, SECOND)
BUGS = on(BUG, LabelCreated(name="Bug", color="#ff0000", created_by=ANA, created_at=NOW))
DOING, DONE = TaskStatus.IN_PROGRESS, TaskStatus.DONE
NOWHERE = TaskId(UUID(int=404))


def change(*ids: TaskId, **to: object) -> ChangeTasks:
    """Return the command on both tasks, or on others."""
    return ChangeTasks(task_ids=ids or (TASK, CHILD), setting=TaskSetting(**to))  # type: ignore[arg-type]  # a test's own words


GONE = TaskDeleted(at=NOW, project_id=ENG, owner=ANA)


class TestChangeTasks:
    def test_each_task_gets_what_it_has_not_yet(self) -> None:
        urgent = on(TASK, TaskPriorityChanged(from_=Priority.MEDIUM, to=Priority.HIGH))
        given(*BOTH, urgent).when(change(priority=Priority.HIGH), by=CLEO).then(
            TaskPriorityChanged(from_=Priority.MEDIUM, to=Priority.HIGH)
        )

    def test_all_that_is_set_is_recorded_for_each_task_in_turn(self) -> None:
        asked = change(
            TASK,
            status=DOING,
            due_date=date(2027, 1, 31),
            assign=(CLEO,),
            unassign=(BEN,),
            label=(BUG,),
        )
        given(*HERE, BUGS, on(TASK, TaskAssigned(user_id=BEN))).when(asked).then(
            TaskLabelled(label_id=BUG),
            TaskUnassigned(user_id=BEN),
            TaskAssigned(user_id=CLEO),
            TaskScheduled(from_=TaskSchedule(), to=TaskSchedule(due_date=date(2027, 1, 31))),
            *went(DOING),
        )

    def test_labels_are_taken_off(self) -> None:
        labelled = on(TASK, TaskLabelled(label_id=BUG))
        given(*HERE, BUGS, labelled).when(change(TASK, unlabel=(BUG,))).then(
            TaskUnlabelled(label_id=BUG)
        )

    def test_tasks_are_deleted(self) -> None:
        given(*BOTH).when(change(delete=True)).then(GONE, GONE)

    def test_one_refusal_refuses_everything(self) -> None:
        refused = given(*BOTH).when(change(TASK, CHILD, NOWHERE, priority=Priority.LOW))
        refused.then_refused(BulkRefused)

    def test_a_transition_that_one_task_cannot_make_refuses_everything(self) -> None:
        given(*BOTH, on(TASK, *went(DOING))).when(change(status=DONE)).then_refused(BulkRefused)

    def test_a_member_changes_at_most_100_tasks_at_once(self) -> None:
        many = tuple(TaskId(UUID(int=1_000 + n)) for n in range(101))
        asked = change(*many, priority=Priority.LOW)
        given(*BOTH, PREMIUM).when(asked, by=CLEO).then_refused(TooManyForMember)
        given(*BOTH, PREMIUM).when(asked, by=ANA).then_refused(BulkRefused)

    def test_a_plan_limits_how_many_are_changed_at_once(self) -> None:
        many = tuple(TaskId(UUID(int=1_000 + n)) for n in range(51))
        given(*BOTH).when(change(*many, priority=Priority.LOW)).then_refused(PlanLimitReached)
