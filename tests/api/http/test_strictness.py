"""Input is decoded strictly, and no input causes a server error."""

import json
from typing import Any

import pytest
from litestar import Litestar

from tests.api.stage import Person, client_of, done, refused

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b'{"key": "ENG", "name": "E", "status": "ARCHIVED"}', "$.status"),
        (b'{"key": "ENG", "name": "E", "organizationId": null}', "$.organizationId"),
        (b'{"key": "ENG", "name": 3}', "$.name"),
        (b'{"key": "ENG", "name": ["E"]}', "$.name"),
        (b'{"key": "ENG", "name": "E", "leadId": "3"}', "$.leadId"),
        (b'{"key": "ENG", "name": "E", "name": "F"}', "$.name"),
        (b'{"key": "eng", "name": "E"}', "$.key"),
        (b'{"key": "ENG", "name": ""}', "$.name"),
        (b'{"key": "ENG"}', "$.name"),
        (b'[{"key": "ENG"}]', "$"),
        (b'"ENG"', "$"),
        (b"null", "$"),
        (b"", "$"),
        (b'{"key": "ENG", "name": "a\\u0000b"}', "$.name"),
        (b'{"key": "ENG", "name": "E", "description": "a\\u0000b"}', "$"),
    ],
)
async def test_invalid_values_are_refused_with_their_path(
    ana: Person, body: bytes, path: str
) -> None:
    response = await ana.post("/project", content=body, headers=JSON)

    problem = refused(response, 422, "invalid_request")
    assert problem["errors"][0]["path"] == path
    assert done(await ana.get("/project"), 200)["items"] == []


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"key": "ENG" "name": "E"}',
        b'\xff\xfe{"key": "ENG"}',
        b'{"key": "ENG", "name": "\xff"}',
        b'{"key": "ENG", "name": "\xed\xa0\x80"}',
        b'{"key": "ENG", "name": "\\ud800"}',
        b'{"key": "ENG", "name": "a\x00b"}',
        b"[" * 100_000,
        b'{"key":' * 100_000,
        b'{"key": "ENG", "name": "E"} x',
        b'{"key": "ENG", "name": NaN}',
        b"\x00",
    ],
)
async def test_a_body_that_is_not_json_is_refused(ana: Person, body: bytes) -> None:
    response = await ana.post("/project", content=body, headers=JSON)

    assert response.status_code in (400, 422)
    assert response.headers["content-type"] == "application/problem+json"


async def test_a_body_with_a_mistake_is_refused_with_its_place(ana: Person) -> None:
    comma = await ana.post("/project", content=b'{"key": "ENG",}', headers=JSON)
    nothing = await ana.post("/project", content=b"", headers=JSON)

    assert "comma in object (byte 14)" in refused(comma, 400, "malformed_request")["detail"]
    [error] = refused(nothing, 422, "invalid_request")["errors"]
    assert error == {"path": "$", "message": "Expected a body in JSON"}


@pytest.mark.parametrize("name", [" ", "\u200b", "two\nlines", "\x1b[2J", "\u202egnp.exe"])
async def test_names_and_titles_are_one_visible_line(ana: Person, app: Litestar, name: str) -> None:
    project = await ana.project()
    await ana.task(project)
    account = {"email": "a@example.com", "password": "violet-tractor-9-moon", "name": name}
    async with client_of(app) as client:
        responses = [
            await client.post("/api/auth/register", json=account),
            await ana.post("/org", {"name": name, "subdomain": "seen"}),
            await ana.patch(f"/org/{ana.org_id}", {"name": name}),
            await ana.post("/project", {"key": "OPS", "name": name}),
            await ana.patch(f"/project/{project['id']}", {"name": name}),
            await ana.post(f"/project/{project['id']}/tasks", {"title": name}),
            await ana.patch("/task/ENG-1", {"title": name}),
        ]

    for response in responses:
        problem = refused(response, 422, "invalid_request")
        assert problem["errors"][0]["message"].startswith("Expected one line of visible text")


