"""The HTTP client for webhooks: one POST, one deadline, one response of limited size.

It follows no redirects, uses no proxies, cookies or compression, and never shares a connection
between two endpoints: one customer's receiver cannot affect another's.
"""

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Self

import httpcore

from deliveries.dialing import (
    FailureKind,
    GuardedDialer,
    Resolve,
    SendFailed,
    SystemResolver,
    dialed_ip,
    strict_tls,
)
from security.url_guard import DEFAULT_PORTS, Target, UrlGuard, UrlRefused

DEADLINE_S = 15.0
ANSWER_BYTES_MAX = 64 * 1024  # read, so that an ordinary response leaves the connection usable
EXCERPT_BYTES_MAX = 4 * 1024  # kept with the attempt
ANSWER_HEADERS_MAX = 64
ANSWER_HEADER_CHARS_MAX = 1024
KEEP_IDLE_S = 4.0  # below the 5 s after which Node, uvicorn and Apache hang up by default
LINE_AGE_S_MAX = 60.0  # the limit after which a receiver that moved in DNS is found
_LINES_MAX = 256
CONNECTIONS_PER_LINE_MAX = 64  # a caller with a wider window would queue inside the deadline

USER_AGENT = "Trackrecord-Webhooks/1"
# Ours or hop-by-hop (RFC 9110 section 7.6.1): a customer's header may not change the framing.
# fmt: off
RESERVED_HEADERS = frozenset((
    "accept-encoding", "connection", "content-length", "cookie", "expect", "host", "keep-alive",
    "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    "user-agent",
))
# fmt: on


@dataclass(frozen=True, slots=True)
class ReceiverResponse:
    """The receiver's response; any status counts, including redirects.

    Header names are in lower case, `excerpt` holds the first 4 KiB of the body, `ip` is the address
    that was connected to, `duration_ms` lasts from resolving to the last byte read.
    """

    status: int
    headers: dict[str, str]
    excerpt: bytes
    ip: str
    duration_ms: int


@dataclass(slots=True)
class _Line:
    """The connections of one endpoint to one origin."""

    pool: httpcore.AsyncConnectionPool
    born_at: float
    used_at: float
    in_flight: int = 0


class _PartialResponse:
    """The part of a response that has arrived."""

    def __init__(self) -> None:
        self._status = 0
        self._headers: dict[str, str] = {}
        self._ip = ""
        self._kept = bytearray()

    async def receive(
        self,
        pool: httpcore.AsyncConnectionPool,
        target: Target,
        headers: list[tuple[bytes, bytes]],
        body: bytes,
    ) -> None:
        """Post *body* and read the response, its head first."""
        url = httpcore.URL(
            scheme=target.scheme.encode(),
            host=target.host.encode(),
            port=target.port,
            target=target.path_and_query.encode(),
        )
        async with pool.stream("POST", url, headers=headers, content=body) as response:
            self._status, self._headers = response.status, _bounded_headers(response.headers)
            self._ip = dialed_ip(response)
            await _read_excerpt(response, self._kept)

    def fail_unless_clear(self, failed: SendFailed, cause: Exception) -> None:
        """Raise *failed*, unless the head of the response already shows that it is a refusal.

        A success counts only once it is complete; any other status means the same without its body.
        """
        if not self._status or 200 <= self._status < 300:
            failed.status = self._status or None
            raise failed from cause

    def response(self, duration_ms: int) -> ReceiverResponse:
        """Return what has arrived."""
        return ReceiverResponse(
            self._status, self._headers, bytes(self._kept), self._ip, duration_ms
        )


_Key = tuple[str, str, str, int]  # endpoint, scheme, host, port


