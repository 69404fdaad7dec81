"""One request and its response on a connection: uvicorn's cycle, which writes heads with less work.

Uvicorn searches each header field twice for characters that must not be in it, and writes the head
before the content, which uvloop sends with one system call each. Here a head is checked as a whole,
and one that says how long the content is goes out together with the beginning of that.
"""

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

_CONTROLS = bytes({*range(0x20), 0x7F} - {ord("\t")})
"""What no header field contains (RFC 9110, section 5.5); CR and LF end each line of a head."""

_JOINED_BYTES_MAX = 64 * 1024
"""Longer pieces of content are not copied behind their head."""


class HeaderUnsafe(Exception):
    """A header field of a response contains control characters; it is not sent."""


class ResponseCycle(RequestResponseCycle):
    """A request and its response."""

    _head = b""
    """The head of a response while it waits for its content."""

    async def send(self, message: Any) -> None:
        """Send the head of the response, or a piece of its content."""
        if not self.response_started:
            await self._begin(message)
            return
        if self._head:
            head, self._head, content = self._head, b"", message.get("body", b"")
            if len(content) > _JOINED_BYTES_MAX:
                self.transport.write(head)
            else:
                message["body"] = b"%b%b" % (head, content)
                self.expected_content_length += len(head)
        await super().send(message)

    async def _begin(self, message: Any) -> None:
        """Write the head of the response, or hold it until its content comes.

        :raises HeaderUnsafe: a header field contains what none may.
        """
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        self.response_started, self.waiting_for_100_continue = True, False
        headers = [*self.default_headers, *message["headers"]]
        known = dict(headers)
        if b"connection" in known:
            self.keep_alive = False  # we send nothing but "close"
        elif not self.keep_alive:
            headers.append((b"connection", b"close"))
        length, has_content = known.get(b"content-length"), self.scope["method"] != "HEAD"
        if length is not None:
            self.chunked_encoding, self.expected_content_length = False, int(length)
        elif has_content and message["status"] not in (204, 304):
            self.chunked_encoding = True
            headers.append((b"transfer-encoding", b"chunked"))
        head = _head_of(message["status"], headers)
        if length is not None and has_content:
            self._head = head
        else:
            self.transport.write(head)


def _head_of(status: int, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Return the bytes of a head.

    :raises HeaderUnsafe: a header field contains what none may.
    """
    head = b"%b%b\r\n\r\n" % (STATUS_LINE[status], b"\r\n".join(map(b": ".join, headers)))
    line_ends = len(headers) + 2
    if len(head.translate(None, _CONTROLS)) != len(head) - 2 * line_ends:
        raise HeaderUnsafe
    return head


class CyclingProtocol(HttpToolsProtocol):
    """Uvicorn's protocol, with our cycle for each request."""

    # Any: uvicorn declares that they may be None, or leaves parts of their types unknown.
    app: Any
    parser: Any
    cycle: Any

    def on_headers_complete(self) -> None:
        """Start a request, or queue it behind those before it."""
        version, target = self.parser.get_http_version(), httptools.parse_url(self.url)
        path = target.path.decode("ascii")
        self.scope["http_version"] = version
        self.scope["method"] = self.parser.get_method().decode("ascii")
        self.scope["path"] = unquote(path) if "%" in path else path
        self.scope["raw_path"], self.scope["query_string"] = target.path, target.query or b""
        before = self.cycle
        self.cycle = ResponseCycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))
