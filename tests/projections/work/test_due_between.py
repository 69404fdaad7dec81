"""Ranges of the order of all due dates tell what is due between days and times of any time zone."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import product

import pytest
from msgspec.structs import replace

from domain.work.task.state import Task
from projections.base import exact_time
from projections.work.due_between import WHENEVER, due_between
from projections.work.task_filter import DueRanges
from projections.work.task_keys import due_order

DAY, ANY = timedelta(days=1), Task(project_key="ENG", number=7)
MIDNIGHT = datetime(2031, 3, 1, tzinfo=UTC)
DAYS = [MIDNIGHT.date() + n * DAY for n in range(-4, 8)]
TIMES = [MIDNIGHT + timedelta(hours=n) for n in range(-72, 168, 3)]
OFFSETS = [timedelta(hours=n) for n in (-12, -5, 0, 1, 9, 14)]


def has(ranges: DueRanges, task: Task) -> bool:
    """Return whether a task is in one of *ranges*."""
    return any(low <= due_order(task) < high for low, high in ranges.ranges)


def start(day: date, offset: timedelta) -> datetime:
    """Return when a day begins where clocks are ahead of UTC by *offset*."""
    return datetime.combine(day, time(), UTC) - offset


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("hour", [0, 2, 13, 23])
def test_days_count_by_themselves_and_times_by_the_clock(offset: timedelta, hour: int) -> None:
    begins = [MIDNIGHT.date() + n * DAY for n in (0, 1, 2)]
    for first, after in product([None, *begins], [None, *begins]):
        low = None if first is None else start(first, offset)
        # What is overdue ends at an hour of the day.
        high = None if after is None else start(after, offset) + timedelta(hours=hour)
        begin = "" if low is None else exact_time(low)
        found = due_between(
            first, after, begin, WHENEVER.high if high is None else exact_time(high)
        )

        days = [day for day in DAYS if has(found, replace(ANY, due_date=day))]
        times = [at for at in TIMES if has(found, replace(ANY, due_at=at))]

        assert days == [d for d in DAYS if (not first or d >= first) and (not after or d < after)]
        assert times == [t for t in TIMES if (not low or t >= low) and (not high or t < high)]
        assert not has(found, ANY)
        ends = [end for both in found.ranges for end in both]
        assert ends == sorted(ends)


def test_whenever_is_whatever_is_ever_due() -> None:
    assert has(WHENEVER, replace(ANY, due_date=date(9999, 12, 31)))
    assert not has(WHENEVER, ANY)
    assert WHENEVER.exact


@pytest.mark.parametrize("offset", OFFSETS)
def test_where_days_begin_with_those_of_utc_or_later_one_range_is_enough(offset: timedelta) -> None:
    first, after = date(2031, 3, 1), date(2031, 3, 4)
    begin, end = (exact_time(start(day, offset)) for day in (first, after))

    assert due_between(first, after, begin, end).exact is (offset <= timedelta())
