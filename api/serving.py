"""The HTTP server: uvicorn around the application, stopped without losing requests under way."""

import gc
import signal
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any

import uvicorn
import uvloop
from uvicorn.supervisors import Multiprocess

from api.app import create_app
from runtime.logging import set_up_logging
from runtime.settings import Settings, load_settings
from runtime.system import open_system

GRACEFUL_S = 5
"""How long a stopping server waits for its last answers; an open stream would hold it forever."""
GC_THRESHOLD = 20_000
"""New containers between two runs of the cycle collector (the default is 700)."""

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


def serve(settings: Settings) -> None:
    """Serve HTTP until told to stop, in one process or several."""
    if settings.api_workers > 1:
        config = uvicorn.Config(
            "api.serving:worker_application",
            factory=True,
            workers=settings.api_workers,
            **_options(settings),
        )
        Multiprocess(config, sockets=[config.bind_socket()]).run()
    else:
        uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    async with open_system(settings) as system:
        spare_the_collector()
        await _Server(
            uvicorn.Config(create_app(system), lifespan="on", **_options(settings))
        ).serve()


class _WorkerApplication:
    """The ASGI application of one of several processes.

    It opens its system at start-up, on the event loop that will serve it.
    """

    def __init__(self) -> None:
        self._app: Any = None

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" and self._app is None:
            settings = load_settings()
            set_up_logging(settings.log_level)
            async with open_system(settings) as system:
                self._app = create_app(system)
                await self._app(scope, receive, send)
            return
        await self._app(scope, receive, send)


def worker_application() -> _WorkerApplication:
    """Return a new application; uvicorn calls this in each of its processes."""
    return _WorkerApplication()


def spare_the_collector() -> None:
    """Run the cycle collector less often: start-up objects stay, and requests make few cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 50, 100)


class _Server(uvicorn.Server):
    """A server that stops on a signal and lets its system close after it.

    The original raises the signal once more when it has stopped, which would end the process
    before queued commands are on the disk.
    """

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def _options(settings: Settings) -> dict[str, Any]:
    """Return uvicorn's settings; X-Forwarded-For is read by our own code, from named proxies."""
    return {
        "host": settings.host,
        "port": settings.port,
        "loop": "uvloop",
        "http": "httptools",
        "access_log": False,
        "log_config": None,
        "proxy_headers": False,
        "server_header": False,
        "timeout_graceful_shutdown": GRACEFUL_S,
    }
