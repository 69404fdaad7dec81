"""Stories of the command that changes many tasks at once."""

from datetime import date
from uuid import UUID

from msgspec.structs import replace

from commands.exchange.bulk import (
    BulkRefused,
    ChangeTasks,
    TaskOutcome,
    TaskSetting,
    TooManyForMember,
    TooManyMoved,
)
from commands.work.task_plan import Planned
from domain.base import LabelId, ProjectId, TaskId
from domain.identity.organization.events import PlanChanged
from domain.identity.plan import Plan, PlanLimitReached
from domain.planning.field import FieldCreated, stream_of_field
from domain.work.label import LabelCreated
from domain.work.project.events import ProjectCreated, ProjectVisibilityChanged, Visibility
from domain.work.task.custom_field import FieldType, TaskFieldSet
from domain.work.task.events import (
    Priority,
    TaskAssigned,
    TaskDeleted,
    TaskLabelled,
    TaskMoved,
    TaskPriorityChanged,
    TaskSchedule,
    TaskScheduled,
    TaskStatus,
    TaskUnassigned,
    TaskUnlabelled,
    TaskUnwatched,
)
from domain.work.task.plan_events import TaskCycleChanged, TaskMilestoneChanged
from domain.work.workflow.events import StatusGroup
from tests.commands.acme import CHILD, HERE, OPS, task, went
from tests.commands.planning.plans import BETA, ONE, PLANNED
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
OTHER = on(OPS, ProjectCreated(key="OPS", name="Other", created_by=ANA))
FAMILY = (*HERE, OTHER, on(CHILD, task(number=2, parent=TASK)))
LOW = TaskPriorityChanged(from_=Priority.MEDIUM, to=Priority.LOW)


def moved(number: int, old: int, parent: TaskId | None = None) -> TaskMoved:
    return TaskMoved(
        from_project_id=ENG,
        from_key=f"ENG-{old}",
        project_id=OPS,
        project_key="OPS",
        number=number,
        status="TODO",
        group=StatusGroup.TODO,
        parent_id=parent,
    )


def move(
    *ids: TaskId, below: dict[TaskId, tuple[TaskId, ...]], to: ProjectId = OPS, **about: object
) -> ChangeTasks:
    about = about or {"priority": Priority.LOW}
    return replace(change(*ids, project_id=to, **about), below=below)


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

    def test_cycle_milestone_and_custom_fields_are_set(self) -> None:
        size = on(
            stream_of_field(ENG, "size"),
            FieldCreated(
                project_id=ENG,
                key="size",
                name="Size",
                kind=FieldType.TEXT,
                created_by=ANA,
                created_at=NOW,
            ),
        )
        planned = Planned(cycle_id=ONE, milestone_id=BETA)
        asked = change(fields={"size": "L"}, planned=planned)
        each = (
            TaskFieldSet(key="size", kind=FieldType.TEXT, to="L"),
            TaskCycleChanged(from_=None, to=ONE),
            TaskMilestoneChanged(from_=None, to=BETA),
        )
        given(*PLANNED, SECOND, size).when(asked).then(on(TASK, *each), on(CHILD, *each))
        given(*PLANNED, SECOND).when(asked).then_refused(BulkRefused)

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


class TestMovingTasks:
    """Tasks are moved first, with their subtasks; all else is then set in the other project."""

    def test_subtasks_come_along_whether_they_are_named_or_not(self) -> None:
        below = {TASK: (CHILD,), CHILD: ()}
        with_parent = (on(TASK, moved(1, 1), LOW), on(CHILD, moved(2, 2, TASK)))
        given(*FAMILY).when(move(TASK, below=below)).then(*with_parent)
        given(*FAMILY).when(move(TASK, CHILD, below=below)).then(
            with_parent[0], on(CHILD, moved(2, 2, TASK), LOW)
        )

    def test_a_subtask_that_is_named_before_its_parent_moves_on_its_own(self) -> None:
        below = {TASK: (CHILD,), CHILD: ()}
        given(*FAMILY).when(move(CHILD, TASK, below=below)).then(
            on(CHILD, moved(1, 2), LOW), on(TASK, moved(2, 1), LOW)
        )

    def test_what_a_refused_task_would_have_taken_along_stays(self) -> None:
        below = {TASK: (CHILD,), CHILD: ()}
        asked = move(TASK, CHILD, below=below, status=DONE)
        doing = on(CHILD, *went(DOING))
        noted: list[TaskOutcome] = []
        asked = replace(asked, note=noted.append)
        given(*FAMILY, doing).when(asked).then_refused(BulkRefused)

        assert [each.refused is None for each in noted] == [False, True]
        assert [change.stream for change in noted[1].changes] == [CHILD]

    def test_whoever_does_not_see_the_other_project_is_left_behind(self) -> None:
        private = on(
            OPS, ProjectVisibilityChanged(from_=Visibility.ORGANIZATION, to=Visibility.PRIVATE)
        )
        assigned = on(TASK, TaskAssigned(user_id=CLEO))
        given(*HERE, OTHER, private, assigned).when(move(TASK, below={})).then(
            moved(1, 1), TaskUnassigned(user_id=CLEO), TaskUnwatched(user_id=CLEO), LOW
        )

    def test_subtasks_count_among_the_tasks_of_a_request(self) -> None:
        def with_below(count: int) -> ChangeTasks:
            return move(TASK, below={TASK: tuple(TaskId(UUID(int=900 + n)) for n in range(count))})

        given(*FAMILY).when(with_below(50)).then_refused(PlanLimitReached)
        given(*FAMILY, PREMIUM).when(with_below(100), by=CLEO).then_refused(TooManyForMember)
        given(*FAMILY, PREMIUM).when(with_below(1_000)).then_refused(TooManyMoved)
