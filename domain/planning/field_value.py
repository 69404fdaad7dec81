"""Values of custom fields as lists, boards and views name them: `size:s`, or `note:"ready, set"`.

A value that has a comma, or begins with a quotation mark, stands between quotation marks. Within
them, a backslash stands before each quotation mark and each backslash.
"""

import re
from typing import NamedTuple

from domain.work.task.custom_field import FIELD_TEXT_MAX

FIELD_VALUE = (
    r"[a-z][a-z0-9_]{0,31}:"
    rf'(?:[^,"][^,]{{0,{FIELD_TEXT_MAX - 1}}}|"(?:[^"\\]|\\["\\]){{1,{FIELD_TEXT_MAX}}}")'
)
"""The pattern of the key of a custom field and a value."""
_ONE = re.compile(FIELD_VALUE)
_NEXT = re.compile(r'(?:[^,:]*:"(?:[^"\\]|\\.)*"(?=,|\Z)|[^,]*)', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\])')


class NamedValue(NamedTuple):
    """A text in the custom field ``key``; what is ``quoted`` means itself, and never a range."""

    key: str
    text: str
    quoted: bool


def named_value(told: str) -> NamedValue | None:
    """Return the value that *told* names, None if it names none."""
    if _ONE.fullmatch(told) is None:
        return None
    key, _, text = told.partition(":")
    if not text.startswith('"'):
        return NamedValue(key, text, quoted=False)
    return NamedValue(key, _ESCAPED.sub(r"\1", text[1:-1]), quoted=True)


def split_named(told: str) -> list[str]:
    """Return what commas separate in *told*, apart from those between quotation marks."""
    found: list[str] = []
    at = 0
    while True:
        match = _NEXT.match(told, at)
        assert match is not None  # noqa: S101 - it matches empty text, too
        found.append(match[0])
        at = match.end() + 1
        if at > len(told):
            return found
