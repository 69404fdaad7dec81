"""Values of custom fields are told by their keys, and quoted if they have a comma."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.planning.criteria import joined_values, split_values
from domain.planning.field_value import FIELD_VALUE, NamedValue, named_value, split_named

KEYS = st.sampled_from(["size", "note", "a_1"])


def told(key: str, text: str) -> str:
    """Return a value as people write it who quote every one."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'{key}:"{escaped}"'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("size:s", NamedValue("size", "s", False)),
        ("size:a:b", NamedValue("size", "a:b", False)),
        ('size:5" pipe', NamedValue("size", '5" pipe', False)),
        ('size:"a, b"', NamedValue("size", "a, b", True)),
        (r'size:"\"\\"', NamedValue("size", '"\\', True)),
        ("size:" + "x" * 1_000, NamedValue("size", "x" * 1_000, False)),
        ('size:"' + r"\"" * 1_000 + '"', NamedValue("size", '"' * 1_000, True)),
        ("size:" + "x" * 1_001, None),
        ("size:" + "x" * 10_000, None),
        ('size:"' + "x" * 1_001 + '"', None),
        ("size:a,b", None),
        ('size:"a', None),
        ('size:"a"b', None),
        (r'size:"a\b"', None),
        (r'size:"a\"', None),
        ('size:""', None),
        ("size:", None),
        ("Size:s", None),
        ("size:s\n", NamedValue("size", "s\n", False)),
    ],
)
def test_a_value_is_named_by_a_key_and_a_text(text: str, expected: NamedValue | None) -> None:
    assert named_value(text) == expected
    assert (re.search(f"^{FIELD_VALUE}\\Z", text) is not None) is (expected is not None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [""]),
        ("size:s", ["size:s"]),
        ("size:s,cost:2..8,", ["size:s", "cost:2..8", ""]),
        ('size:"a,b",cost:1', ['size:"a,b"', "cost:1"]),
        (r'size:"a\",b",cost:1', [r'size:"a\",b"', "cost:1"]),
        ('size:"a,cost:1', ['size:"a', "cost:1"]),  # no quotation ends it
        ('size:"a"b,c', ['size:"a"b', "c"]),
        (',"a,b"', ["", '"a', 'b"']),
    ],
)
def test_commas_separate_values_unless_they_are_quoted(text: str, expected: list[str]) -> None:
    assert split_named(text) == expected


@given(st.lists(st.tuples(KEYS, st.text(min_size=1, max_size=9)), min_size=1, max_size=9))
def test_whatever_is_quoted_is_read_back(values: list[tuple[str, str]]) -> None:
    joined = joined_values(tuple(told(*each) for each in values))

    found = [named_value(each) for each in split_values(joined)]

    assert found == [NamedValue(key, text, True) for key, text in values]


@given(st.text(alphabet='a:,"\\', max_size=30))
def test_nothing_is_lost_between_commas(text: str) -> None:
    assert ",".join(split_named(text)) == text


def test_a_quotation_that_nothing_ends_takes_no_long_time() -> None:
    assert len(split_named('a:"b,' * 5_000)) == 5_001
    assert len(split_named('a:"' + "\\" * 100_001)) == 1
