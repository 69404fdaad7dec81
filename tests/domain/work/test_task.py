"""A task: its status, its assignees, its deletion."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.base import LabelId, NotFound, UserId
from domain.work.task import labelling, watching
from domain.work.task.errors import TooManyAssignees, TransitionNotAllowed
from domain.work.task.events import (
    Priority,
    TaskAssigned,
    TaskCreated,
    TaskDeleted,
    TaskDescribed,
    TaskEvent,
    TaskPriorityChanged,
    TaskRestored,
    TaskRetitled,
    TaskStatus,
    TaskUnassigned,
)
from domain.work.task.rank import rank_of_number
from domain.work.task.state import ASSIGNEES_MAX, Task
from domain.work.task.status import change_status, leave_gone_status
from domain.work.workflow.events import StatusGroup
from domain.work.workflow.state import STANDARD, TASK_TRANSITIONS
from tests.domain.spec import (
    ANA,
    BEN,
    DAY,
    ENG,
    HOUR,
    IDS,
    NOW,
    QUICK,
    TASK,
    Decision,
    check_refused,
    check_repeating_records_nothing,
    events_of,
    given,
    stepped,
)

CREATED = TaskCreated(
    project_id=ENG,
    project_key="ENG",
    number=12,
    title="Oil it",
    description="Every joint",
    status=TaskStatus.TODO,
    group=StatusGroup.TODO,
    priority=Priority.MEDIUM,
    parent_id=TASK,
    created_by=ANA,
    created_at=NOW,
)
OPEN = given(Task(), CREATED)
DELETED = given(OPEN, TaskDeleted())

TABLE = """
            TODO IN_PROGRESS IN_REVIEW DONE CANCELLED
