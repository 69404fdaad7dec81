"""A response tells what a limit leaves if its request was counted, and only then."""

from typing import Any

import pytest
from litestar import Litestar

from api.http.policy import POLICY, RATE, Open, handlers_of
from runtime.rate_limit import parse_rate_limits
from tests.api.conftest import Make
from tests.api.stage import Person, client_of

NAMES = ("account", "api", "failures", "login", "organization", "refresh", "register")
NOWHERE = "00000000-0000-0000-0000-000000000001"
NOBODY = {"email": "nobody@example.com", "password": "wrong"}


@pytest.fixture
def limited(make_app: Make) -> Litestar:
    limits = ",".join(f"{name}=1000/60" for name in NAMES)
    return make_app(rate_limits=parse_rate_limits(limits))


@pytest.mark.parametrize(
    ("request_line", "body", "counted"),
    [
        ("POST /api/auth/login", NOBODY, (401, "login")),
        ("POST /api/auth/refresh-token", None, (401, "refresh")),
        ("POST /api/auth/register", {"email": 1}, (422, "register")),
        ("POST /api/invitations/preview", {"token": "made-up"}, (409, "register")),
        (f"GET /api/project/{NOWHERE}", None, (404, "api")),
        ("GET /api/task/ENG-1", None, (404, "api")),
        ("GET /api/task/ENG-1?unknown=1", None, (422, "api")),
        ("POST /api/project", {"name": 1}, (422, "api")),
    ],
)
async def test_a_refused_request_that_was_counted_tells_what_is_left(
    limited: Litestar, ana: Person, request_line: str, body: Any, counted: tuple[int, str]
) -> None:
    (method, path), (status, limit) = request_line.split(" "), counted
    headers = {"authorization": f"Bearer {ana.token}"} if limit == "api" else {}
    async with client_of(limited) as client:
        answer = await client.request(method, path, json=body, headers=headers)

    assert answer.status_code == status
    assert answer.headers["ratelimit-policy"] == f'"{limit}";q=1000;w=60'
    assert answer.headers["ratelimit"].startswith(f'"{limit}";r=9')


@pytest.mark.parametrize(
    ("request_line", "body", "status"),
    [
        ("GET /api/user/me", None, 401),
        ("GET /api/nothing-here", None, 404),
        ("PUT /api/user/me", None, 405),
        ("OPTIONS /api/user/me", None, 204),
        ("POST /api/auth/login", {"email": 1}, 422),
    ],
)
async def test_a_request_that_was_not_counted_has_no_such_header(
    limited: Litestar, request_line: str, body: Any, status: int
) -> None:
    method, path = request_line.split(" ")
    async with client_of(limited) as client:
        answer = await client.request(method, path, json=body)

    assert answer.status_code == status
    assert "ratelimit" not in answer.headers
    assert "ratelimit-policy" not in answer.headers


async def test_health_and_documents_are_not_limited(limited: Litestar) -> None:
    without: set[str] = set()
    async with client_of(limited) as client:
        for path, method, handler in handlers_of(limited):
            if method == "GET" and handler.opt[POLICY] is Open.PUBLIC:
                if handler.opt[RATE] == "sso":  # the steps of a login, which browsers take by GET
                    continue
                assert handler.opt[RATE] is None
                answer = await client.get(path.replace("{mail_id}", NOWHERE))
                assert "ratelimit" not in answer.headers
                without.add(path)

    assert {"/api/health", "/api/docs", "/api/openapi.json", "/metrics"} <= without
