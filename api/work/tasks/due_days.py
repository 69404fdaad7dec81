"""By when tasks are due, as lists are asked for it: on some days, or until now."""

import re
from datetime import date, timedelta
from functools import lru_cache

from api.http.problem import FieldError, invalid
from projections.base import exact_time
from projections.work.dashboard import Now
from projections.work.task_filter import DueRanges
from projections.work.task_keys import DUE_AT, DUE_ON, NEVER_DUE

_RANGE = re.compile(r"(\d{4}-\d{2}-\d{2})?\.\.(\d{4}-\d{2}-\d{2})?")
_LATER = chr(ord(DUE_ON) + 1), chr(ord(DUE_AT) + 1)
"""Behind all days, and behind all times."""
_MIDNIGHT = "T00:00:00.000000"
_FIRST_DAY, _LAST_DAY = date(2, 1, 1), date(9998, 12, 31)
"""Days that begin and end somewhere in the calendar in every time zone."""


@lru_cache(256)
def due_ranges(asked: str | None, overdue: bool, now: Now) -> DueRanges:
    """Return when tasks are to be due; what is due on a day is until the day ends."""
    first, last = (None, None) if asked is None else _days(asked)
    days, times = [DUE_ON, _LATER[0]], [DUE_AT, _LATER[1]]
    low, high = None, None
    # Days and times have the same ends in the order of all, where the day begins with that of UTC.
    exact = last is not None or overdue
    if first is not None:
        begin = exact_time(now.end_of(first - timedelta(days=1)))
        days[0], times[0], low = f"{DUE_ON}{first}", f"{DUE_AT}{begin}", min(str(first), begin)
        exact = exact and begin.startswith(f"{first}{_MIDNIGHT}")
    if last is not None:
        end, next_day = exact_time(now.end_of(last)), str(last + timedelta(days=1))
        days[1], times[1], high = f"{DUE_ON}{next_day}", f"{DUE_AT}{end}", max(next_day, end)
        exact = exact and end.startswith(f"{next_day}{_MIDNIGHT}")
    if overdue:
        today, at = str(now.today), exact_time(now.at)
        days[1], times[1] = min(days[1], f"{DUE_ON}{today}"), min(times[1], f"{DUE_AT}{at}")
        high = min(high or NEVER_DUE, max(today, at))
        exact = exact and at.startswith(today)
    return DueRanges(((days[0], days[1]), (times[0], times[1])), low, high, exact)


def _days(asked: str) -> tuple[date | None, date | None]:
    """Return the first and the last day of a range.

    :raises Problem: 422 if it is none.
    """
    wrong = invalid(FieldError("due", "Expected a range of days such as 2026-01-01..2026-01-31"))
    match = _RANGE.fullmatch(asked)
    if match is None or asked == "..":
        raise wrong
    try:
        first, last = (
            None if each is None else date.fromisoformat(each) for each in match.groups()
        )
    except ValueError:
        raise wrong from None
    if (first is not None and first < _FIRST_DAY) or (last is not None and last > _LAST_DAY):
        raise wrong
    return first, last
