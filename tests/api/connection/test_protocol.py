"""Bounds on what a connection may send and on how long it may take, on real sockets."""

import asyncio
import json
from ipaddress import ip_network
from typing import Any

import pytest
from litestar import Litestar

from tests.api.connection.serving import HEALTH, eventually, serving

pytestmark = pytest.mark.servers

ENDLESS = b"x" * 65_536


def problem(response: tuple[int, dict[str, str], bytes], status: int, code: str) -> Any:
    """Return the problem of a response that the server itself gave, and check its headers."""
    found, headers, body = response
    said = json.loads(body)
    assert (found, said["status"], said["code"]) == (status, status, code)
    assert said["requestId"] == headers["x-request-id"]
    assert headers["content-type"] == "application/problem+json"
    assert headers["connection"] == "close"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["strict-transport-security"].startswith("max-age=")
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "server" not in headers
    return said


class TestHead:
    @pytest.mark.parametrize(
        ("sent", "status", "code"),
        [
            (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 32_768, 431, "headers_too_large"),
            (b"GET / HTTP/1.1\r\n" + b"X: %b\r\n" % (b"y" * 999) * 40, 431, "headers_too_large"),
            (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 102, 431, "too_many_headers"),
            (b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n" % (b"y" * 8192), 414, "url_too_long"),
            (b"GET /" + b"y" * 40_000, 414, "url_too_long"),
            (b"\r\n" * 20_000, 431, "headers_too_large"),
            (b"nonsense\r\n\r\n", 400, "malformed_request"),
            (b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed_request"),
            (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400, "malformed_request"),
            (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, "malformed_request"),
        ],
    )
    async def test_a_head_beyond_its_bounds_is_refused(
        self, app: Litestar, sent: bytes, status: int, code: str
    ) -> None:
        async with serving(app) as served, served.client() as client:
            problem(await client.ask(sent), status, code)
            assert await client.rest() == b""

    async def test_a_head_may_be_as_large_as_its_bounds(self, app: Litestar) -> None:
        lines = b"".join(b"X-%d: %b\r\n" % (n, b"y" * 300) for n in range(99))
        path = b"/api/health?" + b"y" * 8_000
        async with serving(app) as served, served.client() as client:
            head = b"GET /api/health HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n"
            assert (await client.ask(head))[0] == 200
            long = b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % path
            assert (await client.ask(long))[0] == 422
            for byte in HEALTH:
                await client.send(bytes([byte]))
            assert (await client.response())[0] == 200

    async def test_a_head_has_to_arrive_in_time(self, app: Litestar) -> None:
        async with serving(app, head_s=0.05) as served:
            async with served.client() as silent:
                assert await silent.rest() == b""
            async with served.client() as slow:
                problem(await slow.ask(b"GET / HT"), 408, "request_timeout")
            async with served.client() as second:
                assert (await second.ask(HEALTH))[0] == 200
                problem(await second.ask(b"\r\n"), 408, "request_timeout")

    async def test_a_request_needs_exactly_one_host(self, app: Litestar) -> None:
        async with serving(app) as served:
            for lines in (b"", b"Host: a\r\nHost: a\r\n", b"Host: a b\r\n", b"Host:\r\n"):
                async with served.client() as client:
                    head = b"GET /api/project HTTP/1.1\r\n%b\r\n" % lines
                    problem(await client.ask(head), 400, "malformed_request")
            async with served.client() as old:
                assert (await old.ask(b"GET /api/health HTTP/1.0\r\n\r\n"))[0] == 200

    async def test_a_request_to_upgrade_is_served_without_it(self, app: Litestar) -> None:
        head = HEALTH[:-2] + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"
        async with serving(app) as served, served.client() as client:
            assert (await client.ask(head))[0] == 200


class TestContent:
    HEAD = b"POST /api/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"

    async def test_chunked_content_may_have_few_trailers_which_count_for_nothing(
        self, app: Litestar
    ) -> None:
        head = self.HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
        async with serving(app) as served:
            async with served.client() as client:
                assert (await client.ask(head + b"Host: evil\r\n\r\n"))[0] == 422
                assert (await client.ask(HEALTH))[0] == 200
            async with served.client() as client:
                await client.send(head)
                await client.send(b"X: " + ENDLESS)
                problem(await client.ask(ENDLESS), 431, "headers_too_large")
            async with served.client() as client:
                chunk = self.HEAD + b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n"
                problem(await client.ask(chunk), 400, "malformed_request")

    async def test_content_is_read_in_whatever_pieces_it_comes(self, app: Litestar) -> None:
        body = b'{"email": "a@example.com", "password": "%b"}' % (b"x" * 200_000)
        chunks = b"".join(
            b"%x\r\n%b\r\n" % (len(body[at : at + 7]), body[at : at + 7])
            for at in range(0, len(body), 7)
        )
        head = self.HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
        async with serving(app) as served, served.client() as client:
            status, _, said = await client.ask(head + chunks + b"0\r\n\r\n")
            assert (status, json.loads(said)["code"]) == (422, "invalid_request")
            assert (await client.ask(HEALTH))[0] == 200


class TestPipelining:
    async def test_pipelined_requests_are_answered_in_order_before_a_refusal(
        self, app: Litestar
    ) -> None:
        async with serving(app, pipelined=3) as served:
            async with served.client() as client:
                await client.send(HEALTH * 3 + b"nonsense\r\n\r\n" + HEALTH)
                for _ in range(3):
                    assert (await client.response())[0] == 200
                problem(await client.response(), 400, "malformed_request")
                assert await client.rest() == b""
            async with served.client() as client:
                await client.send(HEALTH * 50)
                for _ in range(4):
                    assert (await client.response())[0] == 200
                problem(await client.response(), 429, "too_many_pipelined")


class TestReading:
    async def test_a_client_that_reads_nothing_is_disconnected(self) -> None:
        async def endless(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while not served.server.should_exit and (await _gone(receive)) is False:
                await send({"type": "http.response.body", "body": ENDLESS, "more_body": True})

        async with serving(endless, write_s=0.05) as served, served.client() as client:
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a read transport too
            await client.send(HEALTH)
            await eventually(lambda: served.connections)
            await eventually(lambda: not served.connections)

    async def test_a_client_that_reads_gets_everything(self) -> None:
        async def large(scope: Any, receive: Any, send: Any) -> None:
            headers = [(b"content-length", b"%d" % (len(ENDLESS) * 200))]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            for left in reversed(range(200)):
                await send({"type": "http.response.body", "body": ENDLESS, "more_body": left > 0})

        async with serving(large) as served, served.client() as client:
            _, _, body = await client.ask(HEALTH)
            assert len(body) == len(ENDLESS) * 200


class TestConnections:
    async def test_connections_are_bounded_by_peer_and_in_all(self, app: Litestar) -> None:
        cases: list[tuple[dict[str, Any], int, str]] = [
            ({"connections_per_peer": 2}, 429, "too_many_connections"),
            ({"connections": 2}, 503, "busy"),
        ]
        for changed, status, code in cases:
            async with serving(app, **changed) as served, served.client() as first:
                async with served.client() as second:
                    await eventually(lambda: served.connections == 2)
                    async with served.client() as third:
                        response = await third.response()
                        problem(response, status, code)
                        assert int(response[1]["retry-after"]) > 0
                        assert await third.rest() == b""
                    assert (await first.ask(HEALTH))[0] == 200
                    assert (await second.ask(HEALTH))[0] == 200
                await eventually(lambda: served.connections == 1)
                async with served.client() as fourth:
                    assert (await fourth.ask(HEALTH))[0] == 200

    async def test_a_trusted_proxy_may_hold_the_connections_of_all_clients(
        self, app: Litestar
    ) -> None:
        us = (ip_network("127.0.0.0/8"),)
        async with (
            serving(app, us, connections_per_peer=1, connections=2) as served,
            served.client() as first,
            served.client() as second,
        ):
            for client in (first, second):
                assert (await client.ask(HEALTH))[0] == 200
            async with served.client() as third:  # the limit of all connections holds for it too
                problem(await third.response(), 503, "busy")


async def _gone(receive: Any) -> bool:
    try:
        async with asyncio.timeout(0):
            return bool((await receive())["type"] == "http.disconnect")
    except TimeoutError:
        return False
