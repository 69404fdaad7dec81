"""What applies to every response: headers, request ids, limits, the access log."""

import asyncio
import json
import re
from typing import Any

import pytest
from litestar import Litestar

from api.http.access_log import AccessLog
from api.http.policy import AllowedMethods, handlers_of
from runtime.rate_limit import parse_rate_limits
from tests.api.conftest import Make
from tests.api.stage import DEADLINE_S, Person, client_of, done, refused

PATHS = [
    ("GET", "/api/health", 200),
    ("GET", "/api/nope", 404),
    ("GET", "/", 404),
    ("PUT", "/api/project", 405),
    ("TRACE", "/api/project", 405),
    ("GET", "/api/project", 401),
    ("POST", "/api/auth/login", 422),
    ("GET", "/api/openapi.json", 200),
    ("GET", "/api/docs", 200),
    ("OPTIONS", "/api/project", 204),
    ("OPTIONS", "/api/nope", 404),
    ("HEAD", "/api/health", 200),
    ("HEAD", "/api/nope", 404),
]


@pytest.mark.parametrize(("method", "path", "status"), PATHS)
async def test_every_response_has_the_security_headers(
    app: Litestar, method: str, path: str, status: int
) -> None:
    async with client_of(app) as client:
        response = await client.request(method, path)

    assert response.status_code == status
    headers = response.headers
    assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["vary"] == "Origin"
    assert len(headers["x-request-id"]) == 32
    assert "server" not in headers
    names = [name for name, _ in headers.raw]
    assert len(names) == len(set(names))


class TestRequestId:
    async def test_a_valid_request_id_is_echoed_and_an_invalid_one_replaced(
        self, app: Litestar
    ) -> None:
        async with client_of(app) as client:
            for asked, kept in (
                ("my-request.42_x", True),
                ("x", True),
                ("x" * 64, True),
                ("x" * 65, False),
                ("", False),
                ("with space in it", False),
                ("a/b", False),
                ("a:b", False),
                ("M\u00fcller", False),
                ('in"jected-header', False),
            ):
                response = await client.get("/api/nope", headers={b"x-request-id": asked.encode()})
                assert (response.headers["x-request-id"] == asked) is kept
                refused(response, 404, "not_found")

    async def test_the_request_id_is_recorded_with_the_event(
        self, ana: Person, system: Any
    ) -> None:
        from uuid import UUID

        headers = {"x-request-id": "ask-for-me-later", "user-agent": "a" * 600}
        body = {"key": "ENG", "name": "Engine"}
        project = done(await ana.post("/project", body, headers=headers), 201)

        (recorded,) = await system.log.stream(UUID(project["id"]), UUID(ana.org_id))

        assert recorded.metadata.request_id == "ask-for-me-later"
        assert recorded.metadata.origin

    async def test_a_correlation_id_is_recorded_and_answered(
        self, ana: Person, system: Any
    ) -> None:
        from uuid import UUID

        headers = {"x-correlation-id": "spring-cleaning"}
        body = {"key": "ENG", "name": "Engine"}
        response = await ana.post("/project", body, headers=headers)
        project = done(response, 201)

        (recorded,) = await system.log.stream(UUID(project["id"]), UUID(ana.org_id))

        assert response.headers["x-correlation-id"] == "spring-cleaning"
        assert recorded.metadata.correlation == "spring-cleaning"

    async def test_without_one_the_request_id_is_the_correlation_id(self, ana: Person) -> None:
        body = {"key": "ENG", "name": "Engine"}
        response = await ana.post("/project", body, headers={"x-correlation-id": "no good id"})
        key = {"idempotency-key": "once"}
        first = await ana.post("/label", {"name": "Bug", "color": "#ff0000"}, headers=key)
        again = await ana.post("/label", {"name": "Bug", "color": "#ff0000"}, headers=key)

        [event] = done(await ana.get("/audit?type=project.created"), 200)["items"]

        assert response.headers["x-correlation-id"] == response.headers["x-request-id"]
        assert event["correlationId"] == event["requestId"] == response.headers["x-request-id"]
        assert "x-correlation-id" in first.headers
        assert "x-correlation-id" not in again.headers, "its events have that of the first"


