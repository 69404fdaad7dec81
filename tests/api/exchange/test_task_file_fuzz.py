"""Whatever is sent as a file of tasks is answered: line by line, or with a refusal."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.exchange.task_files import imported
from tests.api.stage import Person, done, refused

_ASKED = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
_CELLS = st.one_of(
    st.sampled_from(
        ["1", "2", "=1+1", "'=2", '"', '""', "\t", "\r", "\0", "\ud800", "ENG-1", "HIGH"]
    ),
    st.text(max_size=8),
)
_NAMES = st.sampled_from(
    [
        *("id", "title", "description", "status", "parent", "dueDate", "estimate", "assignees"),
        *(
            "labels",
            "fields.size",
            "occurredAt",
            "author",
            "cycle",
            "milestone",
            "key",
            "fields",
            "nothing",
            "",
        ),
    ]
)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _CELLS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_CELLS, inner, max_size=3),
    max_leaves=6,
)


_IDS = st.sampled_from(["1", "2", "c"])


async def _answered(person: Person, path: str, body: bytes) -> None:
    would = await person.ask("POST", f"{path}&dry_run=true", content=body)
    did = await person.ask("POST", path, content=body)
    assert (would.status_code, did.status_code) in ((200, 202), (400, 400), (422, 422)), would.text
    if did.status_code == 202:
        *items, last = (json.loads(line) for line in would.text.removesuffix("\n").split("\n"))
        assert len(items) == last["created"] + last["unchanged"] + last["refused"]
        assert all(each["outcome"] in ("created", "unchanged", "refused") for each in items)
        progress = did.json()
        assert (progress["state"], progress["done"]) == ("DONE", progress["all"])
        codes = [{k: each[k] for k in ("line", "code")} for each in items if "code" in each]
        assert (progress["refused"], progress["created"]) == (codes, last["created"])


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
@given(
    lines=st.lists(
        st.fixed_dictionaries(
            {"type": st.sampled_from(["comment", "relation", "task", None])},
            optional={
                "id": _IDS | _VALUES,
                "task": _IDS | _VALUES,
                "to": _IDS | _VALUES,
                "parent": _IDS | _VALUES,
                "kind": st.sampled_from(["blocks", "relates", "duplicated_by", "likes"]),
                "body": _CELLS,
                "mentions": st.lists(_CELLS, max_size=2) | _VALUES,
                "occurredAt": st.sampled_from(["2019-03-01T08:00:00Z", "2019", ""]),
                "author": _CELLS,
            },
        ),
        max_size=6,
    )
)
async def test_any_comment_or_relation_is_answered(
    ana: Person, path: str, lines: list[Any]
) -> None:
    tasks = [{"id": number, "title": "Oil it"} for number in "12"]
    body = "\n".join(json.dumps(line) for line in (*tasks, *lines))

    await _answered(ana, f"{path}?format=jsonl", body.encode())


@_ASKED
@given(body=st.binary(max_size=200), kind=st.sampled_from(["csv", "jsonl"]))
async def test_any_bytes_are_answered(ana: Person, path: str, body: bytes, kind: str) -> None:
    begin = b"id,title\n" if kind == "csv" else b""

    await _answered(ana, f"{path}?format={kind}", begin + body)


async def test_a_hundred_thousand_lines_are_streamed(ana: Person) -> None:
    """All but the last are one id, so that they cost no more than being read and answered."""
    project = await ana.project()
    path = f"/project/{project['id']}/import"
    body = b"id,title\n" + b"1,Same\n" * 99_999 + b"2,Last\n"

    response = await ana.ask("POST", f"{path}?format=csv&dry_run=true", content=body)
    lines = response.text.removesuffix("\n").split("\n")
    last = json.loads(lines[-1])
    more = await ana.ask("POST", f"{path}?format=csv", content=body + b"3,Beyond\n")
    _, progress = await imported(ana, project, body, "?format=csv")

    assert (last["created"], last["refused"], last["done"]) == (2, 99_998, True)
    assert len(lines) == 100_001
    assert refused(more, 422, "too_many_lines")["limit"] == 100_000
    assert (progress["state"], progress["created"], progress["done"]) == ("DONE", 2, 100_000)
    assert [each["line"] for each in progress["refused"]] == [*range(3, 1_003)]
