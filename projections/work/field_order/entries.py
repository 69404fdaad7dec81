"""By what a task is found in the orders of its custom fields: an entry for each that has a value.

Numbers sort as numbers, days as days, options by their keys, all else as text, whatever its case.
"""

import struct

from domain.name import folded
from domain.planning.field import CHOOSING
from domain.work.task.custom_field import FieldType
from domain.work.task.state import Task
from projections.shape import entry

_NUMBER, _DAY, _TEXT, _OPTION = "0", "1", "2", "3"
"""How the sort keys of each kind begin."""
BEHIND_VALUES = _OPTION
"""Where the sort keys end of all that are no options."""
_END = "\x1e"
"""Between a value and the key of its task."""
_BEHIND_END = "\x1f"
_BEHIND_NUMBERS = _DAY
_BEHIND_DAYS = chr(ord("9") + 1)
"""What is behind it is no day, because it is erased."""
_COMPARED_MAX = 200
"""Characters of a text that are compared; those that begin alike are in the order of their keys."""
_SIGN = 1 << 63


def field_entries(task: Task) -> list[str]:
    """Return the entries of *task*; of several options, the first one counts."""
    found: dict[str, str] = {}
    for each in task.fields:
        key, kind, text = each.split(":", 2)
        found.setdefault(key, f"{_value(FieldType(kind), text)}{_END}{task.key}")
    return [entry(key, value) for key, value in found.items()]


def option_ends(option: str) -> tuple[str, str]:
    """Return the sort keys before and behind all tasks with *option*."""
    return f"{_OPTION}{option}{_END}", f"{_OPTION}{option}{_BEHIND_END}"


def number_ends(low: float | None, high: float | None) -> tuple[str, str]:
    """Return the sort keys before and behind all numbers from *low* to *high*; None: no end."""
    first = _NUMBER if low is None else _number(low)
    return first, _BEHIND_NUMBERS if high is None else f"{_number(high)}{_BEHIND_END}"


def day_ends(low: str | None, high: str | None) -> tuple[str, str]:
    """Return the sort keys before and behind all days from *low* to *high*; None: no end."""
    return f"{_DAY}{low or ''}", f"{_DAY}{_BEHIND_DAYS if high is None else f'{high}{_BEHIND_END}'}"


def _number(number: float) -> str:
    return f"{_NUMBER}{_sortable(number):016x}"


def _value(kind: FieldType, text: str) -> str:
    if kind in CHOOSING:
        return f"{_OPTION}{text}"
    if kind is FieldType.NUMBER:
        try:
            return _number(float(text))
        except ValueError:
            pass  # it is erased
    if kind is FieldType.DATE:
        return f"{_DAY}{text}"
    return f"{_TEXT}{folded(text)[:_COMPARED_MAX]}"


def _sortable(number: float) -> int:
    """Return an integer for *number*, in the same order (IEEE 754-2019, section 5.10)."""
    bits = int.from_bytes(struct.pack(">d", number + 0.0))  # there is one zero
    return bits ^ (_SIGN * 2 - 1) if bits & _SIGN else bits | _SIGN