class TestMethods:
    async def test_head_answers_as_get_without_content(self, ana: Person) -> None:
        await ana.task(await ana.project())
        for path in ("/task/ENG-1", "/project", "/user/me", "/task/ENG-2", "/openapi.json"):
            got, head = await ana.get(path), await ana.ask("HEAD", path)

            assert head.content == b""
            assert head.status_code == got.status_code
            assert head.headers.keys() == got.headers.keys()
            assert head.headers["content-length"] == got.headers["content-length"]

    @pytest.mark.parametrize(
        ("path", "methods"),
        [
            ("/api/project", "GET, HEAD, POST, OPTIONS"),
            ("/api/task/ENG-1", "GET, HEAD, PATCH, DELETE, OPTIONS"),
            ("/api/task/bulk", "POST, OPTIONS"),
            ("/api/auth/login", "POST, OPTIONS"),
            ("/api/webhook/events", "GET, HEAD, OPTIONS"),
            ("/health", "GET, HEAD, OPTIONS"),
        ],
    )
    async def test_options_and_allow_name_the_methods_of_the_path(
        self, app: Litestar, path: str, methods: str
    ) -> None:
        async with client_of(app) as client:
            options = await client.options(path)
            refusal = await client.put(path)

        assert options.status_code == 204
        refused(refusal, 405, "method_not_allowed")
        assert options.headers["allow"] == refusal.headers["allow"] == methods

    def test_every_route_is_among_the_methods_of_its_path(self, app: Litestar) -> None:
        allowed = AllowedMethods(app)
        for path, method, _ in handlers_of(app):
            filled = re.sub(r"\{\w+_id\}", "00000000-0000-0000-0000-000000000001", path)

            assert method in allowed.of(re.sub(r"\{\w+\}", "x", filled)), (method, path)


class TestCors:
    async def test_cors_headers_name_only_listed_origins(self, app: Litestar) -> None:
        async with client_of(app) as client:
            for origin in (
                "https://evil.example",
                "null",
                "http://localhost:51730",
                "http://localhost:5173.evil.example",
                "https://localhost:5173",
                "http://LOCALHOST:5173",
                "*",
            ):
                response = await client.get("/api/health", headers={"origin": origin})
                assert "access-control-allow-origin" not in response.headers
                assert response.headers["vary"] == "Origin"

            response = await client.get("/api/nope", headers={"origin": "http://localhost:5173"})
        assert response.headers["access-control-allow-origin"] == "http://localhost:5173"
        assert response.headers["access-control-allow-credentials"] == "true"
        exposed = response.headers["access-control-expose-headers"].split(", ")
        assert {"Allow", "Content-Disposition", "WWW-Authenticate", "RateLimit"} <= set(exposed)

    async def test_preflights_of_listed_origins_are_answered(self, app: Litestar) -> None:
        asked = {"access-control-request-method": "PATCH"}
        async with client_of(app) as client:
            mine = await client.options(
                "/api/task/ENG-1", headers={"origin": "http://localhost:5173", **asked}
            )
            others = await client.options(
                "/api/project", headers={"origin": "https://evil.example", **asked}
            )

        assert mine.status_code == others.status_code == 204
        allowed = "GET, HEAD, PATCH, DELETE, OPTIONS"
        assert mine.headers["access-control-allow-methods"] == allowed
        assert "If-Match" in mine.headers["access-control-allow-headers"]
        assert not [name for name in others.headers if name.startswith("access-control")]


class TestRateLimits:
    async def test_logins_are_limited_by_address(self, make_app: Make) -> None:
        body = {"email": "nobody@example.com", "password": "wrong"}
        async with client_of(make_app(rate_limits=parse_rate_limits("login=2/60"))) as client:
            for _ in range(2):
                assert (await client.post("/api/auth/login", json=body)).status_code == 401
            response = await client.post("/api/auth/login", json=body)
            assert (await client.get("/api/health")).status_code == 200

        refused(response, 429, "rate_limited")
        assert response.headers["retry-after"] == "30"
        assert response.headers["ratelimit-policy"] == '"login";q=2;w=60'
        assert response.headers["ratelimit"] == '"login";r=0;t=30'

    async def test_other_requests_are_limited_by_user(self, make_app: Make, ana: Person) -> None:
        limited = make_app(rate_limits=parse_rate_limits("api=3/60"))
        async with client_of(limited) as client:
            headers = {"authorization": f"Bearer {ana.token}"}
            answers = [await client.get("/api/user/me", headers=headers) for _ in range(4)]

        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        left = [answer.headers["ratelimit"].split(";")[1] for answer in answers]
        assert left == ["r=2", "r=1", "r=0", "r=0"]
        assert all(answer.headers["ratelimit-policy"] == '"api";q=3;w=60' for answer in answers)


class TestAccessLog:
    async def test_a_line_waits_for_no_other(self) -> None:
        written = asyncio.Queue[bytes]()

        AccessLog(written.put_nowait).add("GET", "/api/project", 200, 0.01, "id-1")

        async with asyncio.timeout(DEADLINE_S):
            assert json.loads(await written.get())["requestId"] == "id-1"

    def test_the_access_log_has_one_valid_line_per_request(self) -> None:
        written: list[bytes] = []

        async def request() -> None:
            log = AccessLog(written.append)
            log.add("GET", '/api/"x"\r\n\x1b[31m', 404, 0.00123, "id-1")
            log.add("POST", "/api/project", 201, 0.01, "id-2")
            log.flush()

        asyncio.run(request())

        lines = [json.loads(line) for line in b"".join(written).splitlines()]
        assert [line["requestId"] for line in lines] == ["id-1", "id-2"]
        assert lines[0]["path"] == '/api/"x"\r\n\x1b[31m'
        assert lines[0]["ms"] == 1.23
