"""A repeated name is refused however the body is written; names of different objects may repeat."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.body import decode_body
from api.http.problem import Problem

SPACE = st.sampled_from(["", " ", "\n", "\t", "\r\n"])
NAMES = st.sampled_from(["a", "b", "c", 'q"', "\u00e9", ":", '":'])
VALUES = st.sampled_from(
    ['"x"', '"\\":"', '"a\\": 1"', '"\\\\"', "1", "null", "[]", '"\u00e9"', '""']
)


@st.composite
def objects(draw: st.DrawFn, depth: int = 2) -> tuple[str, bool]:
    """Return an object in JSON, and whether a name is repeated somewhere in it."""
    names = draw(st.lists(NAMES, max_size=4))
    repeated, members = len(set(names)) < len(names), list[str]()
    for name in names:
        written, value = json.dumps(name, ensure_ascii=draw(st.booleans())), draw(VALUES)
        if draw(st.booleans()) and name == "a":
            written = '"\\u0061"'
        if depth and draw(st.integers(0, 4)) == 0:
            value, inner = draw(objects(depth - 1))
            repeated |= inner
        gaps = [draw(SPACE) for _ in range(4)]
        members.append(f"{gaps[0]}{written}{gaps[1]}:{gaps[2]}{value}{gaps[3]}")
    return "{" + ",".join(members) + "}", repeated


@given(objects())
def test_exactly_the_bodies_with_a_repeated_name_are_refused(case: tuple[str, bool]) -> None:
    body, repeated = case
    if repeated:
        with pytest.raises(Problem) as refused:
            decode_body(body.encode(), dict[str, Any])
        assert [error.message for error in refused.value.errors] == ["The name is repeated"]
    else:
        assert decode_body(body.encode(), dict[str, Any]) == json.loads(body)


@pytest.mark.parametrize(
    "body", ['{"a":1,"a":2}', '{"a":1,"a" :2}', '{"a":1,"\\u0061":2}', '{"b":{"a":1,"a":2}}']
)
def test_a_repeated_name_is_refused(body: str) -> None:
    with pytest.raises(Problem) as refused:
        decode_body(body.encode(), dict[str, Any])

    assert refused.value.status == 422
