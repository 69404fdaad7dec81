"""Filters of lists of tasks by custom fields: equal values, and ranges of numbers and of days.

Equal values are found in an index. A range is compared, task by task, with what a list has found.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

import msgspec
from msgspec import Struct

from domain.work.task.custom_field import FieldShown

FIELD_VALUE = r"[a-z][a-z0-9_]{0,31}:[^,]{1,100}"
_NUMBER = r"-?\d+(?:\.\d+)?"
_DAY = r"\d{4}-\d{2}-\d{2}"
_NUMBERS = re.compile(rf"({_NUMBER})?\.\.({_NUMBER})?")
_DAYS = re.compile(rf"({_DAY})?\.\.({_DAY})?")
_EVERYTHING = ".."
_encode = msgspec.json.Encoder().encode


class _Valued(Struct, frozen=True):
    """The custom fields of a task in a list."""

    fields: dict[str, FieldShown]


_valued = msgspec.json.Decoder(_Valued).decode


class Numbers(NamedTuple):
    """Numbers from ``low`` to ``high``, with both; None: without an end there."""

    low: float | None
    high: float | None

    def has(self, value: FieldShown) -> bool:
        """Return whether *value* is a number within."""
        if not isinstance(value, int | float):
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


class Days(NamedTuple):
    """Days from ``low`` to ``high``, with both; None: without an end there."""

    low: str | None
    high: str | None

    def has(self, value: FieldShown) -> bool:
        """Return whether *value* is a day within."""
        if not isinstance(value, str) or re.fullmatch(_DAY, value) is None:
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


class FieldChoice(NamedTuple):
    """What a task has to have in the custom field ``key``: one of some texts, or within a range."""

    key: str
    texts: Sequence[str]
    ranges: Sequence[Numbers | Days]

    def has(self, value: FieldShown | None) -> bool:
        """Return whether a task with *value* is asked for."""
        if value is None:
            return False
        if any(each.has(value) for each in self.ranges):
            return True
        several = value if isinstance(value, list) else [value]
        return any(_text(each) in self.texts for each in several)


class AskedValues(NamedTuple):
    """The values that a list asks for: those that an index finds, and the others."""

    indexed: tuple[tuple[str, str], ...]
    choices: tuple[FieldChoice, ...]


def asked_values(values: Sequence[tuple[str, str]]) -> AskedValues:
    """Return what keys of custom fields and texts ask for; several of one field are a choice.

    A text such as ``3..8`` is a range, and equal texts are asked for as well.
    """
    by_key: dict[str, list[str]] = {}
    for key, text in values:
        by_key.setdefault(key, []).append(text)
    found = {key: [r for text in texts if (r := _range(text))] for key, texts in by_key.items()}
    return AskedValues(
        tuple((key, text) for key, text in values if not found[key]),
        tuple(FieldChoice(key, by_key[key], ranges) for key, ranges in found.items() if ranges),
    )


def has_values(task: bytes, choices: Sequence[FieldChoice]) -> bool:
    """Return whether a task, as JSON, has what each of *choices* asks for."""
    values: Mapping[str, FieldShown] = _valued(task).fields
    return all(each.has(values.get(each.key)) for each in choices)


def field_value(text: str) -> tuple[str, str] | None:
    """Return the key of a custom field and the text that a task has there, None if malformed."""
    key, _, value = text.partition(":")
    if re.fullmatch(FIELD_VALUE, text) is None or not _has_days(value):
        return None
    return key, value


def _has_days(text: str) -> bool:
    """Return whether *text* is no range of days, or one of days that there are."""
    found = None if text == _EVERYTHING else _DAYS.fullmatch(text)
    try:
        for day in () if found is None else filter(None, found.groups()):
            date.fromisoformat(day)
    except ValueError:
        return False
    return True


def _range(text: str) -> Numbers | Days | None:
    if text == _EVERYTHING:
        return None
    if (numbers := _NUMBERS.fullmatch(text)) is not None:
        low, high = (None if each is None else float(each) for each in numbers.groups())
        return Numbers(low, high)
    days = _DAYS.fullmatch(text)
    return None if days is None else Days(days[1], days[2])


def _text(value: str | float) -> str:
    """Return a value as filters name it; a whole number has no point."""
    if isinstance(value, str):
        return value
    return _encode(int(value) if value == int(value) else value).decode()
