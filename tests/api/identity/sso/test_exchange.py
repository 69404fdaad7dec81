"""Requests to identity providers: guarded, short, small, and without redirects."""

from collections.abc import AsyncIterator
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any

import pytest

from api.login.sso.exchange import DOCUMENT_BYTES_MAX, Exchange, ProviderFailed
from security.url_guard import UrlGuard
from tests.deliveries.receiver import Receiver, Reply

GUARD = UrlGuard([ip_network("127.0.0.1/32")])


@pytest.fixture
async def provider() -> AsyncIterator[Receiver]:
    """Yield a server on a real socket that answers by script."""
    async with Receiver() as listening:
        yield listening


async def reason(asked: Any) -> str:
    """Return why a request failed."""
    with pytest.raises(ProviderFailed) as failed:
        await asked
    return failed.value.reason


async def test_a_document_is_read_whole(provider: Receiver) -> None:
    provider.answer_with(Reply(body=b"x" * DOCUMENT_BYTES_MAX))

    assert len(await Exchange(GUARD).get(provider.url)) == DOCUMENT_BYTES_MAX
    (asked,) = provider.requests
    assert asked.headers["accept-encoding"] == "identity"
    assert "cookie" not in asked.headers


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(body=b"x" * (DOCUMENT_BYTES_MAX + 1)), "provider_answer_too_large"),
        (Reply(endless=True), "provider_answer_too_large"),
        (Reply(delay_s=30), "provider_timeout"),
        (Reply(body=b"x" * 10_000, drip=True), "provider_timeout"),
        (Reply(hang_up=True), "provider_protocol"),
        (Reply(raw=b"not HTTP\r\n\r\n"), "provider_protocol"),
        (Reply(status=500), "provider_error"),
        (Reply(status=404), "provider_error"),
    ],
    ids=["huge", "endless", "hangs", "drips", "hangs up", "no HTTP", "500", "404"],
)
async def test_a_bad_answer_ends_soon(provider: Receiver, reply: Reply, expected: str) -> None:
    provider.answer_with(reply)

    assert await reason(Exchange(GUARD, deadline_s=1.0).get(provider.url)) == expected


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(provider: Receiver, status: int) -> None:
    async with Receiver() as inner:
        reply = Reply(status=status, headers={"Location": inner.url})
        provider.answer_with(reply)

        assert await reason(Exchange(GUARD).get(provider.url)) == "provider_redirects"
        posted = Exchange(GUARD).post(provider.url, {}, "client_secret=s")
        assert await reason(posted) == "provider_redirects"
        assert inner.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "http://id.example.com/",
        "https://id.example.com:8080/",
        "https://localhost./",
        "https://127.0.0.2/",
        "https://169.254.169.254/latest/meta-data",
        "https://user@id.example.com/",
        "https://id.example.com/#fragment",
        "ftp://id.example.com/",
        "https://intranet/",
        "https://2130706433/",
        "",
    ],
)
async def test_urls_that_webhooks_may_not_reach_are_refused(url: str) -> None:
    assert await reason(Exchange(GUARD).get(url)) == "provider_url_refused"


@pytest.mark.parametrize("address", ["127.0.0.2", "10.0.0.1", "169.254.169.254", "::1"])
async def test_a_name_that_leads_inside_is_refused(address: str) -> None:
    async def resolve(_host: str, _port: int) -> Any:
        return [IPv4Address("192.0.43.8"), ip_address(address)]

    exchange = Exchange(GUARD, resolve=resolve)
    assert await reason(exchange.get("https://id.example.com/")) == "provider_refused_url"


async def test_a_name_without_an_address_is_told_apart() -> None:
    async def resolve(_host: str, _port: int) -> Any:
        raise OSError("no such name")

    assert await reason(Exchange(GUARD, resolve=resolve).get("https://id.example.com/")) == (
        "provider_dns"
    )


async def test_a_server_that_is_down_is_told_apart() -> None:
    async with Receiver() as gone:
        url = gone.url

    assert await reason(Exchange(GUARD).get(url)) == "provider_connect"
