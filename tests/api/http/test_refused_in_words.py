"""What refuses a request says in words what was expected."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
from litestar import Litestar
from msgspec import inspect

from api.http.policy import handlers_of
from tests.api.stage import Person, refused

NOBODY = "0b7e0a4c-3f5e-4f7e-9d59-6a1f0f4a2b11"


@pytest.mark.parametrize(
    ("path", "body", "field", "message"),
    [
        (
            "/project",
            {"key": "ENG", "name": "E", "desciption": "x"},
            "$.desciption",
            "Unknown field. Did you mean `description`?",
        ),
        (
            "/task/bulk",
            {"ids": [NOBODY], "set": {}, "dryRun": True},
            "$.dryRun",
            "Unknown field. Here you can use `ids`, `set`",
        ),
        (
            "/task/bulk",
            {"ids": [NOBODY], "set": {"labels": {"ad": []}}},
            "$.set.labels.ad",
            "Unknown field. Did you mean `add`?",
        ),
        (
            "/apikey",
            {"name": "CI", "scopes": {}, "x" * 10_000: 1},
            "$." + "x" * 10_000,
            "Unknown field. Here you can use `name`, `scopes`",
        ),
    ],
)
async def test_an_unknown_field_is_refused_with_those_that_there_are(
    ana: Person, path: str, body: dict[str, Any], field: str, message: str
) -> None:
    response = await ana.post(path, json=body)

    [error] = refused(response, 422, "invalid_request")["errors"]
    assert error["path"] == field
    assert error["message"].startswith(message)


async def test_an_unknown_field_within_an_array_is_refused_with_those_that_there_are(
    ana: Person,
) -> None:
    project = await ana.project()
    workflow = {"statuses": [{"key": "NEW", "title": "New", "group": "TODO"}], "transitions": []}

    response = await ana.ask("PUT", f"/project/{project}/workflow", json=workflow)

    [error] = refused(response, 422, "invalid_request")["errors"]
    assert error["path"] == "$.statuses[0].title"
    assert error["message"] == "Unknown field. Here you can use `key`, `name`, `group`, `wipLimit`"


@pytest.mark.parametrize(
    ("path", "body", "place", "message"),
    [
        (
            "/project",
            {"key": "eng", "name": "E"},
            "$.key",
            "Expected 2 to 10 capital letters and digits, such as ENG",
        ),
        (
            "/project",
            {"key": "ENG", "name": "\u200b"},
            "$.name",
            "Expected one line of visible text, without control characters",
        ),
        ("/project", {"key": "ENG"}, "$.name", "This field is required"),
        (
            f"/project/{NOBODY}/tasks",
            {"title": "Oil it", "fields": {"Size": 1}},
            "$.fields",
            "Expected a key such as story_points, in small letters",
        ),
        ("/label", {"name": "Bug", "color": "red"}, "$.color", "Expected a color such as #0969da"),
        (
            "/view",
            {"name": "Late", "filter": {"assignee": ["me", "bob"]}},
            "$.filter.assignee[1]",
            "Expected an id, me or none, or ! and one",
        ),
    ],
)
async def test_a_text_of_another_form_is_refused_in_words(
    ana: Person, path: str, body: dict[str, Any], place: str, message: str
) -> None:
    response = await ana.post(path, json=body)

    [error] = refused(response, 422, "invalid_request")["errors"]
    assert error == {"path": place, "message": message}


def test_every_pattern_of_a_body_is_told_in_words(app: Litestar) -> None:
    bodies = [
        parameters["data"].annotation
        for _, _, handler in handlers_of(app)
        if "data" in (parameters := handler.parsed_fn_signature.parameters)
    ]
    forms = list[tuple[str, bool]]()
    for body in bodies:
        forms += _forms(inspect.type_info(body), told=False, seen=set())

    assert len(forms) > 50
    assert [pattern for pattern, told in forms if not told] == []


def _forms(outer: Any, *, told: bool, seen: set[Any]) -> Iterator[tuple[str, bool]]:
    """Yield each pattern within a type, and whether it is told in words."""
    if isinstance(outer, tuple):
        each: Any
        for each in outer:
            yield from _forms(each, told=told, seen=seen)
    elif isinstance(outer, inspect.StrType):
        if outer.pattern is not None:
            yield outer.pattern, told
    elif isinstance(outer, inspect.Metadata):
        extra: Any = cast("Any", outer).extra or {}
        yield from _forms(outer.type, told=told or "expected" in extra, seen=seen)
    elif isinstance(outer, inspect.StructType):
        if outer.cls not in seen:
            seen.add(outer.cls)
            yield from _forms(tuple(field.type for field in outer.fields), told=False, seen=seen)
    elif isinstance(outer, inspect.Type):
        inner = tuple(getattr(outer, name) for name in outer.__struct_fields__)
        yield from _forms(inner, told=told, seen=seen)


async def test_an_unknown_parameter_is_refused_with_those_that_there_are(ana: Person) -> None:
    alike = refused(await ana.get("/task?asignee=none"), 422, "invalid_request")
    other = refused(await ana.get("/team?zzzz=1"), 422, "invalid_request")

    assert alike["errors"] == [
        {"path": "asignee", "message": "Unknown parameter. Did you mean `assignee`?"}
    ]
    assert other["errors"][0]["message"].startswith("Unknown parameter. Here you can use `")
