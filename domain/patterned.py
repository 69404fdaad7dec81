"""Texts of a certain form, and how people are told which."""

from msgspec import Meta

_END = r"$(?!\n)"
"""The end of a text, the same for all: Python's ``$`` alone lets a line break pass there."""


def patterned(pattern: str, expected: str, length_max: int | None = None) -> Meta:
    """Return what a text has to be like: *expected* says it in words, after "Expected".

    *pattern* is a regular expression, the same in Python and in ECMAScript.
    """
    if pattern.endswith("$"):
        pattern = pattern.removesuffix("$") + _END
    return Meta(pattern=pattern, max_length=length_max, extra={"expected": expected})
