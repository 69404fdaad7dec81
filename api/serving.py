"""The HTTP server: uvicorn, stopped without losing requests in progress."""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import parent_process
from tempfile import TemporaryDirectory
from threading import Thread
from types import FrameType
from typing import Any, ClassVar

import uvicorn
import uvloop
from litestar import Litestar
from uvicorn.supervisors import Multiprocess

from api.app import create_app
from api.connection.protocol import BoundedProtocol
from api.exchange.event import LIVE
from api.http.edge import Receive, Send
from runtime.health.totals import SHARED_DIR
from runtime.listening import listening_socket
from runtime.log_guard import guarded
from runtime.logging import set_up_logging
from runtime.process import spare_the_collector
from runtime.settings import Settings, load_settings
from runtime.system import System, open_system

KEEP_ALIVE_S = 75
"""How long an idle connection stays open: as nginx does, and longer than clients keep theirs.

If both ended at the same time, a request would meet a connection that is being closed.
"""

_TICK_S = 1.0
GRACEFUL_S = 5
"""How long a stopping server waits for open responses; a stream could stay open forever."""


def serve(settings: Settings) -> None:
    """Serve HTTP until stopped, in one process or several."""
    if settings.api_workers > 1:
        config = uvicorn.Config(
            "api.serving:worker_application",
            factory=True,
            workers=settings.api_workers,
            **_options(settings),
        )
        with TemporaryDirectory(prefix="trackrecord-metrics-") as shared:
            os.environ[SHARED_DIR] = shared
            Multiprocess(config, sockets=[listening_socket(settings)]).run()
    else:
        uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    async with open_system(settings) as system, guarded(system):
        app = _served(system)
        await _Server(uvicorn.Config(app, lifespan="on", **_options(settings))).serve(
            sockets=[listening_socket(settings)]
        )


def _served(system: System) -> Litestar:
    """Return the application, whose endless responses end when the server stops."""
    app = create_app(system)
    _Protocol.proxies = system.settings.trusted_proxies
    _Protocol.on_stop = (app.state[LIVE].stop,)
    spare_the_collector()
    return app


class _Protocol(BoundedProtocol):
    """The protocol of a server that ends its endless responses when it stops."""

    on_stop: ClassVar[tuple[Callable[[], None], ...]] = ()

    def shutdown(self) -> None:
        """Close the connection, once the response in progress has ended."""
        super().shutdown()
        for end in self.on_stop:
            end()


class _WorkerApplication:
    """The ASGI application of one of several processes.

    It opens its system at start-up, on the event loop that will run it.
    """

    def __init__(self) -> None:
        self._app: Any = None

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" and self._app is None:
            settings = load_settings()
            set_up_logging(settings.log_level)
            async with open_system(settings) as system, guarded(system):
                self._app = _served(system)
                await self._app(scope, receive, send)
            return
        await self._app(scope, receive, send)


def worker_application() -> _WorkerApplication:
    """Return a new application; uvicorn calls this in each worker process."""
    Thread(target=_end_with_parent, name="end with parent", daemon=True).start()
    return _WorkerApplication()


def _end_with_parent() -> None:
    """End this process when its parent was killed.

    Otherwise it would keep the port, and the next start could not bind it.
    """
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class _Server(uvicorn.Server):
    """A server that stops on a signal and lets its system close afterwards.

    Uvicorn's own raises the signal again once it has stopped, which would end the process before
    queued commands are on disk.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._asked_to_stop = asyncio.Event()

    async def main_loop(self) -> None:
        """Set the date of responses once a second until a signal comes.

        Uvicorn's own looks for signals ten times a second, which is most of what an idle API does.
        """
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                async with asyncio.timeout(_TICK_S):
                    await self._asked_to_stop.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True
        asyncio.get_running_loop().call_soon_threadsafe(self._asked_to_stop.set)


def _options(settings: Settings) -> dict[str, Any]:
    """Return uvicorn's settings; X-Forwarded-For is left to our code, which knows the proxies."""
    return {
        "host": settings.host,
        "port": settings.port,
        "loop": "uvloop",
        "http": _Protocol,
        "ws": "none",
        "access_log": False,
        "log_config": None,
        "proxy_headers": False,
        "server_header": False,
        "timeout_keep_alive": KEEP_ALIVE_S,
        "timeout_graceful_shutdown": GRACEFUL_S,
    }
