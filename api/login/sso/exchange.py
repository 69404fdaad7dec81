"""Requests to identity providers: guarded like webhooks, because customers choose their URLs.

One deadline, an answer of limited size, no redirects, proxies, cookies or compression, and no
connection that is used again.
"""

import asyncio
import ssl
from collections.abc import Mapping

import httpcore

from deliveries.dialing import GuardedDialer, Resolve, SendFailed, SystemResolver, strict_tls
from security.url_guard import DEFAULT_PORTS, Target, UrlGuard, UrlRefused

EXCHANGE_DEADLINE_S = 3.0
"""For one request; a login makes at most five, and has a deadline of its own."""

DOCUMENT_BYTES_MAX = 256 * 1024
"""Key sets of large providers have some 20 KiB."""

_USER_AGENT = "Trackrecord-SSO/1"


class ProviderFailed(Exception):
    """A provider cannot be used at the moment; *reason* is a word for administrators."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Exchange:
    """Sends requests to providers, only to addresses that the guard allows."""

    def __init__(
        self,
        guard: UrlGuard,
        *,
        deadline_s: float = EXCHANGE_DEADLINE_S,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._guard, self._deadline_s = guard, deadline_s
        self._dialer = GuardedDialer(guard, resolve or SystemResolver())
        self._tls = tls or strict_tls()

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> bytes:
        """Return the document at *url*.

        :raises ProviderFailed: there is none, or not in time.
        """
        status, body = await self._send("GET", url, headers or {}, None)
        if status != 200:
            raise ProviderFailed("provider_error")
        return body

    async def post(self, url: str, headers: Mapping[str, str], body: str) -> tuple[int, bytes]:
        """Return status and body of the answer to a form.

        :raises ProviderFailed: there is none, or not in time.
        """
        return await self._send("POST", url, headers, body.encode())

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, bytes]:
        try:
            target = self._guard.check_url(url)
            async with asyncio.timeout(self._deadline_s):
                return await self._sent(method, target, _headers(target, headers, body), body)
        except UrlRefused:
            raise ProviderFailed("provider_url_refused") from None
        except SendFailed as failed:
            raise ProviderFailed(f"provider_{failed.kind}") from None
        except TimeoutError:
            raise ProviderFailed("provider_timeout") from None
        except (httpcore.ProtocolError, httpcore.NetworkError, OSError, UnicodeError):
            raise ProviderFailed("provider_protocol") from None

    async def _sent(
        self,
        method: str,
        target: Target,
        headers: list[tuple[bytes, bytes]],
        body: bytes | None,
    ) -> tuple[int, bytes]:
        url = httpcore.URL(
            scheme=target.scheme.encode(),
            host=target.host.encode(),
            port=target.port,
            target=target.path_and_query.encode(),
        )
        async with (
            httpcore.AsyncConnectionPool(
                ssl_context=self._tls, max_connections=1, network_backend=self._dialer
            ) as pool,
            pool.stream(method, url, headers=headers, content=body) as response,
        ):
            if 300 <= response.status < 400:
                raise ProviderFailed("provider_redirects")
            return response.status, await _bounded(response)


async def _bounded(response: httpcore.Response) -> bytes:
    read = bytearray()
    async for chunk in response.aiter_stream():
        read += chunk
        if len(read) > DOCUMENT_BYTES_MAX:
            raise ProviderFailed("provider_answer_too_large")
    return bytes(read)


def _headers(
    target: Target, given: Mapping[str, str], body: bytes | None
) -> list[tuple[bytes, bytes]]:
    host = f"[{target.host}]" if ":" in target.host else target.host
    if target.port != DEFAULT_PORTS[target.scheme]:
        host = f"{host}:{target.port}"
    ours = {
        "Host": host,
        "User-Agent": _USER_AGENT,
        "Accept": "application/json",
        "Accept-Encoding": "identity",
    }
    if body is not None:
        ours["Content-Length"] = str(len(body))
    named = {**ours, **given}.items()
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in named]
