"""What applies to every response: headers, request ids, body limits."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from ipaddress import ip_network
from typing import Any

import pytest
from litestar import Litestar

from api.http import edge
from api.http.access_log import AccessLog
from api.http.client_info import client_info_of
from api.http.policy import AllowedMethods, handlers_of
from runtime.rate_limit import parse_rate_limits
from tests.api.conftest import Make
from tests.api.stage import Person, client_of, done, refused

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


class TestBody:
    async def test_a_body_is_limited_with_and_without_content_length(self, ana: Person) -> None:
        big = json.dumps({"key": "ENG", "name": "x" * edge.BODY_BYTES_MAX}).encode()

        async def chunks() -> AsyncIterator[bytes]:
            for start in range(0, len(big), 65_536):
                yield big[start : start + 65_536]

        headers = {"content-type": "application/json"}
        for content in (big, chunks()):
            response = await ana.post("/project", content=content, headers=headers)
            refused(response, 413, "body_too_large")

    async def test_a_body_can_arrive_in_pieces(self, ana: Person) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            for piece in (b'{"key": "E', b'NG", "name"', b': "Engine"}'):
                yield piece

        response = await ana.post(
            "/project", content=chunks(), headers={"content-type": "application/json"}
        )

        done(response, 201)

    @pytest.mark.parametrize("kind", ["text/plain", "", "application/json; charset=latin1"])
    async def test_a_body_must_be_labelled_as_json(self, ana: Person, kind: str) -> None:
        response = await ana.post("/project", content=b"{}", headers={"content-type": kind})

        refused(response, 415, "unsupported_media_type")
        assert response.headers["accept"] == "application/json"

    @pytest.mark.parametrize(
        "kind",
        [
            "application/json;charset=UTF-8",
            'Application/JSON; charset="utf-8"; x=y',
            "application/json; x=y",
            "application/json;",
        ],
    )
    async def test_json_may_have_parameters(self, ana: Person, kind: str) -> None:
        body = b'{"key": "ENG", "name": "Engine"}'

        done(await ana.post("/project", content=body, headers={"content-type": kind}), 201)

    async def test_a_patch_may_be_a_merge_patch(self, ana: Person) -> None:
        await ana.task(await ana.project(), description="Slowly")
        headers = {"content-type": "application/merge-patch+json"}

        body = b'{"description": null}'
        patched = await ana.ask("PATCH", "/task/ENG-1", content=body, headers=headers)
        posted = await ana.post("/project", content=b"{}", headers=headers)
        other = await ana.ask(
            "PATCH", "/task/ENG-1", content=body, headers={"content-type": "text/plain"}
        )

        assert done(patched, 200)["description"] is None
        refused(posted, 415, "unsupported_media_type")
        refused(other, 415, "unsupported_media_type")
        assert other.headers["accept"] == "application/json, application/merge-patch+json"

    async def test_json_ends_with_a_newline_for_terminals(self, ana: Person) -> None:
        for path in ("/user/me", "/project", "/nope", "/openapi.json"):
            assert (await ana.get(path)).content.endswith(b"}\n")

    async def test_a_compressed_body_is_refused(self, ana: Person) -> None:
        headers = {"content-type": "application/json", "content-encoding": "gzip"}

        response = await ana.post("/project", content=b"x", headers=headers)

        refused(response, 415, "unsupported_encoding")
        assert response.headers["accept-encoding"] == "identity"

    async def test_a_body_must_arrive_in_time(
        self, app: Litestar, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(edge, "BODY_DEADLINE_S", 0.01)
        sent: list[Any] = []

        async def never() -> Any:
            await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [
            (b"host", b"a"),
            (b"content-length", b"10"),
            (b"content-type", b"application/json"),
        ]
        scope: Any = {
            "type": "http",
            "method": "POST",
            "path": "/api/auth/login",
            "headers": headers,
            "query_string": b"",
            "client": None,
            "http_version": "1.1",
        }
        await app.asgi_handler(scope, never, send)

        assert sent[0]["status"] == 408

    async def test_an_interrupted_body_gets_no_response(self, app: Litestar) -> None:
        sent: list[Any] = []

        async def gone() -> Any:
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope: Any = {
            "type": "http",
            "method": "POST",
            "path": "/api/auth/login",
            "headers": [(b"host", b"a"), (b"content-length", b"10")],
            "query_string": b"",
            "client": None,
            "http_version": "1.1",
        }
        await app.asgi_handler(scope, gone, send)

        assert sent == []


PROXIES = [ip_network("10.0.0.0/8"), ip_network("2001:db8:ffff::/48")]


class TestClientAddress:
    @pytest.mark.parametrize(
        ("peer", "forwarded", "address"),
        [
            ("192.0.2.1", [], "192.0.2.1"),
            ("192.0.2.1", ["1.2.3.4"], "192.0.2.1"),
            ("10.0.0.1", [], "10.0.0.1"),
            ("10.0.0.1", ["1.2.3.4"], "1.2.3.4"),
            ("10.0.0.1", ["6.6.6.6, 1.2.3.4, 10.0.0.2"], "1.2.3.4"),
            ("10.0.0.1", ["6.6.6.6", "1.2.3.4,10.0.0.2"], "1.2.3.4"),
            ("10.0.0.1", ["1.2.3.4", "10.0.0.2"], "1.2.3.4"),
            ("10.0.0.1", ["1.2.3.4:4711"], "1.2.3.4"),
            ("10.0.0.1", ["[2001:DB8:0::1]"], "2001:db8::1"),
            ("10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
            ("10.0.0.1", ["2001:db8:0:0::1"], "2001:db8::1"),
            ("10.0.0.1", ["::ffff:1.2.3.4"], "1.2.3.4"),
            ("10.0.0.1", ["1.2.3.4, ::ffff:10.0.0.2"], "1.2.3.4"),
            ("::ffff:10.0.0.1", ["1.2.3.4"], "1.2.3.4"),
            ("::ffff:192.0.2.1", [], "192.0.2.1"),
            ("2001:db8:ffff::1", ["1.2.3.4, [2001:db8:FFFF::2]:80"], "1.2.3.4"),
            ("10.0.0.1", ["nonsense, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", ["1.2.3.4, unknown"], "10.0.0.1"),
            ("10.0.0.1", ["1.2.3.4, "], "10.0.0.1"),
        ],
    )
    def test_the_client_address_is_the_peer_unless_a_trusted_proxy_names_another(
        self, peer: str, forwarded: list[str], address: str
    ) -> None:
        headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]

        assert client_info_of({"headers": headers, "client": (peer, 1)}, PROXIES).ip == address


class TestRepeatedHeaders:
    @pytest.mark.parametrize(
        "name",
        ["authorization", "content-type", "idempotency-key", "origin", "x-request-id", "host"],
    )
    async def test_a_header_that_holds_one_value_is_refused_if_repeated(
        self, ana: Person, name: str
    ) -> None:
        headers = [(name, "a"), (name, "b")]

        response = await ana.client.get("/api/project", headers=headers)

        assert name in refused(response, 400, "malformed_request")["detail"]

    def test_the_lines_of_any_other_header_are_one_list(self) -> None:
        lines = [(b"if-match", b'"1"'), (b"cookie", b"a=1"), (b"if-match", b'"2"')]
        lines += [(b"cookie", b"b=2")]

        headers = client_info_of({"headers": lines}, ()).headers

        assert headers == {b"if-match": b'"1", "2"', b"cookie": b"a=1; b=2"}

    def test_a_user_agent_keeps_its_letters(self) -> None:
        for agent, text in (("Brwsr/1 ✓ é".encode(), "Brwsr/1 ✓ é"), (b"caf\xe9", "café")):
            assert client_info_of({"headers": [(b"user-agent", agent)]}, ()).user_agent == text


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
