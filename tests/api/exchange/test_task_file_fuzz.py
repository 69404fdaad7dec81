"""Whatever is sent as a file of tasks is answered: line by line, or with a refusal."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.stage import Person, done

_ASKED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_CELLS = st.one_of(
    st.sampled_from(
        ["1", "2", "=1+1", "'=2", '"', '""', "\t", "\r", "\0", "\ud800", "ENG-1", "HIGH"]
    ),
    st.text(max_size=8),
)
_NAMES = st.sampled_from(
    [
        *("id", "title", "description", "status", "parent", "dueDate", "estimate", "assignees"),
        *("labels", "fields.size", "occurredAt", "author", "key", "fields", "nothing", ""),
    ]
)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _CELLS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_CELLS, inner, max_size=3),
    max_leaves=6,
)


async def _answered(person: Person, path: str, body: bytes) -> None:
    for query in ("&dry_run=true", ""):
        response = await person.ask("POST", f"{path}{query}", content=body)
        assert response.status_code in (200, 400), response.text
        if response.status_code == 200:
            *items, last = (json.loads(line) for line in response.text.splitlines())
            assert len(items) == last["created"] + last["unchanged"] + last["refused"]
            assert all(each["outcome"] in ("created", "unchanged", "refused") for each in items)


@pytest.fixture
async def path(ana: Person) -> str:
    project = await ana.project()
    size = {"key": "size", "name": "Size", "type": "number"}
    done(await ana.post(f"/project/{project['id']}/fields", size), 201)
    return f"/project/{project['id']}/import"


@_ASKED
@given(
    rows=st.lists(st.lists(_CELLS, max_size=6), max_size=6),
    form=st.tuples(st.lists(_NAMES, max_size=6), st.sampled_from([",", ";", "\t"])),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1", "utf-16-le"]),
)
async def test_any_table_is_answered(
    ana: Person, path: str, rows: list[list[str]], form: tuple[list[str], str], encoding: str
) -> None:
    names, joint = form
    header = ["id", "title", *names]
    text = "\r\n".join(joint.join(row) for row in (header, *rows))

    await _answered(ana, f"{path}?format=csv", text.encode(encoding, "replace"))


@_ASKED
@given(lines=st.lists(st.dictionaries(_NAMES, _VALUES, max_size=6) | _VALUES, max_size=6))
async def test_any_json_is_answered(ana: Person, path: str, lines: list[Any]) -> None:
    body = "\n".join(json.dumps(line) for line in lines)

    await _answered(ana, f"{path}?format=jsonl", body.encode())


@_ASKED
@given(body=st.binary(max_size=200), kind=st.sampled_from(["csv", "jsonl"]))
async def test_any_bytes_are_answered(ana: Person, path: str, body: bytes, kind: str) -> None:
    begin = b"id,title\n" if kind == "csv" else b""

    await _answered(ana, f"{path}?format={kind}", begin + body)


async def test_a_hundred_thousand_lines_are_streamed(ana: Person, path: str) -> None:
    """All but the last are one id, so that they cost no more than being read and answered."""
    body = b"id,title\n" + b"1,Same\n" * 99_999 + b"2,Last\n"

    response = await ana.ask("POST", f"{path}?format=csv", content=body)
    lines = response.text.splitlines()
    last = json.loads(lines[-1])
    more = await ana.ask("POST", f"{path}?format=csv", content=body + b"3,Beyond\n")
    broken = json.loads(more.text.splitlines()[-1])

    assert (last["created"], last["refused"], last["done"]) == (2, 99_998, True)
    assert len(lines) == 100_001
    assert (broken["done"], broken["code"]) == (False, "too_many_lines")
