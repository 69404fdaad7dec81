"""The HTTP/1.1 protocol of the server: uvicorn's, within bounds.

Uvicorn and httptools read header fields of any size for as long as a client likes. Here bytes are
counted before they are parsed, and a timer runs whenever the server waits for a client.
"""

import asyncio
from typing import Any, ClassVar, cast

from api.connection import refusal
from api.connection.bounds import BOUNDS, Bounds
from api.connection.response_cycle import CyclingProtocol
from api.connection.write_deadline import WriteDeadline
from api.http.problem import Problem
from security.addresses import canonical, network_of
from security.url_guard import IPNetwork


class BoundedProtocol(CyclingProtocol):
    """One connection.

    A *head* is a request line with its header fields. A refusal follows the pending responses.
    """

    bounds: ClassVar[Bounds] = BOUNDS
    proxies: ClassVar[tuple[IPNetwork, ...]] = ()
    """Peers that forward for many clients, so that only the total limit applies to them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = True
        self._head_bytes = self._stray_bytes = 0
        self._refusal: Problem | None = None
        self._refused = False
        self._begun = self._answered = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self.peer: IPNetwork | None = None

    # The life of the connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accept a connection, unless there are too many."""
        super().connection_made(cast(asyncio.Transport, transport))
        self._deadline = WriteDeadline(self.transport, self.loop, self.bounds.write_s)
        self.peer = _network_of_peer(self.client, self.proxies)
        others = cast("set[BoundedProtocol]", self.connections)
        if len(others) > self.bounds.connections:
            self._turn_away(refusal.too_many_in_all())
        elif self.peer is not None and (
            sum(other.peer == self.peer for other in others) > self.bounds.connections_per_peer
        ):
            self._turn_away(refusal.too_many_of_peer(self.bounds.connections_per_peer))
        else:
            self._expect_head()

    def _turn_away(self, problem: Problem) -> None:
        # It no longer counts, or refused connections would keep others out.
        self.connections.discard(self)
        self._refusal, self._refused = problem, True
        self.transport.write(refusal.response_of(problem, self.server_state.default_headers))
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timers of a closed connection."""
        self._stop_head_timer()
        self._deadline.stop()
        super().connection_lost(exc)

    # Reading

    def data_received(self, data: bytes) -> None:
        """Parse what arrived, piece by piece, and refuse it when a bound is exceeded."""
        rest = memoryview(data)
        while rest and self._refusal is None and not self.transport.is_closing():
            rest = rest[self._parse(rest) :]
        if self._refusal is None and self._in_head and self._head_bytes and not self._is_busy():
            self._expect_head()

    def _parse(self, rest: memoryview) -> int:
        """Parse the beginning of *rest* and return how many bytes of it."""
        bounds, in_head = self.bounds, self._in_head
        room = bounds.head_bytes - self._head_bytes if in_head else bounds.stray_bytes
        piece = bytes(rest[:room])
        if in_head:
            self._head_bytes += len(piece)
        else:
            self._stray_bytes += len(piece)
        super().data_received(piece)
        if self._refusal is not None:
            self._answer_refusal()
        elif self._in_head and self._head_bytes >= bounds.head_bytes:
            self._refuse(refusal.head_too_large(bounds.head_bytes))
        elif not self._in_head and self._stray_bytes > bounds.stray_bytes:
            self._refuse(refusal.head_too_large(bounds.stray_bytes))
        return len(piece)

    def on_url(self, url: bytes) -> None:
        """Take a part of the URL."""
        if self._refusal is None and len(self.url) + len(url) > self.bounds.url_bytes:
            self._refusal = refusal.url_too_long(self.bounds.url_bytes)
        if self._refusal is None:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header field; trailers are dropped, as RFC 9110, section 6.5.1 allows."""
        if self._in_head and len(self.headers) >= self.bounds.header_count:
            self._refusal = self._refusal or refusal.too_many_headers(self.bounds.header_count)
        elif self._in_head and self._refusal is None:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start the request, or queue it behind those before it."""
        if self._refusal is None and len(self.pipeline) >= self.bounds.pipelined:
            self._refusal = refusal.too_many_pipelined()
        if self._refusal is None:
            super().on_headers_complete()  # first: it raises if the target is no URL
            self._in_head = False
            self._head_bytes = self._stray_bytes = 0
            self._stop_head_timer()
            self._deadline.watch(nothing_follows=False)
            self._begun += 1

    def on_body(self, body: bytes) -> None:
        """Take a part of the content."""
        if self._refusal is None:
            self._stray_bytes = 0
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Await the next head."""
        if self._refusal is None:
            self._in_head = True
            super().on_message_complete()

    def _is_busy(self) -> bool:
        return self._begun > self._answered

    def _expect_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.bounds.head_s, self._head_is_late)

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self._head_bytes:
            self._refuse(refusal.head_too_slow())
        else:
            self.transport.close()

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _unsupported_upgrade_warning(self) -> None:
        """Serve a request to upgrade as if it had not asked (RFC 9110, section 7.8), unlogged."""

    # Refusing

    def send_400_response(self, msg: str) -> None:
        """Refuse bytes that are not HTTP; uvicorn calls this."""
        self._refuse(self._refusal or refusal.not_http())

    def _refuse(self, problem: Problem) -> None:
        self._refusal = problem
        self._drop_unfinished()
        self._answer_refusal()

    def _drop_unfinished(self) -> None:
        """Drop the request whose content is refused, so that the refusal is its response."""
        cycle = self.cycle
        if self._in_head or cycle.response_complete:
            return
        if self.pipeline:
            self.pipeline.popleft()
        elif cycle.response_started:
            self.transport.abort()
        else:
            cycle.disconnected = True
            cycle.message_event.set()
        self._begun -= 1

    def _answer_refusal(self) -> None:
        """Send the refusal after the responses to earlier requests, then close.

        A connection closed while bytes of the client are unread would be reset, and the client
        might lose the refusal; so its bytes are dropped for a moment.
        """
        if self._refusal is None or self._refused or self._is_busy():
            return
        self._refused = True
        if self.transport.is_closing():
            return
        self._stop_head_timer()
        self._unset_keepalive_if_required()
        response = refusal.response_of(self._refusal, self.server_state.default_headers)
        self.transport.write(response)
        self.transport.write_eof()
        self.loop.call_later(self.bounds.linger_s, self.transport.abort)

    # Writing

    def on_response_complete(self) -> None:
        """Start the next request, or send the refusal that waited for this response."""
        self._answered += 1
        super().on_response_complete()
        self._answer_refusal()
        self._deadline.watch(nothing_follows=not self._is_busy())

    def pause_writing(self) -> None:
        """Wait until the client has read some of the response."""
        super().pause_writing()
        self._deadline.watch(nothing_follows=True)

    def resume_writing(self) -> None:
        """Continue to write."""
        super().resume_writing()
        self._deadline.watch(nothing_follows=not self._is_busy())


def _network_of_peer(
    client: tuple[str, int] | None, proxies: tuple[IPNetwork, ...]
) -> IPNetwork | None:
    """Return the network of a peer; None for a proxy, which speaks for many clients."""
    address = canonical(client[0]) if client else None
    if address is None or any(address in network for network in proxies):
        return None
    return network_of(address)