TODO        same yes         no        no   yes
IN_PROGRESS yes  same        yes       yes  yes
IN_REVIEW   no   yes         same      yes  yes
DONE        yes  yes         no        same no
CANCELLED   yes  no          no        no   same
"""
HEADER, *ROWS = (line.split() for line in TABLE.strip().splitlines())


@pytest.mark.parametrize(
    ("at", "to", "answer"),
    [
        (TaskStatus(at), TaskStatus(to), answer)
        for at, *answers in ROWS
        for to, answer in zip(HEADER, answers, strict=True)
    ],
)
def test_the_status_moves_only_along_the_transitions(
    at: TaskStatus, to: TaskStatus, answer: str
) -> None:
    task = replace(OPEN, status=at, group=StatusGroup(at))
    if answer == "no":
        with pytest.raises(TransitionNotAllowed) as refused:
            change_status(task, STANDARD, to)
        assert refused.value.details == {
            "at": at,
            "to": to,
            "allowed": [*TASK_TRANSITIONS[StatusGroup(at)]],
        }
    elif answer == "same":
        assert change_status(task, STANDARD, to) == []
    else:
        assert change_status(task, STANDARD, to) == [stepped(at, to)]
        assert given(task, *change_status(task, STANDARD, to)).status == to


def test_a_new_task_has_the_fields_it_was_created_with() -> None:
    assert (
        Task(
            project_id=ENG,
            project_key="ENG",
            number=12,
            title="Oil it",
            description="Every joint",
            status=TaskStatus.TODO,
            parent_id=TASK,
            rank=rank_of_number(12),
            watchers=(ANA,),
            created_by=ANA,
            created_at=NOW,
        )
        == OPEN
    )


def test_a_changed_field_records_one_event_and_the_same_value_none() -> None:
    assert OPEN.retitle("Grease it") == [TaskRetitled(from_="Oil it", to="Grease it")]
    assert OPEN.describe(None) == [TaskDescribed(description=None)]
    assert OPEN.change_priority(Priority.URGENT) == [
        TaskPriorityChanged(from_=Priority.MEDIUM, to=Priority.URGENT)
    ]
    assert OPEN.retitle("Oil") != []
    assert OPEN.retitle("Oil it") == OPEN.describe("Every joint") == []
    assert OPEN.change_priority(Priority.MEDIUM) == []
    changed = given(
        OPEN, *OPEN.retitle("B"), *OPEN.describe(None), *OPEN.change_priority(Priority.LOW)
    )
    assert (changed.title, changed.description, changed.priority) == ("B", None, Priority.LOW)


def test_a_path_is_walked_by_one_event_a_step_and_stays_where_it_is() -> None:
    first = stepped(TaskStatus.TODO, TaskStatus.IN_PROGRESS)
    second = stepped(TaskStatus.IN_PROGRESS, TaskStatus.DONE)

    assert change_status(OPEN, STANDARD, TaskStatus.DONE, via_path=True) == [first, second]
    assert change_status(OPEN, STANDARD, TaskStatus.TODO, via_path=True) == []


def test_people_are_assigned_once_and_unassigned_once() -> None:
    assigned = given(OPEN, *OPEN.assign(ANA), *OPEN.assign(BEN))

    assert OPEN.assign(ANA) == [TaskAssigned(user_id=ANA)]
    assert assigned.assignees == (ANA, BEN)
    assert assigned.assign(ANA) == []
    assert assigned.unassign(ANA) == [TaskUnassigned(user_id=ANA)]
    assert given(assigned, *assigned.unassign(ANA)).assignees == (BEN,)
    assert OPEN.unassign(ANA) == []


def test_a_task_has_at_most_twenty_assignees() -> None:
    people = [UserId(UUID(int=n)) for n in range(1, ASSIGNEES_MAX + 1)]
    full = given(OPEN, *(TaskAssigned(user_id=user) for user in people))

    assert full.assign(people[0]) == []
    with pytest.raises(TooManyAssignees) as refused:
        full.assign(UserId(UUID(int=99)))
    assert refused.value.details == {"limit": 20}


@pytest.mark.parametrize("task", [DELETED, Task()])
def test_deleted_and_unknown_tasks_are_not_found(task: Task) -> None:
    check_refused(
        NotFound,
        lambda: task.retitle("X"),
        lambda: task.describe("X"),
        lambda: change_status(task, STANDARD, TaskStatus.IN_PROGRESS),
        lambda: task.change_priority(Priority.LOW),
        lambda: task.assign(ANA),
        lambda: task.unassign(ANA),
    )


def test_a_restored_task_is_unchanged() -> None:
    assert given(DELETED, TaskRestored()) == OPEN
    assert leave_gone_status(OPEN, STANDARD, NOW) == []


@pytest.mark.parametrize(
    ("by", "age", "answer"),
    [
        (ANA, HOUR, True),
        (ANA, DAY, True),
        (ANA, DAY + timedelta(microseconds=1), False),
        (BEN, HOUR, False),
    ],
)
def test_only_the_creator_of_a_recent_task_may_delete_it(
    by: UserId, age: timedelta, answer: bool
) -> None:
    assert OPEN.is_own_and_young(by, NOW + age) is answer
    assert not Task().is_own_and_young(by, NOW)


@QUICK
@forall(st.lists(events_of(TaskEvent), max_size=12))
def test_folding_never_raises(events: list[TaskEvent]) -> None:
    assert isinstance(given(Task(), *events), Task)


STEPS = st.tuples(
    st.sampled_from([UserId(i) for i in IDS]),
    st.sampled_from(list(TaskStatus)),
    st.sampled_from(list(Priority)),
).flatmap(
    lambda drawn: st.sampled_from(
        [
            lambda t: t.assign(drawn[0]),
            lambda t: t.unassign(drawn[0]),
            lambda t: watching.let_watch(t, drawn[0]),
            lambda t: labelling.label(t, LabelId(drawn[0])),
            lambda t: labelling.unlabel(t, LabelId(drawn[0])),
            lambda t: watching.let_leave(t, drawn[0]),
            lambda t: change_status(t, STANDARD, drawn[1]),
            lambda t: t.change_priority(drawn[2]),
            lambda t: t.retitle(drawn[1]),
            lambda t: t.describe(drawn[2]),
            lambda t: leave_gone_status(t, STANDARD, NOW),
        ]
    )
)


@QUICK
@forall(st.lists(STEPS, max_size=15))
def test_repeating_a_decision_records_nothing(steps: list[Decision]) -> None:
    check_repeating_records_nothing(OPEN, steps)
