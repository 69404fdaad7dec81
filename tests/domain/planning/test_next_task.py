"""The next task of a series: its day, its dates, and what a skipped day leaves."""

from datetime import UTC, date, datetime
from uuid import uuid5

import pytest
from msgspec.structs import replace

from domain.planning.recurrence import (
    Today,
    next_task,
    rule_of_rest,
    skip,
)
from domain.work.task.errors import TimeOutOfRange
from domain.work.task.events import TaskSchedule
from domain.work.task.recurrence_events import (
    RepeatAfter,
    TaskOccurrenceSkipped,
)
from domain.work.workflow.events import StatusGroup
from tests.domain.planning.repeating import (
    BERLIN,
    DONE,
    OPEN,
    SERIES,
    SUNDAY,
    due,
    planned,
    repeating,
    rule,
)


class TestNextTask:
    def test_it_has_the_next_number_of_its_series_and_the_day_after(self) -> None:
        task = repeating(planned("FREQ=DAILY", date(2026, 3, 2), skipped_date=SUNDAY.day))
        found = next_task(task, due(task), Today(date(2026, 3, 2), UTC))
        assert found is not None
        assert found.id == uuid5(SERIES, "2")
        assert (found.date, found.schedule) == (date(2026, 3, 2), TaskSchedule())
        after = planned("FREQ=DAILY", date(2026, 3, 3), number=2, day=date(2026, 3, 2))
        assert found.repeats == after

    def test_of_several_days_that_have_passed_there_is_one_task_for_the_last(self) -> None:
        task = repeating(planned("FREQ=DAILY;INTERVAL=3", date(2026, 3, 4)))
        found = next_task(task, due(task), Today(date(2026, 3, 15), UTC))
        assert found is not None
        assert (found.date, found.repeats.number if found.repeats else 0) == (date(2026, 3, 13), 2)
        assert found.repeats is not None
        assert found.repeats.next_date == date(2026, 3, 16)

    def test_dates_keep_their_distance_and_times_stay_on_the_clock(self) -> None:
        """In Berlin, the clocks are put forward on the 29th of March."""
        task = repeating(
            planned("FREQ=WEEKLY;BYDAY=WE", date(2026, 4, 1), day=date(2026, 3, 25)),
            start_date=date(2026, 3, 25),
            due_at=datetime(2026, 3, 27, 8, tzinfo=UTC),
        )
        found = next_task(task, due(task), Today(date(2026, 4, 1), BERLIN))
        assert found is not None
        assert found.schedule == TaskSchedule(
            start_date=date(2026, 4, 1), due_at=datetime(2026, 4, 3, 7, tzinfo=UTC)
        )

    def test_a_task_that_was_put_off_comes_back_to_the_rule(self) -> None:
        task = repeating(
            planned("FREQ=WEEKLY;BYDAY=SU", date(2026, 3, 8)), due_date=date(2026, 3, 4)
        )
        found = next_task(task, due(task), Today(date(2026, 3, 8), UTC))
        assert found is not None
        assert found.schedule == TaskSchedule(due_date=date(2026, 3, 8))

    def test_a_day_that_is_no_more_today_after_the_zone_changed_is_kept(self) -> None:
        task = repeating(planned("FREQ=DAILY", date(2026, 3, 2)))
        found = next_task(task, due(task), SUNDAY)
        assert found is not None
        assert found.date == date(2026, 3, 2)
        assert found.repeats is not None
        assert found.repeats.next_date == date(2026, 3, 3)

    def test_after_completion_days_are_counted_from_it(self) -> None:
        repeats = rule("FREQ=DAILY;INTERVAL=3", RepeatAfter.COMPLETION, day=date(2026, 1, 1))
        cancelled = replace(OPEN, group=StatusGroup.CANCELLED)
        late = Today(date(2026, 3, 20), UTC)
        for task, day in ((DONE, date(2026, 3, 4)), (cancelled, date(2026, 3, 23))):
            found = next_task(repeating(repeats, task), repeats, late)
            assert found is not None
            assert found.date == day
            assert found.schedule == TaskSchedule(due_date=found.date)
            assert found.repeats == replace(repeats, number=2, day=found.date)

    def test_after_completion_dates_that_there_are_move(self) -> None:
        repeats = rule("FREQ=DAILY", RepeatAfter.COMPLETION)
        task = repeating(repeats, DONE, start_date=date(2026, 1, 1), due_date=date(2026, 1, 3))
        found = next_task(task, repeats, SUNDAY)
        assert found is not None
        moved = TaskSchedule(start_date=date(2026, 3, 2), due_date=date(2026, 3, 4))
        assert found.schedule == moved

    @pytest.mark.parametrize(
        ("text", "number"), [("FREQ=DAILY;COUNT=3", 2), ("FREQ=DAILY;UNTIL=20260302", 9)]
    )
    @pytest.mark.parametrize("after", RepeatAfter)
    def test_the_last_task_of_a_series_does_not_repeat(
        self, text: str, number: int, after: RepeatAfter
    ) -> None:
        by = planned(text, date(2026, 3, 2), number=number, after=after)
        task = repeating(by, DONE)
        found = next_task(task, by, Today(date(2026, 3, 2), UTC))
        assert found is not None
        assert found.repeats is None

    def test_after_the_end_of_its_series_no_task_follows(self) -> None:
        repeats = rule("FREQ=DAILY;UNTIL=20260301", RepeatAfter.COMPLETION)
        assert next_task(repeating(repeats, DONE), repeats, SUNDAY) is None

    def test_dates_beyond_the_calendar_are_refused(self) -> None:
        task = repeating(
            planned("FREQ=DAILY", date(2026, 3, 2)), start_date=SUNDAY.day, due_date=date.max
        )
        with pytest.raises(TimeOutOfRange):
            next_task(task, due(task), Today(date(2026, 3, 2), UTC))


