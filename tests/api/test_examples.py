"""Every operation has a recorded example in the description, and it is as described."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.api.stage import Person, done
from tests.exchanges import check
from tests.recorder import FILE
from tools.http import description

EXAMPLES: dict[str, Any] = json.loads(FILE.read_text())
HINT = "ask the route in a test under tests/api, then run `make examples`"
HEADERS = {"x-request-id": "sample"}


def _names() -> Iterator[str]:
    for path, item in description()["paths"].items():
        yield from (f"{method.upper()} {path}" for method in item if method != "parameters")


def test_every_operation_has_an_example_and_every_example_an_operation() -> None:
    operations = {*_names()}

    assert operations - EXAMPLES.keys() == set(), f"without an example: {HINT}"
    assert EXAMPLES.keys() - operations == set(), "without an operation: delete the example"


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_as_described(name: str) -> None:
    example, method = EXAMPLES[name], name.partition(" ")[0]
    sent, got = example["request"], example["response"]
    request = httpx.Request(method, f"http://api{sent['path']}", json=sent.get("body"))
    is_json = got.get("type") == "application/json"
    content = json.dumps(got["body"]) if is_json else got.get("body", "")
    headers = {**HEADERS, **({"content-type": got["type"]} if "type" in got else {})}
    operation = description()["paths"][name.partition(" ")[2]][method.lower()]
    needed = operation["responses"][str(got["status"])].get("headers", {})
    headers |= {"location": "/api/sample"} if "Location" in needed else {}
    headers |= {"content-disposition": "attachment"} if "Content-Disposition" in needed else {}

    check(request, httpx.Response(got["status"], headers=headers, content=content))


async def test_a_checkpoint_names_the_newest_event_and_the_key_that_verifies_it(
    ana: Person,
) -> None:
    await ana.get("/audit")  # which is recorded, once an hour
    newest = done(await ana.get("/audit?limit=1"), 200)["items"][0]["seq"]

    checkpoint = done(await ana.get("/audit/checkpoint"), 200)

    assert checkpoint["size"] == newest
    assert checkpoint["vkey"].partition("+")[0] in checkpoint["note"]


async def test_a_webhook_of_a_log_that_was_never_restored_has_no_notices(ana: Person) -> None:
    body = {"url": "http://127.0.0.1:9/hook", "events": ["task.*"]}
    webhook = done(await ana.post("/webhook", body), 201)

    notices = done(await ana.get(f"/webhook/{webhook['id']}/notices"), 200)

    assert notices["items"] == []


def test_the_description_shows_the_examples() -> None:
    operation = description()["paths"]["/api/project/{project}/tasks"]["post"]
    example = EXAMPLES["POST /api/project/{project}/tasks"]

    asked = operation["requestBody"]["content"]["application/json"]["example"]
    answered = operation["responses"]["201"]["content"]["application/json"]["example"]

    assert (asked, answered) == (example["request"]["body"], example["response"]["body"])
