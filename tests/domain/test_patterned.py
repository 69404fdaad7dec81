"""A text of a certain form ends where its pattern says."""

from typing import Annotated

import msgspec
import pytest

from domain.patterned import patterned

KEY = Annotated[str, patterned("^[A-Z]{2,4}$", "a key")]


def test_a_line_break_at_the_end_is_refused() -> None:
    assert msgspec.convert("ENG", KEY) == "ENG"

    for refused in ("ENG\n", "ENG\n\n", "ENG\r\n", "\nENG"):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(refused, KEY)


def test_a_pattern_that_names_no_end_looks_for_itself_anywhere() -> None:
    text = Annotated[str, patterned(r"\S", "some text")]
    assert msgspec.convert(" a\n", text) == " a\n"
