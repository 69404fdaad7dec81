"""Whatever is sent as an archive of work is answered: line by line, or with a refusal."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.exchange.archives import A, file_line, packed
from tests.api.exchange.task_files import until_ended
from tests.api.stage import Person

_ASKED = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
WHOLE = packed(A, file_line("f1"), file_line("f2", b"x" * 99), f1=b"oil", f2=b"x" * 99)
_TEXTS = st.sampled_from(["", "f1", "f2", "a", "..", "/", "\0", "\ud800", "tasks.jsonl", "x" * 300])
_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), _TEXTS, st.lists(_TEXTS, max_size=2), st.just({})
)


async def _answered(person: Person, path: str, body: bytes) -> None:
    would = await person.ask("POST", f"{path}&dry_run=true", content=body)
    did = await person.ask("POST", path, content=body)
    assert (would.status_code, did.status_code) in ((200, 202), (413, 413), (422, 422)), would.text
    if did.status_code == 202:
        *items, last = (json.loads(line) for line in would.text.removesuffix("\n").split("\n"))
        progress = await until_ended(person, did.json()["importId"])
        codes = {each["line"]: each["code"] for each in items if "code" in each}
        assert {each["line"]: each["code"] for each in progress["refused"]} == codes
        assert (progress["state"], progress["created"]) == ("DONE", last["created"])


@pytest.fixture
async def path(ana: Person) -> str:
    return f"/project/{(await ana.project())['id']}/import?format=zip"


@_ASKED
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=4))
async def test_any_bytes_of_an_archive_can_differ(
    ana: Person, path: str, changes: list[tuple[int, int]]
) -> None:
    body = bytearray(WHOLE)
    for place, byte in changes:
        body[place] = byte

    await _answered(ana, path, bytes(body))


@_ASKED
@given(
    lines=st.lists(
        st.fixed_dictionaries(
            {"type": st.just("file"), "id": _TEXTS, "task": _TEXTS, "name": _TEXTS},
            optional={
                **dict.fromkeys(("mediaType", "size", "sha256", "path", "author"), _VALUES),
                "occurredAt": st.sampled_from(["2019-03-01T08:00:00Z", "2019", ""]),
            },
        ),
        max_size=5,
    )
)
async def test_any_line_of_a_file_is_answered(
    ana: Person, path: str, lines: list[dict[str, Any]]
) -> None:
    await _answered(ana, path, packed(A, *lines, f1=b"oil", f2=b""))
