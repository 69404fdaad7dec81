"""The values that a task has in the custom fields of its project, and the event that sets one.

A task keeps its values as texts ``key:type:text``, one for each, and for a field with several
options one for each option. So they are what lists search for.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta, field

from domain.base import DomainError, Event, Personal, Refusal
from domain.patterned import patterned

FieldKey = Annotated[
    str, patterned(r"^[a-z][a-z0-9_]{0,31}$", "a key such as story_points, in small letters")
]
"""1-32 small letters, digits and underscores, beginning with a letter."""

FIELD_TEXT_MAX = 1_000
FIELD_NUMBER_MAX = 1e15
"""Up to here, every whole number is exact as a double (IEEE 754)."""
FIELD_VALUES_MAX = 100
"""How many custom fields of a task have a value."""
CHOSEN_MAX = 50
"""How many options of one field a task has."""

FieldInput = (
    Annotated[str, Meta(min_length=1, max_length=FIELD_TEXT_MAX)]
    | float
    | Annotated[tuple[str, ...], Meta(max_length=CHOSEN_MAX)]
)
"""A value as people send it: a text, a number, or the keys of options."""
FieldShown = str | float | list[str]
"""A value as people see it."""

_SEPARATOR = "\n"
"""Between the keys of options in an event."""
_decode_number = msgspec.json.Decoder(int | float).decode


class FieldType(StrEnum):
    """What the values of a custom field are. Stored, so they never change."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    SELECT = "select"
    MULTI_SELECT = "multi_select"
    USER = "user"


_EXPECTED = {
    FieldType.TEXT: f"a text of 1 to {FIELD_TEXT_MAX:,} characters",
    FieldType.NUMBER: f"a number from -{FIELD_NUMBER_MAX:,.0f} to {FIELD_NUMBER_MAX:,.0f}",
    FieldType.DATE: "a day such as 2026-12-31, as a text",
    FieldType.SELECT: "the key of an option",
    FieldType.MULTI_SELECT: "an array of keys of options",
    FieldType.USER: "the id of a user",
}


class TaskFieldSet(Event, frozen=True, kw_only=True, omit_defaults=True, tag="task.field_set"):
    """The value of a task in a custom field was set or (null) removed.

    A number and a date are as in JSON, a user is their id, options are their keys, one a line.
    """

    key: str
    kind: FieldType
    from_: Personal | None = field(name="from", default=None)
    to: Personal | None = None

    def field_keys(self) -> tuple[str, ...]:
        return (f"fields:{self.key}",)


class FieldValueNotValid(DomainError):
    """This is no value of the custom field `key`, whose type is `type`. See `expected`."""

    code = "field_value_not_valid"
    refusal = Refusal.INVALID


class UnknownField(DomainError):
    """The project of the task has no custom field `key`."""

    code = "unknown_field"
    refusal = Refusal.INVALID


class TooManyFieldValues(DomainError):
    """A task can have values in at most 100 custom fields. Remove one first."""

    code = "too_many_field_values"
    refusal = Refusal.CONFLICT


def texts_of(key: str, kind: FieldType, value: FieldInput | None) -> tuple[str, ...]:
    """Return the texts by which a task keeps *value* in a field of *kind*; none for no value.

    Whether a user or an option exists is not asked here.

    :raises FieldValueNotValid: it is not of that kind.
    """
    found = () if value is None else _TEXTS[kind](value)
    if found is None:
        raise not_valid(key, kind)
    return found


def not_valid(key: str, kind: FieldType, options: Sequence[str] = ()) -> FieldValueNotValid:
    """Return what refuses a value of a field of *kind*, with the *options* that it offers."""
    offered = {"options": [*options]} if options else {}
    return FieldValueNotValid(key=key, type=kind, expected=_EXPECTED[kind], **offered)


def values_of(fields: Iterable[str], key: str) -> tuple[str, ...]:
    """Return the texts of one field among those of a task."""
    begin = f"{key}:"
    return tuple(one.split(":", 2)[2] for one in fields if one.startswith(begin))


def with_value(fields: Sequence[str], event: TaskFieldSet) -> tuple[str, ...]:
    """Return the texts of a task after *event*, sorted."""
    begin = f"{event.key}:"
    kept = [one for one in fields if not one.startswith(begin)]
    return tuple(sorted([*kept, *(f"{begin}{event.kind}:{text}" for text in _parts(event))]))


def options_in(event: TaskFieldSet) -> tuple[str, ...]:
    """Return the keys of the options that *event* gives a task."""
    return _parts(event) if event.kind in (FieldType.SELECT, FieldType.MULTI_SELECT) else ()


def joined_texts(texts: Sequence[str]) -> str | None:
    """Return the texts of one field as an event tells them; None for no value."""
    return _SEPARATOR.join(texts) if texts else None


def shown_values(fields: Iterable[str]) -> dict[str, FieldShown]:
    """Return the values of a task by the keys of their fields, as people see them."""
    found: dict[str, FieldShown] = {}
    for one in fields:
        key, kind, text = one.split(":", 2)
        if kind == FieldType.MULTI_SELECT:
            chosen = found.setdefault(key, [])
            assert isinstance(chosen, list)  # noqa: S101 - all texts of a field have its type
            chosen.append(text)
        else:
            found[key] = _shown_number(text) if kind == FieldType.NUMBER else text
    return found


def _shown_number(text: str) -> float | str:
    try:
        number: int | float = _decode_number(text)
    except msgspec.MsgspecError:
        return text  # it is erased
    return number


def _parts(event: TaskFieldSet) -> tuple[str, ...]:
    if event.to is None:
        return ()
    several = event.kind is FieldType.MULTI_SELECT
    return tuple(event.to.split(_SEPARATOR)) if several else (event.to,)


def _text(value: FieldInput) -> tuple[str, ...] | None:
    return (value,) if isinstance(value, str) else None


def _number(value: FieldInput) -> tuple[str, ...] | None:
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    if abs(value) > FIELD_NUMBER_MAX:
        return None
    exact = int(value) if value == int(value) else value
    return (msgspec.json.encode(exact).decode(),)


def _date(value: FieldInput) -> tuple[str, ...] | None:
    try:
        return (str(msgspec.convert(value, date)),)
    except msgspec.ValidationError:
        return None


def _option(value: FieldInput) -> tuple[str, ...] | None:
    return (value,) if isinstance(value, str) and _SEPARATOR not in value else None


def _options(value: FieldInput) -> tuple[str, ...] | None:
    if not isinstance(value, tuple) or any(_SEPARATOR in one for one in value):
        return None
    return tuple(sorted(dict.fromkeys(value)))


def _user(value: FieldInput) -> tuple[str, ...] | None:
    try:
        return (str(msgspec.convert(value, UUID)),)
    except msgspec.ValidationError:
        return None


_TEXTS = {
    FieldType.TEXT: _text,
    FieldType.NUMBER: _number,
    FieldType.DATE: _date,
    FieldType.SELECT: _option,
    FieldType.MULTI_SELECT: _options,
    FieldType.USER: _user,
}
