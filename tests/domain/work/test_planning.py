"""When a task starts, when it is due, and how much work it is."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.base import NotFound
from domain.work.task import planning
from domain.work.task.errors import StartsAfterDue, TwoDueDates
from domain.work.task.events import (
    TaskDeleted,
    TaskEstimated,
    TaskSchedule,
    TaskScheduled,
    TaskStatus,
)
from domain.work.task.state import Task
from tests.commands.acme import CREATED, went
from tests.domain.spec import NOW, given

OPEN = given(Task(), CREATED)
TODAY = NOW.date()
YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)


def test_a_schedule_records_what_it_was_and_is_and_the_same_one_nothing() -> None:
    wanted = TaskSchedule(start_date=TODAY, due_date=TOMORROW)

    recorded = planning.schedule(OPEN, wanted)

    assert recorded == [TaskScheduled(from_=TaskSchedule(), to=wanted)]
    scheduled = given(OPEN, *recorded)
    assert scheduled.schedule == wanted
    assert planning.schedule(scheduled, wanted) == []
    assert (
        given(scheduled, *planning.schedule(scheduled, TaskSchedule())).schedule == TaskSchedule()
    )


def test_only_the_dates_that_change_are_changed_fields() -> None:
    moved = TaskScheduled(
        from_=TaskSchedule(start_date=TODAY, due_date=TOMORROW),
        to=TaskSchedule(start_date=TODAY, due_at=NOW),
    )

    assert moved.field_keys() == ("due_date", "due_at")


def test_a_task_is_not_due_on_a_day_and_at_a_time() -> None:
    with pytest.raises(TwoDueDates):
        planning.schedule(OPEN, TaskSchedule(due_date=TODAY, due_at=NOW))


@pytest.mark.parametrize("due", [{"due_date": YESTERDAY}, {"due_at": NOW - timedelta(days=2)}])
def test_a_task_does_not_start_after_it_is_due(due: dict[str, date]) -> None:
    with pytest.raises(StartsAfterDue):
        planning.schedule(OPEN, TaskSchedule(start_date=TODAY, **due))  # type: ignore[arg-type]  # one of its dates


def test_a_task_can_start_on_its_last_day_in_the_earliest_time_zone() -> None:
    in_kiribati = datetime(2026, 3, 2, 1, 0, tzinfo=ZoneInfo("Pacific/Kiritimati")).astimezone(UTC)
    wanted = TaskSchedule(start_date=date(2026, 3, 2), due_at=in_kiribati)

    assert planning.schedule(OPEN, wanted)


def test_an_estimate_is_recorded_once_and_can_be_removed() -> None:
    assert planning.estimate(OPEN, 3) == [TaskEstimated(from_=None, to=3)]
    estimated = given(OPEN, *planning.estimate(OPEN, 3))

    assert planning.estimate(estimated, 3) == []
    assert given(estimated, *planning.estimate(estimated, None)).estimate is None


@pytest.mark.parametrize("task", [Task(), given(OPEN, TaskDeleted())])
def test_deleted_and_unknown_tasks_cannot_be_planned(task: Task) -> None:
    for decide in (planning.schedule, planning.estimate):
        with pytest.raises(NotFound):
            decide(task, None)  # type: ignore[arg-type]  # refused before it matters


@pytest.mark.parametrize(
    ("zone", "overdue"),
    [("Pacific/Kiritimati", True), ("UTC", False), ("Pacific/Pago_Pago", False)],
)
def test_a_day_ends_at_midnight_in_the_zone(zone: str, overdue: bool) -> None:
    task = given(OPEN, *planning.schedule(OPEN, TaskSchedule(due_date=TODAY)))

    late_in_the_evening = NOW.replace(hour=20)
    assert planning.is_overdue(task, late_in_the_evening, ZoneInfo(zone)) is overdue
    assert planning.is_overdue(task, NOW + timedelta(days=2), ZoneInfo(zone))


def test_a_time_is_over_at_once_and_no_date_never() -> None:
    at_nine = given(OPEN, *planning.schedule(OPEN, TaskSchedule(due_at=NOW)))

    assert not planning.is_overdue(at_nine, NOW, UTC)
    assert planning.is_overdue(at_nine, NOW + timedelta(seconds=1), UTC)
    assert not planning.is_overdue(OPEN, NOW + timedelta(days=999), UTC)


@pytest.mark.parametrize("path", [["IN_PROGRESS", "DONE"], ["CANCELLED"]])
def test_what_is_finished_is_not_overdue(path: list[str]) -> None:
    task = given(OPEN, *planning.schedule(OPEN, TaskSchedule(due_date=YESTERDAY)))

    finished = given(task, *went(*map(TaskStatus, path)))

    assert planning.is_overdue(task, NOW, UTC)
    assert not planning.is_overdue(finished, NOW, UTC)


def test_work_began_when_it_first_began_and_ended_when_it_last_ended() -> None:
    doing, done = went(TaskStatus.IN_PROGRESS, TaskStatus.DONE)
    started = given(OPEN, doing)
    ended = given(started, done)
    reopened = given(ended, *went(TaskStatus.DONE, TaskStatus.IN_PROGRESS)[1:])

    assert (OPEN.started_at, OPEN.completed_at) == (None, None)
    assert (started.started_at, started.completed_at) == (NOW, None)
    assert (ended.started_at, ended.completed_at) == (NOW, NOW)
    assert (reopened.started_at, reopened.completed_at) == (NOW, None)