def test_the_rule_of_the_rest_of_a_series_counts_what_is_left() -> None:
    assert rule_of_rest("FREQ=DAILY;COUNT=9", 1) == "FREQ=DAILY;COUNT=9"
    assert rule_of_rest("FREQ=DAILY;COUNT=9", 8) == "FREQ=DAILY;COUNT=2"
    assert rule_of_rest("FREQ=DAILY;UNTIL=20261231", 8) == "FREQ=DAILY;UNTIL=20261231"


class TestSkip:
    def test_the_next_day_follows_with_the_reason_for_this_one(self) -> None:
        task = repeating(planned("FREQ=DAILY;COUNT=2", date(2026, 3, 2)))
        at = Today(date(2026, 3, 4), UTC)
        [event] = skip(task, "project_on_hold", at)
        assert event == TaskOccurrenceSkipped(
            date=at.day,
            because="project_on_hold",
            to=planned(
                "FREQ=DAILY;COUNT=2",
                date(2026, 3, 5),
                skipped_date=at.day,
                skipped_because="project_on_hold",
            ),
        )

    def test_the_series_ends_if_no_day_follows(self) -> None:
        task = repeating(planned("FREQ=DAILY;UNTIL=20260302", date(2026, 3, 2)))
        [event] = skip(task, "not_found", Today(date(2026, 3, 2), UTC))
        assert event.to is None
        assert task.evolve(event) == OPEN
        assert skip(OPEN, "not_found", SUNDAY) == []

    def test_after_completion_it_is_tried_again_on_the_next_day_of_the_rule(self) -> None:
        repeats = rule("FREQ=DAILY;INTERVAL=2", RepeatAfter.COMPLETION, day=date(2026, 2, 27))
        [event] = skip(repeating(repeats, DONE), "not_found", SUNDAY)
        assert event.date == date(2026, 3, 3)
        assert event.to is not None
        assert event.to.next_date == date(2026, 3, 5)
        [late] = skip(repeating(repeats, DONE), "not_found", Today(date(2026, 3, 20), UTC))
        assert late.date == date(2026, 3, 3)
        assert late.to is not None
        assert late.to.next_date == date(2026, 3, 21)
