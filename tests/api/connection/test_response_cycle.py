"""How responses are written: heads checked and complete, and together with their content."""

import asyncio
import logging
from typing import Any

import pytest
from uvicorn.protocols.http.flow_control import FlowControl

from api.connection.response_cycle import HeaderUnsafe, ResponseCycle
from tests.api.connection.serving import serving

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Noted(asyncio.Transport):
    """A transport that notes what is written at once."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent.append(bytes(data))


def cycle_on(transport: Noted, method: str = "GET") -> ResponseCycle:
    logger = logging.getLogger(__name__)
    scope: Any = {"method": method, "http_version": "1.1"}
    return ResponseCycle(
        scope=scope,
        transport=transport,
        flow=FlowControl(transport),
        logger=logger,
        access_logger=logger,
        access_log=False,
        default_headers=[(b"date", b"today")],
        message_event=asyncio.Event(),
        expect_100_continue=False,
        keep_alive=True,
        on_response=lambda: None,
    )


def head(*headers: tuple[bytes, bytes], status: int = 200) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def content(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}


def length(of: int) -> tuple[bytes, bytes]:
    return b"content-length", b"%d" % of


async def test_a_head_goes_out_with_the_beginning_of_its_content() -> None:
    transport = Noted()
    cycle = cycle_on(transport)

    for message in (head(length(5)), content(b"abc", more=True), content(b"de")):
        await cycle.send(message)

    assert transport.sent == [
        b"HTTP/1.1 200 OK\r\ndate: today\r\ncontent-length: 5\r\n\r\nabc",
        b"de",
    ]
    assert cycle.response_complete


async def test_long_content_is_not_copied_behind_its_head() -> None:
    transport, long = Noted(), b"x" * 100_000

    cycle = cycle_on(transport)
    await cycle.send(head(length(len(long))))
    await cycle.send(content(long))

    assert [len(each) for each in transport.sent][1:] == [100_000]


async def test_a_head_that_promises_no_length_goes_out_at_once() -> None:
    transport = Noted()

    await cycle_on(transport).send(head())

    [sent] = transport.sent
    assert sent.endswith(b"\r\ntransfer-encoding: chunked\r\n\r\n")


async def test_responses_without_content_are_heads_alone() -> None:
    transport = Noted()
    as_head, nothing, empty = cycle_on(transport, "HEAD"), cycle_on(transport), cycle_on(transport)

    for cycle, begin in (
        (as_head, head(length(5))),
        (nothing, head(status=204)),
        (empty, head(length(0))),
    ):
        await cycle.send(begin)
        await cycle.send({"type": "http.response.body"})  # ASGI's defaults: no body, no more
        assert cycle.response_complete

    assert [each for each in transport.sent if each] == [
        b"HTTP/1.1 200 OK\r\ndate: today\r\ncontent-length: 5\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\ndate: today\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ndate: today\r\ncontent-length: 0\r\n\r\n",
    ]


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: b", b"a\nb", b"a\rb", b"a\0b", b"\x7f"])
async def test_a_header_field_with_control_characters_is_not_sent(value: bytes) -> None:
    transport = Noted()

    with pytest.raises(HeaderUnsafe):
        await cycle_on(transport).send(head((b"location", value), length(0)))

    assert transport.sent == []


@pytest.mark.parametrize(("promised", "sent"), [(2, b""), (4, b"abc")])
async def test_content_of_another_length_than_promised_ends_the_connection(
    promised: int, sent: bytes
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(head(length(promised)))
        await send(content(b"abc"))

    async with serving(app) as served, served.client() as client:
        await client.send(GET)
        answer = await client.rest()

    assert answer.partition(b"\r\n\r\n")[2] == sent


async def test_clients_of_http_1_0_are_told_that_the_connection_ends() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(head(length(3)))
        await send(content(b"abc"))

    async with serving(app) as served, served.client() as client:
        await client.send(GET.replace(b"1.1", b"1.0"))
        answer = await client.rest()

    assert b"\r\nconnection: close\r\n" in answer
    assert answer.endswith(b"\r\n\r\nabc")
