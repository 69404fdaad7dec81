"""The name of a file is a name, whatever its sender writes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.name import NAME_PATTERN
from files.name import NAME_CHARS_MAX, disposition_of, name_in


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (None, "file"),
        ("", "file"),
        ("attachment", "file"),
        ('attachment; filename="plan.pdf"', "plan.pdf"),
        ("attachment; filename=plan.pdf", "plan.pdf"),
        ("attachment; filename=\"a.pdf\"; filename*=UTF-8''Z%C3%BCrich.pdf", "Zürich.pdf"),
        ("attachment; filename*=iso-8859-1'en'Z%FCrich.pdf", "Zürich.pdf"),
        ("attachment; filename*=nonsense''plan.pdf", "file"),
        ('attachment; filename="Zürich.pdf"'.encode().decode("latin-1"), "Zürich.pdf"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="C:\\\\Windows\\\\plan.pdf"', "plan.pdf"),
        ("attachment; filename*=UTF-8''a%2Fb%00c.txt", "b_c.txt"),
        ("attachment; filename*=UTF-8''gpj.%E2%80%AEexe", "gpj._exe"),
        ('attachment; filename=".."', "file"),
        ('attachment; filename="   "', "file"),
        (f'attachment; filename="{"x" * 300}.pdf"', "x" * (NAME_CHARS_MAX - 4) + ".pdf"),
    ],
)
def test_a_name_is_read_and_made_safe(header: str | None, name: str) -> None:
    assert name_in(header) == name


@given(st.text())
def test_any_header_gives_a_name_that_a_response_can_give_back(text: str) -> None:
    name = name_in(f'attachment; filename="{text}"')

    assert re.match(NAME_PATTERN, name)
    assert len(name) <= NAME_CHARS_MAX
    assert not set(name) & set('/\\\0\r\n"')
    header = disposition_of(name)
    assert header.isascii()
    assert "\n" not in header
    assert name_in(header) == name
