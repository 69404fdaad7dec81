"""Names and titles are one line that a reader can see."""

import msgspec
import pytest

from domain.name import Name, Title

SEEN = ["A", " A ", "Ana María", "日本", "مرحبا", "👩🏽‍🔧", "a\u200bb", "x" * 200, "\u200fא", "-"]
UNSEEN = [
    "",
    " ",
    "\u00a0",
    "\u200b",
    "\u200d\u2060",
    "\ufeff",
    "\u00ad",
    "\u3000",
    "\u3164",
    "\u2800",
    "\ufe0f",
    "\ufff0",
    "\U0001d173",
    "\U000e0041\U000e0042",
    "\U000e0100",
]
REFUSED = [
    "a\nb",
    "a\n",
    "a\r",
    "a\tb",
    "\x1b[31mred",
    "a\x00",
    "a\x7f",
    "a\x85b",
    "a\u2028b",
    "a\u202eb",
    "a\u202a",
    "\u2066a\u2069",
]


@pytest.mark.parametrize("kind", [Name, Title])
@pytest.mark.parametrize("text", SEEN)
def test_a_visible_text_is_a_name(kind: object, text: str) -> None:
    assert msgspec.convert(text, kind) == text


@pytest.mark.parametrize("kind", [Name, Title])
@pytest.mark.parametrize("text", [*UNSEEN, *REFUSED, "x" * 301], ids=ascii)
def test_invisible_text_and_line_breaks_are_refused(kind: object, text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(text, kind)
