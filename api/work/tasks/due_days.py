"""By when tasks are due, were created or changed, as lists ask for it: on days, or at times."""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from api.http.problem import FieldError, invalid
from projections.base import exact_time
from projections.work.dashboard import Now
from projections.work.due_between import due_between
from projections.work.task_filter import DueRanges
from projections.work.task_keys import NEVER_DUE
from projections.work.times.period import Period

DAY = r"\d{4}-\d{2}-\d{2}"
TIME = rf"{DAY}T\d{{2}}:\d{{2}}(:\d{{2}}(\.\d{{1,6}})?)?(Z|[+-]\d{{2}}:\d{{2}})"
"""A time with its distance from UTC (RFC 3339)."""
_RANGE = re.compile(rf"({DAY})?\.\.({DAY})?")
_PERIOD = re.compile(rf"(?P<begin>{DAY}|{TIME})?\.\.(?P<end>{DAY}|{TIME})?")
_UNENCODED = re.compile(r"T[0-9:.]+ \d{2}:\d{2}")
_ENCODE = "; a + in a query string is written %2B"
"""What a time with a space before its distance from UTC is likely to lack: there was a + in a URL.
"""
_BACKWARDS = "Expected a range that ends no earlier than it begins"
_DAY, _MICROSECOND = timedelta(days=1), timedelta(microseconds=1)
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


@lru_cache(256)
def period_of(name: str, asked: str, zone: ZoneInfo) -> Period:
    """Return the period that the filter *name* asks for, with both ends: days, or times.

    :raises Problem: 422 if it is none, or one that ends before it begins.
    """
    wrong = invalid(
        FieldError(
            name,
            "Expected a range of days or times with a zone, such as 2026-01-01..2026-01-31 or"
            " 2026-01-01T08:00:00Z.." + (_ENCODE if _UNENCODED.search(asked) else ""),
        )
    )
    match = _PERIOD.fullmatch(asked)
    if match is None or asked == "..":
        raise wrong
    try:
        now = Now(datetime.min.replace(tzinfo=UTC), zone)  # days begin the same at any time
        begin, end = _begin(match["begin"], now), _end(match["end"], now)
    except (ValueError, OverflowError):
        raise wrong from None
    if begin is not None and end is not None and end <= begin:
        raise invalid(FieldError(name, _BACKWARDS))
    return Period(begin, end)


def _begin(text: str | None, now: Now) -> datetime | None:
    """Return when a day, or a time, begins.

    :raises ValueError: the calendar has no such.
    """
    if text is None:
        return None
    return _time(text) if "T" in text else now.end_of(_day(text) - _DAY)


def _end(text: str | None, now: Now) -> datetime | None:
    """Return when a day, or the microsecond of a time, is over.

    :raises ValueError: the calendar has no such.
    """
    if text is None:
        return None
    return _time(text) + _MICROSECOND if "T" in text else now.end_of(_day(text))


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text).astimezone(UTC)
    _refuse_beyond(at.date())
    return at


def _day(text: str) -> date:
    day = date.fromisoformat(text)
    _refuse_beyond(day)
    return day


def _refuse_beyond(day: date) -> None:
    if not _FIRST_DAY <= day <= _LAST_DAY:
        raise ValueError(day)


def _days(asked: str) -> tuple[date | None, date | None]:
    """Return the first and the last day of a range.

    :raises Problem: 422 if it is none, or one that ends before it begins.
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
    if first is not None and last is not None and last < first:
        raise invalid(FieldError("due", _BACKWARDS))
    return first, last
