"""The webhook client and receivers that answer oddly, endlessly or not at all."""

import asyncio

import pytest

from deliveries.client import ANSWER_BYTES_MAX, EXCERPT_BYTES_MAX, WebhookClient
from deliveries.dialing import FailureKind
from tests.deliveries.receiver import Receiver, Reply
from tests.deliveries.sending import JSON, failure_of


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_is_not_followed(
    receiver: Receiver, client: WebhookClient, status: int
) -> None:
    receiver.answer_with(Reply(status=status, headers={"Location": "http://127.0.0.1:1/"}))

    answer = await client.post("endpoint", receiver.url, JSON, b"{}")

    assert answer.status == status
    assert answer.headers["location"] == "http://127.0.0.1:1/"
    assert len(receiver.requests) == 1


async def test_cookies_are_neither_kept_nor_sent_back(
    receiver: Receiver, client: WebhookClient
) -> None:
    receiver.answer_with(Reply(headers={"Set-Cookie": "a=b"}))

    answer = await client.post("endpoint", receiver.url, JSON, b"{}")
    await client.post("endpoint", receiver.url, JSON, b"{}")

    assert "set-cookie" not in answer.headers
    assert "cookie" not in receiver.requests[1].headers


async def test_a_proxy_named_in_the_environment_is_ignored(
    receiver: Receiver, client: WebhookClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    answer = await client.post("endpoint", receiver.url, JSON, b"{}")

    assert answer.status == 200


async def test_a_compressed_answer_is_not_decoded(
    receiver: Receiver, client: WebhookClient
) -> None:
    receiver.answer_with(Reply(headers={"Content-Encoding": "gzip"}, body=b"\x1f\x8bnot gzip"))

    answer = await client.post("endpoint", receiver.url, JSON, b"{}")

    assert answer.excerpt == b"\x1f\x8bnot gzip"


async def test_only_the_beginning_of_a_long_answer_is_kept(
    receiver: Receiver, client: WebhookClient
) -> None:
    body = bytes(range(256)) * 64
    receiver.answer_with(Reply(body=body))

    answer = await client.post("endpoint", receiver.url, JSON, b"{}")
    await client.post("endpoint", receiver.url, JSON, b"{}")

    assert answer.excerpt == body[:EXCERPT_BYTES_MAX]
    assert receiver.connections == 1


@pytest.mark.parametrize("reply", [Reply(endless=True), Reply(body=bytes(4 * ANSWER_BYTES_MAX))])
async def test_an_endless_answer_is_cut_and_its_connection_dropped(
    receiver: Receiver, client: WebhookClient, reply: Reply
) -> None:
    receiver.answer_with(reply, Reply())

    answer = await client.post("endpoint", receiver.url, JSON, b"{}")
    following = await client.post("endpoint", receiver.url, JSON, b"{}")

    assert answer.excerpt == bytes(EXCERPT_BYTES_MAX)
    assert following.excerpt == b"ok"
    assert [request.connection for request in receiver.requests] == [1, 2]


async def test_many_and_long_answer_headers_are_bounded(
    receiver: Receiver, client: WebhookClient
) -> None:
    headers = {f"X-{n}": "v" * 2000 for n in range(40)} | {f"Y-{n}": "v" for n in range(100)}
    receiver.answer_with(Reply(headers=headers))

    answer = await client.post("endpoint", receiver.url, JSON, b"{}")

    assert len(answer.headers) <= 64
    assert max(len(value) for value in answer.headers.values()) == 1024


@pytest.mark.parametrize(
    "reply",
    [
        Reply(delay_s=30),
        Reply(drip=True, body=bytes(10_000)),
        Reply(raw=b"HTTP/1.1 100 Continue\r\n\r\n" * 10),
        Reply(headers={"Content-Length": "1000"}, body=b"less"),
    ],
    ids=["silent", "dripping", "only interim answers", "shorter than promised"],
)
async def test_the_deadline_covers_the_whole_answer(
    receiver: Receiver, hasty: WebhookClient, reply: Reply
) -> None:
    receiver.answer_with(reply, Reply())

    failure = await failure_of(hasty, receiver.url)
    following = await hasty.post("endpoint", receiver.url, JSON, b"{}")

    assert failure.kind in {FailureKind.TIMEOUT, FailureKind.PROTOCOL}
    assert (reply.raw is None) == (failure.kind is FailureKind.TIMEOUT)
    assert following.status == 200


async def test_a_success_whose_body_stalls_is_no_success_but_its_status_is_known(
    receiver: Receiver, hasty: WebhookClient
) -> None:
    receiver.answer_with(Reply(drip=True, body=bytes(10_000)))

    failure = await failure_of(hasty, receiver.url)

    assert (failure.kind, failure.status) == (FailureKind.TIMEOUT, 200)


async def test_a_refusal_whose_body_stalls_is_that_refusal(
    receiver: Receiver, hasty: WebhookClient
) -> None:
    receiver.answer_with(
        Reply(status=429, headers={"Retry-After": "60"}, drip=True, body=bytes(10_000))
    )

    answer = await hasty.post("endpoint", receiver.url, JSON, b"{}")

    assert (answer.status, answer.headers["retry-after"]) == (429, "60")


async def test_a_slow_endpoint_does_not_hold_up_another(
    receiver: Receiver, client: WebhookClient
) -> None:
    receiver.answer_by(lambda request: Reply(delay_s=30 if request.body == b"slow" else 0))

    slow = asyncio.create_task(client.post("slow", receiver.url, JSON, b"slow"))
    await receiver.wait_for(1)
    answers = [await client.post("quick", receiver.url, JSON, b"{}") for _ in range(20)]

    assert {answer.status for answer in answers} == {200}
    assert not slow.done()
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow


NOT_HTTP = {
    "nothing": b"",
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "no status": b"HTTP/1.1 two hundred\r\n\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nX",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "long head": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000,
}


@pytest.mark.parametrize("raw", NOT_HTTP.values(), ids=NOT_HTTP.keys())
async def test_a_response_that_is_not_http_is_a_protocol_failure(
    receiver: Receiver, client: WebhookClient, raw: bytes
) -> None:
    receiver.answer_with(Reply(raw=raw))

    failure = await failure_of(client, receiver.url)

    assert failure.kind is FailureKind.PROTOCOL


async def test_a_receiver_that_hangs_up_is_a_protocol_failure_and_the_next_send_succeeds(
    receiver: Receiver, client: WebhookClient
) -> None:
    receiver.answer_with(Reply(), Reply(hang_up=True), Reply())

    await client.post("endpoint", receiver.url, JSON, b"{}")
    failure = await failure_of(client, receiver.url)
    following = await client.post("endpoint", receiver.url, JSON, b"{}")

    assert failure.kind is FailureKind.PROTOCOL
    assert following.status == 200


async def test_a_connection_the_receiver_closed_when_idle_is_replaced(
    receiver: Receiver, client: WebhookClient
) -> None:
    receiver.answer_with(Reply(headers={"Connection": "close"}))

    answers = [await client.post("endpoint", receiver.url, JSON, b"{}") for _ in range(3)]

    assert {answer.status for answer in answers} == {200}
    assert receiver.connections == 3


async def test_a_closed_port_is_a_connect_failure(client: WebhookClient) -> None:
    async with Receiver() as gone:
        url = gone.url

    failure = await failure_of(client, url)

    assert failure.kind is FailureKind.CONNECT


async def test_closing_the_client_fails_a_send_under_way(
    receiver: Receiver, client: WebhookClient
) -> None:
    receiver.answer_with(Reply(delay_s=30))

    under_way = asyncio.create_task(failure_of(client, receiver.url))
    await receiver.wait_for(1)
    await client.aclose()
    failure = await under_way

    assert failure.kind is FailureKind.PROTOCOL
    assert failure.reason.endswith("the connection was lost")