@pytest.mark.parametrize("end", ["\n", "\u2028"])
async def test_keys_and_subdomains_have_no_line_break_at_their_end(ana: Person, end: str) -> None:
    for response in (
        await ana.post("/project", {"key": f"OPS{end}", "name": "Operations"}),
        await ana.post("/org", {"name": "Acme", "subdomain": f"another-acme{end}"}),
    ):
        assert response.status_code == 422


NASTY: list[Any] = [
    "",
    " ",
    "\u0000",
    "a\u0000b",
    "\u202e\u2066",
    "\ufeff",
    "😀" * 50,
    "x" * 400_000,
    "'; DROP TABLE events; --",
    "{$gt: 1}",
    {"$gt": ""},
    {"$where": "1"},
    ["x"],
    [],
    {},
    0,
    -1,
    1.5,
    1e308,
    2**63,
    10**400,
    True,
    None,
    "../../etc/passwd",
    "\r\nX-Injected: 1",
    "%s%n",
    "null",
    "1e999",
]


@pytest.mark.parametrize("value", NASTY, ids=lambda value: repr(value)[:20])
async def test_hostile_values_never_cause_a_500(ana: Person, value: Any) -> None:
    project = await ana.project()
    await ana.task(project)
    bodies: list[tuple[str, str, str]] = [
        ("POST", f"/project/{project['id']}/tasks", "title description priority parentId"),
        ("PATCH", "/task/ENG-1", "title description priority status"),
        ("POST", "/task/ENG-1/status", "status path"),
        ("POST", "/task/ENG-1/assignees", "userId"),
        ("POST", "/project", "key name description lead"),
        ("PATCH", f"/org/{ana.org_id}", "name subdomain"),
        ("PATCH", f"/org/{ana.org_id}/members/{ana.id}", "role active"),
        ("POST", "/webhook", "url events mode description fromSeq"),
        ("POST", "/auth/change-password", "currentPassword newPassword"),
    ]
    for method, path, fields in bodies:
        for field in fields.split():
            content = json.dumps({field: value}).encode()
            response = await ana.ask(method, path, content=content, headers=JSON)
            assert response.status_code < 500, (method, path, field, response.text)


async def test_hostile_headers_and_urls_never_cause_a_500(ana: Person) -> None:
    values = ["", "\x7f", "é", "x" * 5000, "'", "-1", "99999999999999999999", '"1"', "*", "a,b"]
    for name in ("if-match", "if-none-match", "x-min-position", "idempotency-key", "cookie"):
        for value in values:
            raw = {name.encode(): value.encode()}
            for method in ("GET", "POST"):
                response = await ana.ask(method, "/project", headers=raw)
                assert response.status_code < 500 or response.status_code == 503
    for path in ("/project/%ff", "/task/%00", "/task/..%2f", "/project?limit=%ff", "/a%20b"):
        assert (await ana.get(path)).status_code in (400, 404, 422)


class TestQuery:
    async def test_unknown_repeated_and_invalid_parameters_are_refused(self, ana: Person) -> None:
        for query in (
            "limit=0",
            "limit=101",
            "limit=ten",
            "status=DONE",
            "stauts=ACTIVE",
            "status=ACTIVE&status=ARCHIVED",
            "cursor=a%00b",
            "dry_run=true",
        ):
            problem = refused(await ana.get(f"/project?{query}"), 422, "invalid_request")
            assert problem["errors"]

    async def test_dry_run_must_be_true_or_false(self, ana: Person) -> None:
        body = {"key": "ENG", "name": "E"}

        refused(await ana.post("/project?dry_run=yes", body), 422, "invalid_request")
        done(await ana.post("/project?dry_run=false", body), 201)


async def test_login_refuses_values_of_other_types(app: Litestar) -> None:
    bodies: list[Any] = [{"email": 1, "password": 2}, {"email": "a"}, [], {"email": {"$ne": ""}}]
    async with client_of(app) as client:
        for body in bodies:
            response = await client.post("/api/auth/login", json=body)
            refused(response, 422, "invalid_request")