class WebhookClient:
    """Posts webhooks for one process; the caller limits how many are in progress at once."""

    def __init__(
        self,
        guard: UrlGuard,
        *,
        deadline_s: float = DEADLINE_S,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
        lines_max: int = _LINES_MAX,
    ) -> None:
        self._guard = guard
        self._deadline_s = deadline_s
        self._dialer = GuardedDialer(guard, resolve or SystemResolver())
        self._tls = tls or strict_tls()
        self._lines_max = lines_max
        self._lines: dict[_Key, _Line] = {}  # the least recently used first

    async def post(
        self, endpoint_key: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> ReceiverResponse:
        """Send *body* once and return the response; the deadline starts now and covers everything.

        *endpoint_key* (the endpoint's id) decides which connections can be reused.

        :raises SendFailed: no complete response arrived; its kind says why.
        """
        started = time.perf_counter()
        partial = _PartialResponse()
        try:
            target = self._guard.check_url(url)
            sent_headers = _request_headers(target, headers)
            async with asyncio.timeout(self._deadline_s):
                async with self._line(endpoint_key, target) as pool:
                    await partial.receive(pool, target, sent_headers, body)
        except UrlRefused as refusal:
            raise SendFailed(refusal.reason, FailureKind.REFUSED_URL) from refusal
        except TimeoutError as error:
            reason = f"no complete response within {self._deadline_s:g} s"
            partial.fail_unless_clear(SendFailed(reason, FailureKind.TIMEOUT), error)
        except (httpcore.ProtocolError, httpcore.NetworkError, OSError) as error:
            reason = f"no valid HTTP response: {str(error) or 'the connection was lost'}"
            partial.fail_unless_clear(SendFailed(reason, FailureKind.PROTOCOL), error)
        elapsed_ms = round((time.perf_counter() - started) * 1000)
        return partial.response(elapsed_ms)

    async def aclose(self) -> None:
        """Close every connection; a send still in progress fails."""
        lines, self._lines = self._lines, {}
        for line in lines.values():
            await line.pool.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    @contextlib.asynccontextmanager
    async def _line(
        self, endpoint_key: str, target: Target
    ) -> AsyncGenerator[httpcore.AsyncConnectionPool]:
        """Lend the connections of an endpoint; the last user closes an unlisted line."""
        key = (endpoint_key, target.scheme, target.host, target.port)
        now = time.monotonic()
        line = self._lines.get(key)
        if line is None or now - line.born_at > LINE_AGE_S_MAX:
            line = _Line(self._new_pool(), now, now)
        line.used_at = now
        line.in_flight += 1
        retired = self._list_as_newest(key, line)
        try:
            for old in retired:
                await old.pool.aclose()
            yield line.pool
        finally:
            line.in_flight -= 1
            if not line.in_flight and self._lines.get(key) is not line:
                await line.pool.aclose()

    def _list_as_newest(self, key: _Key, line: _Line) -> list[_Line]:
        """Put *line* last and return the idle lines that thereby fell off the list."""
        off = [replaced] if (replaced := self._lines.pop(key, line)) is not line else []
        self._lines[key] = line
        while (oldest := next(iter(self._lines.values()))) is not line and (
            len(self._lines) > self._lines_max or oldest.used_at + KEEP_IDLE_S < line.used_at
        ):
            off.append(self._lines.pop(next(iter(self._lines))))
        return [fallen for fallen in off if not fallen.in_flight]

    def _new_pool(self) -> httpcore.AsyncConnectionPool:
        return httpcore.AsyncConnectionPool(
            ssl_context=self._tls,
            max_connections=CONNECTIONS_PER_LINE_MAX,
            keepalive_expiry=KEEP_IDLE_S,
            network_backend=self._dialer,
        )


def _request_headers(target: Target, headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    reserved = [name for name in headers if name.lower() in RESERVED_HEADERS]
    if reserved:
        raise SendFailed(f"the header {reserved[0]} is reserved", FailureKind.PROTOCOL)
    host = f"[{target.host}]" if ":" in target.host else target.host
    if target.port != DEFAULT_PORTS[target.scheme]:
        host = f"{host}:{target.port}"
    ours = {"Host": host, "User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
    try:
        return [(n.encode("ascii"), v.encode("ascii")) for n, v in (ours | dict(headers)).items()]
    except UnicodeEncodeError as error:
        raise SendFailed("a header is not ASCII", FailureKind.PROTOCOL) from error


async def _read_excerpt(response: httpcore.Response, kept: bytearray) -> None:
    read_bytes = 0
    async for chunk in response.aiter_stream():
        kept += chunk[: EXCERPT_BYTES_MAX - len(kept)]
        read_bytes += len(chunk)
        if read_bytes >= ANSWER_BYTES_MAX:
            break  # leaving early makes httpcore hang up


def _bounded_headers(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Join repeated fields (RFC 9110 section 5.3); leave out cookies, the receiver's secrets."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in raw[:ANSWER_HEADERS_MAX]:
        name = raw_name.decode("latin-1").lower()[:ANSWER_HEADER_CHARS_MAX]
        value = raw_value.decode("latin-1")
        if name != "set-cookie":
            joined = f"{headers[name]}, {value}" if name in headers else value
            headers[name] = joined[:ANSWER_HEADER_CHARS_MAX]
    return headers
