"""By when tasks are due, as lists are asked for it: on some days, or until now."""

import re
from datetime import date, timedelta
from functools import lru_cache

from api.http.problem import FieldError, invalid
from projections.base import exact_time
from projections.work.dashboard import Now
from projections.work.due_between import due_between
from projections.work.task_filter import DueRanges
from projections.work.task_keys import NEVER_DUE

_RANGE = re.compile(r"(\d{4}-\d{2}-\d{2})?\.\.(\d{4}-\d{2}-\d{2})?")
_DAY = timedelta(days=1)
_FIRST_DAY, _LAST_DAY = date(2, 1, 1), date(9998, 12, 31)
"""Days that begin and end somewhere in the calendar in every time zone."""


@lru_cache(256)
def due_ranges(asked: str | None, overdue: bool, now: Now) -> DueRanges:
    """Return when tasks are to be due; what is due on a day is until the day ends."""
    first, last = (None, None) if asked is None else _days(asked)
    after, begin, end = None, "", NEVER_DUE
    if first is not None:
        begin = exact_time(now.end_of(first - _DAY))
    if last is not None:
        after, end = last + _DAY, exact_time(now.end_of(last))
    if overdue:
        after, end = min(after or now.today, now.today), min(end, exact_time(now.at))
    return due_between(first, after, begin, end)


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
