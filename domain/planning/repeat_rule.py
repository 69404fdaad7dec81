"""Rules by which tasks repeat: a part of the recurrence rules of RFC 5545, on whole days.

A rule is completed with what it leaves to the day on which it begins, such as the day of the week.
So each occurrence can be found from the one before. Days that do not exist are left out, as the
standard says: the 31st of April, or the 29th of February in most years.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from domain.base import DomainError, Refusal

RULE_MAX = 200
"""How long a rule is at most."""
INTERVAL_MAX, COUNT_MAX = 400, 1_000
LAST_DAY = date(9998, 12, 31)
"""Occurrences end here, so that all times of such a day can be told in any zone."""

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAY = re.compile(rf"([+-]?[1-5])?({'|'.join(_WEEKDAYS)})")
_NUMBER = re.compile(r"[+-]?[0-9]{1,4}")
_UNTIL = re.compile(r"[0-9]{8}")


PERIODS_MAX = 100
"""In how many days, weeks, months or years a rule is looked for: of 100 years, or of 100 times the
same month, some have a 29th of February or a fifth Monday, or none ever will."""

_ALWAYS = ("FREQ", "INTERVAL", "UNTIL", "COUNT")
_DAYS = ("BYDAY", "BYMONTHDAY")
_PARTS = {
    "DAILY": _ALWAYS,
    "WEEKLY": (*_ALWAYS, "BYDAY"),
    "MONTHLY": (*_ALWAYS, *_DAYS),
    "YEARLY": (*_ALWAYS, "BYMONTH", *_DAYS),
}
"""What the rules of each frequency may say."""


class RecurrenceNotValid(DomainError):
    """This is no rule by which a task can repeat. See `part` and `expected`."""

    code = "recurrence_not_valid"
    refusal = Refusal.INVALID


class NeverRepeats(DomainError):
    """By this rule, no other task would follow this one. Change or remove the rule."""

    code = "never_repeats"
    refusal = Refusal.INVALID


class Weekday(NamedTuple):
    """A day of the week, 0 for Monday; with ``nth``, only the first, the last and so on."""

    day: int
    nth: int = 0

    def __str__(self) -> str:
        return f"{self.nth or ''}{_WEEKDAYS[self.day]}"


class RepeatRule(Struct, frozen=True, kw_only=True):
    """A rule that is valid."""

    freq: str
    interval: int = 1
    months: tuple[int, ...] = ()
    weekdays: tuple[Weekday, ...] = ()
    month_days: tuple[int, ...] = ()
    until: date | None = None
    count: int | None = None

    def __str__(self) -> str:
        parts = [
            ("FREQ", self.freq),
            ("INTERVAL", "" if self.interval == 1 else self.interval),
            ("BYMONTH", ",".join(map(str, self.months))),
            ("BYDAY", ",".join(map(str, self.weekdays))),
            ("BYMONTHDAY", ",".join(map(str, self.month_days))),
            ("UNTIL", "" if self.until is None else self.until.isoformat().replace("-", "")),
            ("COUNT", self.count or ""),
        ]
        return ";".join(f"{name}={value}" for name, value in parts if value)

    def beginning(self, day: date) -> "RepeatRule":
        """Return the rule with what it leaves to the day on which it begins."""
        has_days = self.weekdays or self.month_days
        match self.freq:
            case "WEEKLY" if not has_days:
                return replace(self, weekdays=(Weekday(day.weekday()),))
            case "MONTHLY" if not has_days:
                return replace(self, month_days=(day.day,))
            case "YEARLY" if not has_days:
                return replace(self, months=self.months or (day.month,), month_days=(day.day,))
            case _:
                return self

    def first_after(self, day: date, since: date) -> date | None:
        """Return the first occurrence after *day*; intervals are counted from *since*.

        None if there is none, or none so soon that the rule could be said to go on.
        """
        after = max(day, since)
        last = LAST_DAY if self.until is None else self.until
        first = self._period(after, since)
        for period in range(first, first + PERIODS_MAX):
            for found in self._days(period, since):
                if found > last:
                    return None
                if found > after:
                    return found
        return None

    def last_until(self, day: date, since: date) -> date | None:
        """Return the last occurrence after *since* that is not after *day*."""
        last = day if self.until is None else min(day, self.until)
        newest = self._period(last, since)
        for period in range(newest, max(newest - PERIODS_MAX, -1), -1):
            for found in reversed([*self._days(period, since)]):
                if since < found <= last:
                    return found
        return None

    def _period(self, day: date, since: date) -> int:
        """Return in which of its days, weeks, months or years *day* is, 0 for that of *since*."""
        match self.freq:
            case "DAILY":
                passed = (day - since).days
            case "WEEKLY":
                passed = (day.toordinal() - 1) // 7 - (since.toordinal() - 1) // 7
            case "MONTHLY":
                passed = (day.year - since.year) * 12 + day.month - since.month
            case _:
                passed = day.year - since.year
        return passed // self.interval

    def _days(self, period: int, since: date) -> Iterator[date]:
        """Yield the days of one of its periods in order, until ``LAST_DAY``."""
        by = period * self.interval
        if self.freq in ("DAILY", "WEEKLY"):
            first = since.toordinal() + by
            ordinals = [first]
            if self.freq == "WEEKLY":
                monday = since.toordinal() - since.weekday() + by * 7
                ordinals = [monday + each.day for each in self.weekdays]
            last = LAST_DAY.toordinal()
            yield from (date.fromordinal(each) for each in ordinals if 0 < each <= last)
            return
        months = [since.year * 12 + since.month - 1 + by]
        if self.freq == "YEARLY":
            months = [(since.year + by) * 12 + month - 1 for month in self.months]
        for month in months:
            if month // 12 <= LAST_DAY.year:
                yield from self._in_month(month // 12, month % 12 + 1)

    def _in_month(self, year: int, month: int) -> Iterator[date]:
        first = date(year, month, 1)
        length = (date(year + month // 12, month % 12 + 1, 1) - first).days
        numbers = {n if n > 0 else length + 1 + n for n in self.month_days}
        for weekday in self.weekdays:
            found = range((weekday.day - first.weekday()) % 7 + 1, length + 1, 7)
            if weekday.nth == 0:
                numbers.update(found)
            elif abs(weekday.nth) <= len(found):
                numbers.add(found[weekday.nth - (weekday.nth > 0)])
        yield from (date(year, month, n) for n in sorted(numbers) if 0 < n <= length)


def repeat_rule(text: str) -> RepeatRule:
    """Return the rule that *text* is, such as ``FREQ=WEEKLY;BYDAY=MO``.

    :raises RecurrenceNotValid: it is none, or more than tasks can repeat by.
    """
    said = _parts(text)
    freq = said.get("FREQ", "")
    if freq not in _PARTS:
        raise RecurrenceNotValid(part="FREQ", expected=[*_PARTS])
    for name in said:
        if name not in _PARTS[freq]:
            raise RecurrenceNotValid(part=name, expected=[*_PARTS[freq]])
    for one, other in (("UNTIL", "COUNT"), ("BYDAY", "BYMONTHDAY")):
        if one in said and other in said:
            raise RecurrenceNotValid(part=other, expected=f"{one} or {other}, not both")
    if freq == "YEARLY" and "BYMONTH" not in said and not said.keys().isdisjoint(_DAYS):
        raise RecurrenceNotValid(part="BYMONTH", expected="the months in which these days are")
    rule = RepeatRule(
        freq=freq,
        interval=_number("INTERVAL", said.get("INTERVAL", "1"), 1, INTERVAL_MAX),
        months=_numbers("BYMONTH", said, 1, 12),
        weekdays=_weekdays(said.get("BYDAY"), freq),
        month_days=_numbers("BYMONTHDAY", said, -31, 31),
        until=_until(said.get("UNTIL")),
        count=_number("COUNT", said["COUNT"], 2, COUNT_MAX) if "COUNT" in said else None,
    )
    if 0 in rule.month_days:
        raise RecurrenceNotValid(part="BYMONTHDAY", expected="days from 1 to 31, or from -31 to -1")
    return rule


def _parts(text: str) -> dict[str, str]:
    said: dict[str, str] = {}
    for part in text.upper().removeprefix("RRULE:").split(";"):
        name, equal, value = part.partition("=")
        if not equal or not value or name in said:
            raise RecurrenceNotValid(part=name, expected="NAME=VALUE, each name once")
        said[name] = value
    return said


def _number(part: str, value: str, least: int, most: int) -> int:
    if _NUMBER.fullmatch(value) is None or not least <= int(value) <= most:
        raise RecurrenceNotValid(part=part, expected=f"a number from {least} to {most}")
    return int(value)


def _numbers(part: str, said: dict[str, str], least: int, most: int) -> tuple[int, ...]:
    values = said[part].split(",") if part in said else []
    return tuple(sorted({_number(part, value, least, most) for value in values}))


def _weekdays(value: str | None, freq: str) -> tuple[Weekday, ...]:
    found: set[Weekday] = set()
    for one in [] if value is None else value.split(","):
        told = _DAY.fullmatch(one)
        if told is None or (told[1] and freq == "WEEKLY"):
            example = "MO,TH" if freq == "WEEKLY" else "MO,TH or 1MO,-1FR"
            raise RecurrenceNotValid(part="BYDAY", expected=f"days such as {example}")
        found.add(Weekday(_WEEKDAYS.index(told[2]), int(told[1] or 0)))
    return tuple(sorted(found))


def _until(value: str | None) -> date | None:
    if value is None:
        return None
    try:
        if _UNTIL.fullmatch(value):
            return min(date(int(value[:4]), int(value[4:6]), int(value[6:])), LAST_DAY)
    except ValueError:
        pass
    raise RecurrenceNotValid(part="UNTIL", expected="a day such as 20261231")
