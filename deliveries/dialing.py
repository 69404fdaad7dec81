"""Opens the sockets for webhooks: resolve once, check every address, connect to a checked one.

The socket layer never gets a name, so an attacker's DNS has no second chance to answer differently
between the check and the connection.
"""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from enum import StrEnum
from functools import cache
from ipaddress import ip_address
from typing import Any, cast

import httpcore

from security.url_guard import IPAddress, UrlGuard, UrlRefused

Resolve = Callable[[str, int], Awaitable[Sequence[IPAddress]]]

ADDRESSES_TRIED_MAX = 3  # more would use up the deadline of one attempt on dead hosts
CONNECT_S_MAX = 4.0  # for one address, so that a black-holed IPv6 leaves time for IPv4
RESOLVER_THREADS_MAX = 16  # concurrent lookups; further ones wait within their deadline


class FailureKind(StrEnum):
    """The stage at which sending failed; stored with the attempt."""

    REFUSED_URL = "refused_url"
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    PROTOCOL = "protocol"


class SendFailed(Exception):
    """No complete response was received; `reason` is for the endpoint's owner, `kind` for programs.

    `status` is that of a response whose body never ended, if its head arrived.
    """

    def __init__(self, reason: str, kind: FailureKind) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind
        self.status: int | None = None


class SystemResolver:
    """getaddrinfo in its own threads, so that slow name servers delay only webhooks.

    Daemon threads and not an executor: Python joins an executor's threads when it exits, and a
    lookup may wait 5 s, twice, for each of up to three name servers (resolv.conf(5), defaults).
    """

    def __init__(self, threads_max: int = RESOLVER_THREADS_MAX) -> None:
        self._free_threads = asyncio.Semaphore(threads_max)

    async def __call__(self, host: str, port: int) -> list[IPAddress]:
        """Return the addresses of *host* in the system's order of preference.

        :raises OSError: (socket.gaierror) when the name has none
        """
        await self._free_threads.acquire()
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[IPAddress]] = loop.create_future()

        def report(outcome: list[IPAddress] | Exception) -> None:
            self._free_threads.release()
            if found.done():  # the caller's deadline has passed
                return
            if isinstance(outcome, Exception):
                found.set_exception(outcome)
            else:
                found.set_result(outcome)

        def look_up() -> None:
            outcome = _look_up_or_error(host, port)
            with contextlib.suppress(RuntimeError):  # the loop has been closed meanwhile
                loop.call_soon_threadsafe(report, outcome)

        threading.Thread(target=look_up, name="webhook-dns", daemon=True).start()
        return await found


def _look_up_or_error(host: str, port: int) -> list[IPAddress] | Exception:
    try:
        # The final dot makes the name absolute: search domains of resolv.conf are not tried.
        answers = socket.getaddrinfo(host + ".", port, type=socket.SOCK_STREAM)
        return [ip_address(answer[4][0]) for answer in answers]
    except (OSError, ValueError) as error:
        return error


class DialedStream(httpcore.AsyncNetworkStream):
    """A socket that remembers the address it is connected to, even after the peer has closed it."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, address: IPAddress) -> None:
        self._stream = stream
        self.address = address

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's signature
        """Return what has arrived; nothing means the peer has ended."""
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's signature
        """Send all of *buffer*."""
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        """Hang up without waiting for the peer."""
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        """Shake hands; *server_hostname* is sent as SNI and must be in the certificate.

        :raises SendFailed: of kind tls
        """
        try:
            stream = await self._stream.start_tls(ssl_context, server_hostname, timeout)
        except (httpcore.NetworkError, OSError) as error:
            raise SendFailed(f"the TLS handshake failed: {error}", FailureKind.TLS) from error
        except BaseException:  # the deadline: httpcore forgets the socket when it is cancelled here
            await self._stream.aclose()
            raise
        return DialedStream(stream, self.address)

    def get_extra_info(self, info: str) -> Any:  # httpcore's: the type depends on *info*
        """Return what httpcore asks about the socket."""
        return self._stream.get_extra_info(info)


class GuardedDialer(httpcore.AsyncNetworkBackend):
    """httpcore's network backend, restricted to addresses that the guard allows."""

    def __init__(self, guard: UrlGuard, resolve: Resolve) -> None:
        self._guard = guard
        self._resolve = resolve
        # pyright sees the stand-in httpcore exports where anyio is missing.
        self._sockets: httpcore.AsyncNetworkBackend = httpcore.AnyIOBackend()  # pyright: ignore[reportAttributeAccessIssue]  # not in httpcore's stubs

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Open a socket to the first checked address of *host* that answers.

        :raises SendFailed: refused_url, dns or connect
        """
        budget_s = CONNECT_S_MAX if timeout is None else min(timeout, CONNECT_S_MAX)
        failure: Exception | None = None
        for address in (await self._checked_addresses(host, port))[:ADDRESSES_TRIED_MAX]:
            try:
                stream = await self._sockets.connect_tcp(str(address), port, budget_s)
                return DialedStream(stream, address)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise SendFailed("no connection could be established", FailureKind.CONNECT) from failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: webhooks leave by TCP only."""
        raise SendFailed("local sockets are not endpoints", FailureKind.REFUSED_URL)

    async def sleep(self, seconds: float) -> None:
        """Wait, as httpcore asks between tries."""
        await asyncio.sleep(seconds)

    async def _checked_addresses(self, host: str, port: int) -> Sequence[IPAddress]:
        addresses = self._guard.fixed_addresses(host) or await self._look_up(host, port)
        try:
            for address in addresses:
                self._guard.check_address(address)
        except UrlRefused as refusal:
            raise SendFailed(refusal.reason, FailureKind.REFUSED_URL) from refusal
        return addresses

    async def _look_up(self, host: str, port: int) -> Sequence[IPAddress]:
        try:
            addresses = await self._resolve(host, port)
        except (OSError, ValueError) as error:
            raise SendFailed("the host name was not found", FailureKind.DNS) from error
        if not addresses:
            raise SendFailed("the host name has no address", FailureKind.DNS)
        return addresses


@cache
def strict_tls() -> ssl.SSLContext:
    """Return a context that checks chain and host name and speaks TLS 1.2 or newer (RFC 9325).

    One for the process: reading the list of authorities takes tens of milliseconds.
    """
    context = httpcore.default_ssl_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def dialed_ip(response: httpcore.Response) -> str:
    """Return the address that *response* came from."""
    extensions = cast("dict[str, object]", response.extensions)  # pyright: ignore[reportUnknownMemberType]  # untyped in httpcore
    stream = extensions["network_stream"]
    return str(stream.address) if isinstance(stream, DialedStream) else ""
