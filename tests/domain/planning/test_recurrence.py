"""Tasks that repeat: by which rules, when the next one is due, and when days begin."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid5
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.base import NotFound
from domain.planning.recurrence import (
    DUE_AT_ONCE,
    Place,
    Today,
    beginning_of,
    due_at,
    next_task,
    repeat,
    stop,
    today,
)
from domain.planning.repeat_rule import NeverRepeats, RecurrenceNotValid
from domain.work.task.recurrence_events import (
    RepeatAfter,
    TaskRecurrenceSet,
    TaskRepeated,
)
from domain.work.workflow.events import StatusGroup
from tests.domain.planning.repeating import (
    BERLIN,
    CAIRO,
    DONE,
    OPEN,
    OTHER_SERIES,
    SERIES,
    SUNDAY,
    begun,
    due,
    planned,
    repeating,
    rule,
)
from tests.domain.spec import DAY, QUICK, TASK


class TestRepeat:
    def test_a_task_without_dates_begins_today(self) -> None:
        assert begun("FREQ=WEEKLY") == planned("FREQ=WEEKLY;BYDAY=SU", date(2026, 3, 8))

    @pytest.mark.parametrize(
        ("about", "day"),
        [
            ({"start_date": date(2026, 3, 3), "due_date": date(2026, 3, 5)}, date(2026, 3, 3)),
            ({"due_date": date(2026, 3, 5)}, date(2026, 3, 5)),
            ({"due_at": datetime(2026, 3, 5, 23, 30, tzinfo=UTC)}, date(2026, 3, 6)),
        ],
    )
    def test_otherwise_it_begins_when_the_task_starts_or_is_due_there(
        self, about: dict[str, Any], day: date
    ) -> None:
        task = replace(OPEN, **about)
        found = begun("FREQ=DAILY;INTERVAL=5", task, at=Today(SUNDAY.day, BERLIN))
        assert (found.day, found.next_date) == (day, day + 5 * DAY)

    def test_a_task_may_be_due_when_the_calendar_begins_or_ends(self) -> None:
        ends, begins = datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)
        with pytest.raises(NeverRepeats):
            begun("FREQ=DAILY", replace(OPEN, due_at=ends), at=Today(SUNDAY.day, BERLIN))
        west = Today(SUNDAY.day, ZoneInfo("America/Lima"))
        found = begun("FREQ=MONTHLY", replace(OPEN, due_at=begins), at=west)
        assert (found.day, found.next_date) == (date.min, date(2026, 4, 1))

    def test_what_has_passed_is_not_made_up_for(self) -> None:
        late = replace(OPEN, due_date=date(2026, 1, 1))
        found = begun("FREQ=DAILY;INTERVAL=2", late)
        assert (found.day, found.next_date) == (date(2026, 1, 1), date(2026, 3, 2))
        assert begun("FREQ=WEEKLY;BYDAY=SU", late).next_date == date(2026, 3, 8)  # not today

    def test_after_completion_no_day_is_known_yet(self) -> None:
        found = begun("FREQ=DAILY", after=RepeatAfter.COMPLETION)
        assert found == rule("FREQ=DAILY", RepeatAfter.COMPLETION)

    def test_a_changed_rule_stays_in_its_series(self) -> None:
        before = planned("FREQ=DAILY", date(2026, 3, 2), number=7)
        task = repeating(before)
        [event] = repeat(task, "FREQ=MONTHLY", RepeatAfter.SCHEDULE, Place(OTHER_SERIES), SUNDAY)
        after = planned("FREQ=MONTHLY;BYMONTHDAY=1", date(2026, 4, 1), number=7)
        assert event == TaskRecurrenceSet(from_=before, to=after)

    def test_a_task_gets_back_its_place_in_a_series(self) -> None:
        place = Place(SERIES, 3)
        [event] = repeat(OPEN, "FREQ=DAILY", RepeatAfter.SCHEDULE, place, SUNDAY)
        assert event.to == planned("FREQ=DAILY", date(2026, 3, 2), number=3)

    def test_the_same_rule_changes_nothing(self) -> None:
        task = repeating(planned("FREQ=WEEKLY;BYDAY=SU", date(2026, 3, 8)))
        assert repeat(task, "freq=weekly", RepeatAfter.SCHEDULE, Place(OTHER_SERIES), SUNDAY) == []
        assert (
            repeat(task, "freq=weekly", RepeatAfter.COMPLETION, Place(OTHER_SERIES), SUNDAY) != []
        )

    @pytest.mark.parametrize("after", RepeatAfter)
    @pytest.mark.parametrize(
        ("text", "number"),
        [
            ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", 1),
            ("FREQ=DAILY;UNTIL=20260301", 1),
            ("FREQ=DAILY;COUNT=3", 3),
        ],
    )
    def test_a_rule_by_which_nothing_follows_is_refused(
        self, text: str, number: int, after: RepeatAfter
    ) -> None:
        task = repeating(planned("FREQ=DAILY", date(2026, 3, 2), number=number))
        with pytest.raises(NeverRepeats):
            repeat(task, text, after, Place(SERIES), SUNDAY)

    def test_what_is_no_rule_and_a_task_in_the_trash_are_refused(self) -> None:
        with pytest.raises(RecurrenceNotValid):
            begun("every day")
        with pytest.raises(NotFound):
            begun("FREQ=DAILY", replace(OPEN, deleted=True))
        with pytest.raises(NotFound):
            stop(replace(OPEN, deleted=True))

    def test_a_task_stops_to_repeat(self) -> None:
        before = planned("FREQ=DAILY", date(2026, 3, 2))
        assert stop(repeating(before)) == [TaskRecurrenceSet(from_=before, to=None)]
        assert stop(OPEN) == []


class TestDue:
    def test_by_a_schedule_it_is_due_as_its_day_begins(self) -> None:
        repeats = planned("FREQ=DAILY", date(2026, 3, 2))
        for task in (OPEN, DONE):
            assert due_at(repeating(repeats, task)) == repeats.next_at

    def test_after_completion_it_is_due_at_once_unless_a_day_was_skipped(self) -> None:
        repeats = rule("FREQ=DAILY", RepeatAfter.COMPLETION)
        later = planned("FREQ=DAILY", date(2026, 3, 2), after=RepeatAfter.COMPLETION)
        cancelled = replace(OPEN, group=StatusGroup.CANCELLED)
        assert due_at(repeating(repeats)) is None
        assert due_at(repeating(repeats, DONE)) == DUE_AT_ONCE
        assert due_at(repeating(repeats, cancelled)) == DUE_AT_ONCE
        assert due_at(repeating(later, DONE)) == later.next_at

    @pytest.mark.parametrize("about", [{"deleted": True}, {"purged": True}])
    def test_nothing_is_due_in_the_trash(self, about: dict[str, Any]) -> None:
        assert due_at(repeating(planned("FREQ=DAILY", date(2026, 3, 2)), **about)) is None
        assert due_at(OPEN) is None

    def test_a_task_that_was_repeated_no_longer_repeats(self) -> None:
        task = repeating(planned("FREQ=DAILY", date(2026, 3, 2)))
        assert task.evolve(TaskRepeated(task_id=TASK, date=SUNDAY.day)) == OPEN


def test_a_day_begins_when_its_clock_says_so() -> None:
    assert beginning_of(date(2026, 3, 29), BERLIN) == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert beginning_of(date(2026, 3, 30), BERLIN) == datetime(2026, 3, 29, 22, tzinfo=UTC)
    # In Cairo, midnight is left out when summer begins.
    assert beginning_of(date(2026, 4, 24), CAIRO) == datetime(2026, 4, 23, 22, tzinfo=UTC)
    assert today(datetime(2026, 3, 1, 23, 30, tzinfo=UTC), BERLIN) == (date(2026, 3, 2), BERLIN)


@QUICK
@given(
    st.sampled_from(["Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Africa/Cairo", "UTC"]),
    st.datetimes(datetime(2011, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001 - as it wants them
    st.timedeltas(timedelta(0), timedelta(days=90)),
    st.sampled_from(["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TH", "FREQ=MONTHLY;BYMONTHDAY=-1"]),
)
def test_tasks_of_a_series_are_made_in_order_whatever_the_clocks_do(
    zone: str, begins: datetime, late: timedelta, text: str
) -> None:
    """Each is made on or after its day, for a later day than the last, however late a worker is."""
    there, now = ZoneInfo(zone), begins.replace(tzinfo=UTC)
    task = replace(OPEN, due_at=now)
    task = repeating(begun(text, task, at=today(now, there)), task)
    for number in range(2, 6):
        at = due_at(task)
        assert at is not None
        assert at > now
        now = at + late
        found = next_task(task, due(task), today(now, there))
        assert found is not None
        assert due(task).day < found.date <= now.astimezone(there).date()
        assert found.id == uuid5(SERIES, str(number))
        assert found.schedule.due_at is not None
        assert found.repeats is not None
        task = repeating(found.repeats, due_at=found.schedule.due_at)
