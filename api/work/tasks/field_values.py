"""Filters of lists of tasks by custom fields: equal values, and ranges of numbers and of days."""

import re
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from domain.planning.field_value import NamedValue, named_value
from domain.work.task.custom_field import FIELD_NUMBER_MAX, FieldType, texts_of
from projections.work.field_order.entries import day_ends, number_ends
from projections.work.task_filter import Span, ValueRanges, spans_apart

_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_A_NUMBER = re.compile(_NUMBER)
_NUMBERS = re.compile(rf"({_NUMBER})?\.\.({_NUMBER})?")
_DAYS = re.compile(rf"({_DAY})?\.\.({_DAY})?")
_EVERYTHING = ".."


class AskedValues(NamedTuple):
    """The values that a list asks for: equal ones of the fields that have no range, and ranges."""

    equal: tuple[tuple[str, str], ...]
    ranges: tuple[ValueRanges, ...]


def asked_values(values: Sequence[NamedValue]) -> AskedValues:
    """Return what values ask for; several of one field are a choice.

    A text such as ``3..8`` is a range unless it is quoted. Beside a range of its field, a number or
    a day is a range of itself alone. A number that no task shows so, such as ``2.50``, is a range
    of itself or a text.
    """
    by_key: dict[str, list[NamedValue]] = {}
    for each in values:
        by_key.setdefault(each.key, []).append(each)
    ranged = {
        key
        for key, some in by_key.items()
        if any(_range_of(one) or _is_rewritten(one) for one in some)
    }
    return AskedValues(
        tuple((each.key, each.text) for each in values if each.key not in ranged),
        tuple(_choice(key, some) for key, some in by_key.items() if key in ranged),
    )


def field_value(text: str) -> NamedValue | None:
    """Return the value that *text* names, None if it names none, or a range without such a day."""
    found = named_value(text)
    return found if found is None or found.quoted or _has_days(found.text) else None


def _choice(key: str, values: Sequence[NamedValue]) -> ValueRanges:
    ranges: list[Span] = []
    texts: list[str] = []
    for each in values:
        found = _range_of(each) or _range_of(each._replace(text=f"{each.text}..{each.text}"))
        if found is not None:
            ranges.append(found)
        if found is None or _is_rewritten(each):
            texts.append(each.text)
    return ValueRanges(key, spans_apart(ranges), tuple(texts))


def _has_days(text: str) -> bool:
    """Return whether *text* is no range of days, or one of days that there are."""
    found = None if text == _EVERYTHING else _DAYS.fullmatch(text)
    try:
        for day in () if found is None else filter(None, found.groups()):
            date.fromisoformat(day)
    except ValueError:
        return False
    return True


def _is_rewritten(value: NamedValue) -> bool:
    """Return whether a value is a number that fields of numbers store in other digits."""
    if value.quoted or _A_NUMBER.fullmatch(value.text) is None:
        return False
    number = float(value.text)
    is_stored = abs(number) <= FIELD_NUMBER_MAX
    return is_stored and texts_of(value.key, FieldType.NUMBER, number) != (value.text,)


def _range_of(value: NamedValue) -> Span | None:
    """Return the ends of the range that a value names, None if it is none."""
    if value.quoted or value.text == _EVERYTHING:
        return None
    if (numbers := _NUMBERS.fullmatch(value.text)) is not None:
        low, high = (None if each is None else float(each) for each in numbers.groups())
        return number_ends(low, high)
    days = _DAYS.fullmatch(value.text)
    return None if days is None else day_ends(days[1], days[2])
