"""Labels and watchers of a task, each once and so many at most; and when its work began."""

from datetime import datetime
from uuid import UUID

import pytest
from msgspec.structs import replace

from domain.base import LabelId, NotFound, UserId
from domain.work.task.errors import TooManyLabels, TooManyWatchers
from domain.work.task.events import (
    TaskAssigned,
    TaskDeleted,
    TaskLabelled,
    TaskStatus,
    TaskUnassigned,
    TaskUnlabelled,
    TaskUnwatched,
    TaskWatched,
)
from domain.work.task.labelling import label, unlabel
from domain.work.task.state import Task
from domain.work.task.watching import let_go, let_leave, let_watch
from domain.work.workflow.events import StatusGroup
from tests.domain.spec import ANA, BEN, HOUR, NOW, check_refused, given, stepped
from tests.domain.work.test_task import CREATED

LABELS = [LabelId(UUID(int=n)) for n in range(200, 251)]
PEOPLE = [UserId(UUID(int=n)) for n in range(300, 500)]
NEW = given(Task(), CREATED)


def labelled(*labels: LabelId) -> Task:
    return given(NEW, *(TaskLabelled(label_id=each) for each in labels))


def watched(*people: UserId) -> Task:
    return given(NEW, *(TaskWatched(user_id=each) for each in people))


def test_a_task_gets_and_loses_one_label_at_a_time() -> None:
    one, two, three = LABELS[:3]
    both = labelled(one, two)

    assert both.labels == (one, two)
    assert label(both, one) == unlabel(both, three) == []
    assert label(both, three) == [TaskLabelled(label_id=three)]
    assert unlabel(both, one) == [TaskUnlabelled(label_id=one)]
    assert given(both, TaskUnlabelled(label_id=one)).labels == (two,)


def test_a_task_has_at_most_fifty_labels() -> None:
    *most, one_more = LABELS

    assert label(labelled(*most[1:]), one_more) == [TaskLabelled(label_id=one_more)]
    with pytest.raises(TooManyLabels) as refused:
        label(labelled(*most), one_more)
    assert refused.value.details == {"limit": 50}
    assert label(labelled(*most), most[0]) == []


def test_whoever_creates_a_task_watches_it_until_they_no_longer_want_to() -> None:
    assert NEW.watchers == (ANA,)
    both = watched(BEN)

    assert both.watchers == (ANA, BEN)
    assert let_watch(both, BEN) == let_leave(NEW, BEN) == []
    assert let_leave(both, ANA) == [TaskUnwatched(user_id=ANA)]
    assert given(both, TaskUnwatched(user_id=ANA)).watchers == (BEN,)


def test_a_task_has_at_most_two_hundred_watchers() -> None:
    *most, one_more = PEOPLE  # and Ana, who created it

    assert let_watch(watched(*most[1:]), one_more) == [TaskWatched(user_id=one_more)]
    with pytest.raises(TooManyWatchers) as refused:
        let_watch(watched(*most), one_more)
    assert refused.value.details == {"limit": 200}


def test_a_task_in_the_trash_is_neither_labelled_nor_watched() -> None:
    gone = given(NEW, TaskDeleted())

    check_refused(
        NotFound,
        lambda: label(gone, LABELS[0]),
        lambda: unlabel(gone, LABELS[0]),
        lambda: let_watch(gone, BEN),
        lambda: let_leave(gone, ANA),
    )


def test_work_begins_once_and_ends_whenever_the_task_is_done() -> None:
    doing, done, todo = TaskStatus.IN_PROGRESS, TaskStatus.DONE, TaskStatus.TODO
    later, last = NOW + HOUR, NOW + 2 * HOUR
    begun = given(NEW, stepped(todo, doing, at=NOW))
    finished = given(begun, stepped(doing, done, at=later))
    again = given(finished, stepped(done, doing, at=last))

    assert (NEW.started_at, NEW.completed_at) == (None, None)
    assert (begun.started_at, begun.completed_at) == (NOW, None)
    assert (finished.started_at, finished.completed_at) == (NOW, later)
    assert (again.started_at, again.completed_at) == (NOW, None)


@pytest.mark.parametrize(
    ("group", "began", "ended"),
    [
        (StatusGroup.TODO, None, None),
        (StatusGroup.IN_PROGRESS, NOW, None),
        (StatusGroup.IN_REVIEW, NOW, None),
        (StatusGroup.DONE, None, NOW),
        (StatusGroup.CANCELLED, None, None),
    ],
)
def test_a_task_can_begin_or_end_when_it_is_created(
    group: StatusGroup, began: datetime | None, ended: datetime | None
) -> None:
    made = given(Task(), replace(CREATED, status=group.value, group=group))

    assert (made.started_at, made.completed_at) == (began, ended)


def test_who_is_gone_lets_go_of_what_is_not_finished_also_in_the_trash() -> None:
    held = given(NEW, TaskAssigned(user_id=BEN))
    gone = [TaskUnassigned(user_id=BEN)]

    assert let_go(held, BEN) == gone
    assert let_go(given(held, TaskDeleted(at=NOW)), BEN) == gone
    assert let_go(NEW, BEN) == []
    for end in (TaskStatus.DONE, TaskStatus.CANCELLED):
        assert let_go(given(held, stepped(TaskStatus.IN_PROGRESS, end)), BEN) == []
