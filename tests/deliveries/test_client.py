"""The webhook client and a receiver that behaves."""

import asyncio

import pytest

from deliveries.client import RESERVED_HEADERS, WebhookClient
from deliveries.dialing import FailureKind
from security.url_guard import UrlGuard
from tests.deliveries.receiver import Receiver, Reply
from tests.deliveries.sending import JSON, LOOPBACK, failure_of


async def test_a_post_arrives_unchanged_and_its_response_is_returned(
    receiver: Receiver, client: WebhookClient
) -> None:
    receiver.answer_with(Reply(status=202, headers={"Retry-After": "7"}, body=b"thanks"))

    answer = await client.post(
        "endpoint", receiver.url + "?a=b", {"webhook-id": "evt_1", **JSON}, b'{"a": "\xc3\xa9"}'
    )

    [request] = receiver.requests
    assert (request.method, request.path) == ("POST", "/hook?a=b")
    assert request.body == b'{"a": "\xc3\xa9"}'
    assert request.headers == {
        "host": f"127.0.0.1:{receiver.port}",
        "user-agent": "Trackrecord-Webhooks/1",
        "accept-encoding": "identity",
        "content-length": str(len(request.body)),
        "content-type": "application/json",
        "webhook-id": "evt_1",
    }
    assert (answer.status, answer.excerpt, answer.ip) == (202, b"thanks", "127.0.0.1")
    assert answer.headers == {"retry-after": "7", "content-length": "6"}
    assert answer.duration_ms >= 0


async def test_an_endpoint_keeps_its_connection_and_shares_it_with_no_other(
    receiver: Receiver, client: WebhookClient
) -> None:
    for endpoint in ("one", "two", "one", "two", "one"):
        await client.post(endpoint, receiver.url, JSON, b"{}")

    assert [request.connection for request in receiver.requests] == [1, 2, 1, 2, 1]


async def test_sends_of_one_endpoint_run_side_by_side(
    receiver: Receiver, client: WebhookClient
) -> None:
    everyone_is_here = asyncio.Event()
    receiver.answer_with(Reply(after=everyone_is_here))

    sends = [client.post("endpoint", receiver.url, JSON, b"{}") for _ in range(8)]
    answers = asyncio.gather(*sends)
    await receiver.wait_for(8)
    everyone_is_here.set()
    await answers

    assert receiver.connections == 8


async def test_the_least_recently_used_connection_is_closed_beyond_the_limit(
    receiver: Receiver,
) -> None:
    async with WebhookClient(UrlGuard([LOOPBACK]), lines_max=2) as client:
        for endpoint in ("one", "two", "one", "three", "one", "two"):
            await client.post(endpoint, receiver.url, JSON, b"{}")

    assert [request.connection for request in receiver.requests] == [1, 2, 1, 3, 1, 4]


async def test_an_old_connection_is_replaced_so_that_a_receiver_may_move(
    receiver: Receiver, client: WebhookClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.post("endpoint", receiver.url, JSON, b"{}")
    await client.post("endpoint", receiver.url, JSON, b"{}")
    monkeypatch.setattr("deliveries.client.LINE_AGE_S_MAX", 0.0)
    await client.post("endpoint", receiver.url, JSON, b"{}")

    assert [request.connection for request in receiver.requests] == [1, 1, 2]


async def test_idle_connections_of_other_endpoints_are_closed_in_passing(
    receiver: Receiver, client: WebhookClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for endpoint in ("one", "two", "three"):
        await client.post(endpoint, receiver.url, JSON, b"{}")
    monkeypatch.setattr("deliveries.client.KEEP_IDLE_S", 0.0)
    await client.post("three", receiver.url, JSON, b"{}")

    async with asyncio.timeout(30):
        while receiver.open_connections > 1:  # noqa: ASYNC110 - closed by the peer, no event
            await asyncio.sleep(0.01)


async def test_a_send_under_way_survives_its_connection_falling_off_the_list(
    receiver: Receiver,
) -> None:
    fallen = asyncio.Event()
    receiver.answer_by(lambda request: Reply(after=fallen if request.body == b"slow" else None))

    async with WebhookClient(UrlGuard([LOOPBACK]), lines_max=1) as client:
        slow = asyncio.create_task(client.post("slow", receiver.url, JSON, b"slow"))
        await receiver.wait_for(1)
        await client.post("other", receiver.url, JSON, b"quick")
        fallen.set()
        answer = await slow
        await client.post("slow", receiver.url, JSON, b"quick")

    assert answer.status == 200
    assert [request.connection for request in receiver.requests] == [1, 2, 3]


@pytest.mark.parametrize("name", [*sorted(RESERVED_HEADERS), "HOST", "Content-Length"])
async def test_a_reserved_header_is_refused(
    receiver: Receiver, client: WebhookClient, name: str
) -> None:
    failure = await failure_of(client, receiver.url, {name: "1"})

    assert failure.kind is FailureKind.PROTOCOL
    assert receiver.connections == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X", "a\r\nHost: redis"), ("X", "a\nb"), ("X", "a\x00b"), ("X\r\nY", "a"), ("X Y", "a"),
        ("", "a"), ("X:", "a"), ("X", "é"), ("Ü", "a"), ("X", " a"),
    ],
)  # fmt: skip
async def test_a_header_cannot_inject_another(
    receiver: Receiver, client: WebhookClient, name: str, value: str
) -> None:
    failure = await failure_of(client, receiver.url, {name: value})

    assert failure.kind is FailureKind.PROTOCOL
    assert receiver.requests == []


async def test_a_refused_url_opens_no_socket(client: WebhookClient) -> None:
    failure = await failure_of(client, "https://169.254.169.254/latest/meta-data/")

    assert failure.kind is FailureKind.REFUSED_URL
