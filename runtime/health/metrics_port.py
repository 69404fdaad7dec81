"""The port on which a process without an HTTP API shows its metrics to Prometheus."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from ipaddress import ip_address

from prometheus_client.exposition import CONTENT_TYPE_LATEST

from runtime.health.metrics import render_metrics
from runtime.health.monitor import Monitor
from runtime.health.totals import SharedCounts
from runtime.listening import AddressTaken, bind
from runtime.system import System

_REQUEST_S = 2.0
"""How long a scraper may take to ask."""
_logger = logging.getLogger(__name__)


@asynccontextmanager
async def metrics_shown(system: System, monitor: Monitor) -> AsyncGenerator[None]:
    """Answer ``GET /metrics`` on METRICS_PORT while the block runs; not if it is 0.

    A taken port is a warning in the log and stops nothing else.
    """
    settings = system.settings
    if not settings.metrics_port:
        yield
        return
    try:
        listening = bind(settings.host, settings.metrics_port)
    except AddressTaken as taken:
        _logger.warning("no metrics are shown: %s", taken)
        yield
        return
    page = _Page(system, monitor)
    async with await asyncio.start_server(page.answer, sock=listening):
        yield


class _Page:
    """The one page of the port."""

    def __init__(self, system: System, monitor: Monitor) -> None:
        self._system, self._monitor = system, monitor

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close the connection."""
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError, ValueError):
            async with asyncio.timeout(_REQUEST_S):
                asked = await reader.readuntil(b"\r\n\r\n")
            known = asked.startswith(b"GET /metrics ") and self._may_read(writer)
            writer.write(await self._found() if known else _head("404 Not Found", 0))
            await writer.drain()
        writer.close()

    def _may_read(self, writer: asyncio.StreamWriter) -> bool:
        address = ip_address(writer.get_extra_info("peername")[0])
        return any(address in network for network in self._system.settings.metrics_networks)

    async def _found(self) -> bytes:
        await self._monitor.look()
        body = render_metrics(self._monitor, self._system.clock, SharedCounts(""))
        return _head("200 OK", len(body)) + body


def _head(status: str, length: int) -> bytes:
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: {CONTENT_TYPE_LATEST}\r\n"
        f"Content-Length: {length}\r\nConnection: close\r\n\r\n"
    ).encode()
