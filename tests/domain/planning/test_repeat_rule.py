"""Rules by which tasks repeat: what they say, what is refused, and on which days they fall."""

import calendar
import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.planning.repeat_rule import (
    COUNT_MAX,
    INTERVAL_MAX,
    LAST_DAY,
    RULE_MAX,
    RecurrenceNotValid,
    RepeatRule,
    Weekday,
    repeat_rule,
)
from tests.domain.spec import QUICK

MONDAY = date(2026, 3, 2)
ONE_DAY = timedelta(days=1)


def days(text: str, since: date, number: int) -> list[str]:
    """Return the first occurrences of a rule after the day on which it begins."""
    rule, found = repeat_rule(text).beginning(since), [since]
    while len(found) <= number and (day := rule.first_after(found[-1], found[-1])) is not None:
        found.append(day)
    return [str(day) for day in found[1:]]


class TestText:
    @pytest.mark.parametrize(
        ("text", "canonical"),
        [
            ("FREQ=DAILY", "FREQ=DAILY"),
            ("rrule:freq=daily;interval=1", "FREQ=DAILY"),
            ("INTERVAL=2;FREQ=WEEKLY;BYDAY=TH,MO,TH", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH"),
            ("FREQ=MONTHLY;BYDAY=-1FR,+2MO,WE", "FREQ=MONTHLY;BYDAY=2MO,WE,-1FR"),
            ("FREQ=MONTHLY;BYMONTHDAY=31,-1,1", "FREQ=MONTHLY;BYMONTHDAY=-1,1,31"),
            (
                "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;COUNT=02",
                "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;COUNT=2",
            ),
            ("FREQ=DAILY;UNTIL=20261231", "FREQ=DAILY;UNTIL=20261231"),
            ("FREQ=DAILY;UNTIL=00010101", "FREQ=DAILY;UNTIL=00010101"),
            ("FREQ=DAILY;UNTIL=99991231", "FREQ=DAILY;UNTIL=99981231"),
        ],
    )
    def test_a_rule_is_kept_in_one_form(self, text: str, canonical: str) -> None:
        assert str(repeat_rule(text)) == canonical
        assert str(repeat_rule(canonical)) == canonical

    @pytest.mark.parametrize(
        ("text", "part"),
        [
            ("", ""),
            ("FREQ", "FREQ"),
            ("FREQ=", "FREQ"),
            ("INTERVAL=2", "FREQ"),
            ("FREQ=HOURLY", "FREQ"),
            ("FREQ=MINUTELY", "FREQ"),
            ("FREQ=SECONDLY", "FREQ"),
            ("FREQ=DAILY;FREQ=DAILY", "FREQ"),
            ("FREQ=DAILY;", ""),
            ("FREQ=DAILY;BYHOUR=9", "BYHOUR"),
            ("FREQ=DAILY;BYDAY=MO", "BYDAY"),
            ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY"),
            ("FREQ=MONTHLY;BYMONTH=1", "BYMONTH"),
            ("FREQ=MONTHLY;BYMONTHDAY=1;BYDAY=MO", "BYMONTHDAY"),
            ("FREQ=YEARLY;BYDAY=MO", "BYMONTH"),
            ("FREQ=YEARLY;BYMONTHDAY=1", "BYMONTH"),
            ("FREQ=YEARLY;BYMONTH=13", "BYMONTH"),
            ("FREQ=YEARLY;BYMONTH=0", "BYMONTH"),
            ("FREQ=DAILY;INTERVAL=0", "INTERVAL"),
            ("FREQ=DAILY;INTERVAL=-1", "INTERVAL"),
            (f"FREQ=DAILY;INTERVAL={INTERVAL_MAX + 1}", "INTERVAL"),
            ("FREQ=DAILY;INTERVAL=²", "INTERVAL"),
            ("FREQ=DAILY;INTERVAL=1 ", "INTERVAL"),
            ("FREQ=DAILY;INTERVAL=99999", "INTERVAL"),
            ("FREQ=DAILY;COUNT=1", "COUNT"),
            (f"FREQ=DAILY;COUNT={COUNT_MAX + 1}", "COUNT"),
            ("FREQ=DAILY;COUNT=3;UNTIL=20261231", "COUNT"),
            ("FREQ=DAILY;UNTIL=2026-12-31", "UNTIL"),
            ("FREQ=DAILY;UNTIL=20261231T000000Z", "UNTIL"),
            ("FREQ=DAILY;UNTIL=20260230", "UNTIL"),
            ("FREQ=DAILY;UNTIL=00000101", "UNTIL"),
            ("FREQ=WEEKLY;BYDAY=1MO", "BYDAY"),
            ("FREQ=MONTHLY;BYDAY=6MO", "BYDAY"),
            ("FREQ=MONTHLY;BYDAY=0MO", "BYDAY"),
            ("FREQ=MONTHLY;BYDAY=XX", "BYDAY"),
            ("FREQ=MONTHLY;BYDAY=", "BYDAY"),
            ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY"),
            ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY"),
            ("FREQ=MONTHLY;BYMONTHDAY=-32", "BYMONTHDAY"),
            ("FREQ=MONTHLY;BYMONTHDAY=1,x", "BYMONTHDAY"),
        ],
    )
    def test_what_is_no_rule_is_refused_with_the_part_that_is_wrong(
        self, text: str, part: str
    ) -> None:
        with pytest.raises(RecurrenceNotValid) as refused:
            repeat_rule(text)
        assert refused.value.details["part"] == part

    @pytest.mark.parametrize("interval", [1, INTERVAL_MAX])
    @pytest.mark.parametrize("count", [2, COUNT_MAX])
    def test_limits_are_included(self, interval: int, count: int) -> None:
        rule = repeat_rule(f"FREQ=DAILY;INTERVAL={interval};COUNT={count}")
        assert (rule.interval, rule.count) == (interval, count)

    def test_what_is_left_to_the_first_day_is_taken_from_it(self) -> None:
        day = date(2024, 2, 29)  # a Thursday
        begun = [
            str(repeat_rule(f"FREQ={freq}").beginning(day))
            for freq in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY", "YEARLY;BYMONTH=3")
        ]
        assert begun == [
            "FREQ=DAILY",
            "FREQ=WEEKLY;BYDAY=TH",
            "FREQ=MONTHLY;BYMONTHDAY=29",
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
            "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=29",
        ]
        for said in ("WEEKLY;BYDAY=MO", "MONTHLY;BYDAY=1MO", "YEARLY;BYMONTH=3;BYDAY=1MO"):
            assert str(repeat_rule(f"FREQ={said}").beginning(day)) == f"FREQ={said}"


class TestDays:
    @pytest.mark.parametrize(
        ("text", "since", "expected"),
        [
            ("FREQ=DAILY;INTERVAL=3", MONDAY, ["2026-03-05", "2026-03-08"]),
            ("FREQ=WEEKLY", MONDAY, ["2026-03-09", "2026-03-16"]),
            ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR", MONDAY, ["2026-03-06", "2026-03-16"]),
            ("FREQ=MONTHLY", date(2026, 1, 31), ["2026-03-31", "2026-05-31", "2026-07-31"]),
            ("FREQ=MONTHLY;BYMONTHDAY=-1", MONDAY, ["2026-03-31", "2026-04-30", "2026-05-31"]),
            ("FREQ=MONTHLY;BYDAY=-1FR", MONDAY, ["2026-03-27", "2026-04-24"]),
            ("FREQ=MONTHLY;BYDAY=5MO", MONDAY, ["2026-03-30", "2026-06-29"]),
            ("FREQ=YEARLY", date(2096, 2, 29), ["2104-02-29", "2108-02-29"]),
            ("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", MONDAY, ["2026-11-26", "2027-11-25"]),
            ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1", MONDAY, ["2027-02-28", "2028-02-29"]),
            ("FREQ=DAILY;UNTIL=20260303", MONDAY, ["2026-03-03"]),
            ("FREQ=DAILY;UNTIL=20260302", MONDAY, []),
            ("FREQ=DAILY", LAST_DAY - ONE_DAY, [str(LAST_DAY)]),
            ("FREQ=DAILY", date.max, []),
        ],
    )
    def test_days_follow_by_the_rule(self, text: str, since: date, expected: list[str]) -> None:
        assert days(text, since, len(expected) + (not expected)) == expected
        if "UNTIL" in text or since > MONDAY.replace(year=9000):
            assert days(text, since, 9) == expected

    @pytest.mark.parametrize(
        "text",
        [
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
            "FREQ=YEARLY;INTERVAL=400;BYMONTH=2;BYMONTHDAY=30",
            "FREQ=YEARLY;BYMONTH=4,6;BYMONTHDAY=31",
            "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=30",
            "FREQ=MONTHLY;INTERVAL=396;BYMONTHDAY=31",
        ],
    )
    def test_a_rule_that_never_falls_on_a_day_is_found_out_soon(self, text: str) -> None:
        rule, february = repeat_rule(text), date(2027, 2, 1)
        began = time.process_time()

        assert rule.first_after(february, february) is None

        assert time.process_time() - began < 0.5

    def test_the_last_day_that_has_come_is_found_if_there_is_one(self) -> None:
        rule = repeat_rule("FREQ=WEEKLY;BYDAY=MO,FR;UNTIL=20260320")
        assert rule.last_until(date(2026, 3, 5), MONDAY) is None
        assert rule.last_until(date(2026, 3, 6), MONDAY) == date(2026, 3, 6)
        assert rule.last_until(date(2026, 3, 15), MONDAY) == date(2026, 3, 13)
        assert rule.last_until(date(2027, 1, 1), MONDAY) == date(2026, 3, 20)
        friday = date(2026, 3, 6)
        assert rule.last_until(date(2026, 3, 9), friday) == date(2026, 3, 9)  # in another week

    def test_no_day_is_found_before_the_one_from_which_it_is_counted(self) -> None:
        rule = repeat_rule("FREQ=WEEKLY;BYDAY=MO,FR")
        assert rule.first_after(date(2026, 1, 1), MONDAY) == date(2026, 3, 6)


_WEEKDAYS = st.sets(st.builds(Weekday, st.integers(0, 6), st.just(0)), min_size=1, max_size=7)
_NTH = st.sets(st.builds(Weekday, st.integers(0, 6), st.integers(-5, 5)), min_size=1, max_size=3)
_MONTH_DAYS = st.sets(st.integers(-31, 31).filter(bool), min_size=1, max_size=3)
_MONTHS = st.sets(st.integers(1, 12), min_size=1, max_size=3)


def _rules(freq: str, **parts: Any) -> st.SearchStrategy[RepeatRule]:
    sorted_parts = {name: each.map(lambda s: tuple(sorted(s))) for name, each in parts.items()}
    return st.builds(RepeatRule, freq=st.just(freq), interval=st.integers(1, 9), **sorted_parts)


RULES = st.one_of(
    _rules("DAILY"),
    _rules("WEEKLY", weekdays=_WEEKDAYS),
    _rules("MONTHLY", weekdays=_NTH),
    _rules("MONTHLY", month_days=_MONTH_DAYS),
    _rules("YEARLY", months=_MONTHS, weekdays=_NTH),
    _rules("YEARLY", months=_MONTHS, month_days=_MONTH_DAYS),
)


def falls_on(rule: RepeatRule, since: date, day: date) -> bool:
    """Return whether a rule that began on *since* falls on *day*, by looking at the calendar."""
    months = (day.year - since.year) * 12 + day.month - since.month
    monday = {each: each - timedelta(each.weekday()) for each in (since, day)}
    periods = {
        "DAILY": (day - since).days,
        "WEEKLY": (monday[day] - monday[since]).days // 7,
        "MONTHLY": months,
        "YEARLY": day.year - since.year,
    }
    if periods[rule.freq] % rule.interval or (rule.months and day.month not in rule.months):
        return False
    length = calendar.monthrange(day.year, day.month)[1]
    if rule.month_days and not {day.day, day.day - length - 1} & {*rule.month_days}:
        return False
    nth = {0, (day.day - 1) // 7 + 1, -((length - day.day) // 7 + 1)}
    return not rule.weekdays or any(w.day == day.weekday() and w.nth in nth for w in rule.weekdays)


def walked(rule: RepeatRule, since: date, to: date) -> Iterator[date]:
    """Yield every day on which a rule falls after *since*, found by looking at each."""
    for ordinal in range(since.toordinal() + 1, to.toordinal() + 1):
        if falls_on(rule, since, day := date.fromordinal(ordinal)):
            yield day


@QUICK
@given(RULES, st.dates(date(1999, 1, 1), date(2105, 1, 1)), st.integers(0, 900))
def test_days_are_those_that_a_walk_through_the_calendar_finds(
    rule: RepeatRule, since: date, further: int
) -> None:
    day = since + timedelta(further)
    to = day + timedelta(days=4 * 366)

    found = rule.first_after(day, since)

    first = next((each for each in walked(rule, since, to) if each > day), None)
    assert found == first or (first is None and found is not None and found > to)
    assert rule.last_until(day, since) == max(walked(rule, since, day), default=None)


@QUICK
@given(RULES, st.dates(date(1999, 1, 1), date(2105, 1, 1)))
def test_a_day_can_be_counted_from_any_earlier_one(rule: RepeatRule, since: date) -> None:
    """So a series needs to remember no more than the day of its newest task."""
    first = rule.first_after(since, since)
    for _ in range(5):
        if first is None:
            return
        following = rule.first_after(first, first)
        assert following == rule.first_after(first, since)
        first = following


@QUICK
@given(RULES, st.none() | st.dates(max_value=LAST_DAY), st.none() | st.integers(2, COUNT_MAX))
def test_a_rule_is_the_same_after_it_was_told(
    rule: RepeatRule, until: date | None, count: int | None
) -> None:
    told = RepeatRule(
        freq=rule.freq,
        interval=rule.interval,
        months=rule.months,
        weekdays=rule.weekdays,
        month_days=rule.month_days,
        until=until,
        count=None if until else count,
    )
    assert repeat_rule(str(told)) == told
    assert len(str(told)) <= RULE_MAX
