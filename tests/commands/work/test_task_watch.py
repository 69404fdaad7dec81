"""Stories of the commands on who watches a task."""

from uuid import UUID

import pytest

from commands.work.task import AssignTask
from commands.work.task_watch import UnwatchTask, WatchTask
from domain.base import NotFound, UserId
from domain.work.task.errors import TooManyWatchers
from domain.work.task.events import TaskAssigned, TaskUnassigned, TaskUnwatched, TaskWatched
from domain.work.task.state import WATCHERS_MAX, Task
from tests.commands.acme import CREATED, HERE
from tests.domain.spec import ANA, BEN, CLEO, DAN, TASK
from tests.domain.spec import given as folded
from tests.spec import given, on


class TestWatchTask:
    def test_a_member_watches_a_task_once(self) -> None:
        asked = WatchTask(task_id=TASK, user_id=CLEO)
        given(*HERE).when(asked, by=CLEO).then(on(TASK, TaskWatched(user_id=CLEO)))
        given(*HERE, on(TASK, TaskWatched(user_id=CLEO))).when(asked).then()

    def test_its_creator_and_those_assigned_watch_it_already(self) -> None:
        past = (*HERE, on(TASK, TaskAssigned(user_id=BEN)))
        given(*past).when(WatchTask(task_id=TASK, user_id=ANA)).then()
        given(*past).when(WatchTask(task_id=TASK, user_id=BEN)).then()

    def test_nobody_from_outside_watches_a_task(self) -> None:
        given(*HERE).when(WatchTask(task_id=TASK, user_id=DAN)).then_refused(NotFound, user_id=DAN)

    def test_a_task_has_at_most_two_hundred_watchers(self) -> None:
        others = (TaskWatched(user_id=UserId(UUID(int=n))) for n in range(100, 99 + WATCHERS_MAX))
        full = on(TASK, *others)
        given(*HERE, full).when(WatchTask(task_id=TASK, user_id=CLEO)).then_refused(
            TooManyWatchers, limit=WATCHERS_MAX
        )


class TestUnwatchTask:
    def test_a_watcher_can_leave_and_come_back(self) -> None:
        left = on(TASK, TaskUnwatched(user_id=ANA))
        given(*HERE).when(UnwatchTask(task_id=TASK, user_id=ANA)).then(left)
        given(*HERE, left).when(UnwatchTask(task_id=TASK, user_id=ANA)).then()
        given(*HERE, left).when(WatchTask(task_id=TASK, user_id=ANA)).then(
            on(TASK, TaskWatched(user_id=ANA))
        )


def test_somebody_who_is_assigned_again_watches_again() -> None:
    away = folded(Task(), CREATED, TaskAssigned(user_id=BEN), TaskUnwatched(user_id=BEN))
    given(*HERE).when(AssignTask(task_id=TASK, user_id=BEN)).then(
        on(TASK, TaskAssigned(user_id=BEN))
    )

    assert away.watchers == (ANA,)
    assert folded(away, TaskUnassigned(user_id=BEN)).watchers == (ANA,)
    again = folded(away, TaskUnassigned(user_id=BEN), TaskAssigned(user_id=BEN))
    assert again.watchers == (ANA, BEN)


@pytest.mark.parametrize("times", [1, 2])
def test_an_assignment_makes_nobody_watch_twice(times: int) -> None:
    assigned = [TaskAssigned(user_id=ANA), TaskUnassigned(user_id=ANA)] * times
    assert folded(Task(), CREATED, *assigned).watchers == (ANA,)
