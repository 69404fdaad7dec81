"""The values of a filter, as the query string names them: several joined by commas."""

import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from api.http.problem import FieldError, Problem, invalid
from api.http.request import uuid_or_none
from api.work.tasks.field_values import field_value
from domain.base import CycleId, UserId

V = TypeVar("V")
T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

VALUES_MAX = 50
"""How many values one filter takes."""
ME, NONE, CURRENT = "me", "none", "current"
"""What stands for who asks, for having nothing of what a filter names, and for cycles that run."""
LEFT_OUT = "!"
"""What stands before a value that is left out."""
_STATUS = re.compile(r"[A-Z][A-Z0-9_]{0,31}")


class OneValue(NamedTuple, Generic[V]):
    """How one value is read: ``parse`` returns None for what is none, and ``what`` says of what."""

    what: str
    parse: Callable[[str], V | None]


def _status(text: str) -> str | None:
    return text if _STATUS.fullmatch(text) else None


def _id_or_none(text: str) -> UUID | str | None:
    return NONE if text == NONE else uuid_or_none(text)


def _id_or_current(text: str) -> UUID | str | None:
    return CURRENT if text == CURRENT else uuid_or_none(text)


STATUS_KEY = OneValue("the key of a status, such as IN_PROGRESS", _status)
FIELD_AND_VALUE = OneValue(
    'the key of a custom field and a value, such as size:s, or note:"ready, set" for one that has a'
    " comma or begins with a quotation mark",
    field_value,
)
ASSIGNEE = OneValue("an id, `me` or `none`", _id_or_none)
_THING = OneValue("an id or `none`", uuid_or_none)
LABEL_OR_NONE = OneValue("an id or `none`", _id_or_none)
_CYCLE = OneValue("an id, `current` or `none`", _id_or_current)
PERSON = OneValue("an id or `me`", uuid_or_none)


def one_of_kind(kind: type[E]) -> OneValue[E]:
    """Return how a value of *kind* is read."""
    values = {each.value: each for each in kind}
    return OneValue(f"one of {', '.join(values)}", values.get)


def _at_commas(asked: str) -> Sequence[str]:
    return asked.split(",")


def filter_values(
    name: str,
    asked: str | None,
    word: OneValue[V],
    split: Callable[[str], Sequence[str]] = _at_commas,
) -> tuple[V, ...]:
    """Return the values of the filter *name*, each once, as *split* tells them apart.

    :raises Problem: 422 if one is malformed, or there are too many.
    """
    if asked is None:
        return ()
    texts = dict.fromkeys(split(asked))
    found = tuple([one_value(name, text, word) for text in texts])
    if len(found) > VALUES_MAX:
        raise _refused(name, f"Expected at most {VALUES_MAX} values, not {len(found)}")
    return found


class Choice(NamedTuple, Generic[V]):
    """The values of which a filter asks for one, or those that it leaves out."""

    values: tuple[V, ...]
    left_out: tuple[V, ...] = ()


def choice(name: str, asked: str | None, word: OneValue[V]) -> Choice[V]:
    """Return which values of the filter *name* are asked for.

    :raises Problem: 422 if one is malformed, only some are left out, or there are too many.
    """
    texts = [] if asked is None else asked.split(",")
    marked = [each.startswith(LEFT_OUT) for each in texts]
    if not any(marked):
        return Choice(filter_values(name, asked, word))
    if not all(marked):
        raise _refused(name, f"Put `{LEFT_OUT}` before each value, to leave all of them out")
    told = ",".join([each.removeprefix(LEFT_OUT) for each in texts])
    return Choice((), filter_values(name, told, word))


def of_kind(name: str, asked: str | None, kind: type[E]) -> tuple[E, ...]:
    """Return the values of *kind* that a filter names, or those that it does not leave out.

    :raises Problem: 422 if one is none, only some are left out, or none remains.
    """
    found = choice(name, asked, one_of_kind(kind))
    if not found.left_out:
        return found.values
    others = tuple([each for each in kind if each not in found.left_out])
    if not others:
        raise _refused(name, "All values are left out: leave one of them")
    return others


def one_value(name: str, text: str, word: OneValue[V]) -> V:
    """Return the value that *text* names.

    :raises Problem: 422 if it names none.
    """
    value = word.parse(text)
    if value is None:
        raise _refused(name, f"{text[:50]!r} is not {word.what}")
    return value


def things(name: str, asked: str | None, kind: Callable[[UUID], T]) -> tuple[T, ...]:
    """Return the things that a filter names; of `none`, there are none.

    :raises Problem: 422 if one is malformed, or there are too many.
    """
    found = () if asked == NONE else filter_values(name, _without_none(name, asked), _THING)
    return tuple([kind(each) for each in found])


def cycles(asked: str | None) -> tuple[tuple[CycleId, ...], bool]:
    """Return the cycles that a filter names, and whether also those that run.

    :raises Problem: 422 if one is malformed, or there are too many.
    """
    found = () if asked == NONE else filter_values("cycle", _without_none("cycle", asked), _CYCLE)
    return tuple([CycleId(each) for each in found if isinstance(each, UUID)]), CURRENT in found


def people(name: str, asked: str | None) -> tuple[UserId, ...]:
    """Return the users that a filter names.

    :raises Problem: 422 if one is malformed, or there are too many.
    """
    return tuple([UserId(each) for each in filter_values(name, asked, PERSON)])


def assignees(asked: str | None) -> tuple[UserId | None, ...]:
    """Return the users that a filter names, None among them for nobody.

    :raises Problem: 422 if one is malformed, or there are too many.
    """
    found = filter_values("assignee", asked, ASSIGNEE)
    return tuple([UserId(each) if isinstance(each, UUID) else None for each in found])


def _without_none(name: str, asked: str | None) -> str | None:
    """Return what a filter asks for.

    :raises Problem: 422 if `none` is one of several values.
    """
    if asked is not None and NONE in asked.split(","):
        raise _refused(name, f"Use `{NONE}` alone, without other values")
    return asked


def _refused(name: str, message: str) -> Problem:
    return invalid(FieldError(name, message))
