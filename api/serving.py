"""The HTTP server: uvicorn around the application, stopped without losing what is under way."""

import gc
import signal
from types import FrameType
from typing import Any

import uvicorn
import uvloop
from uvicorn.supervisors import Multiprocess

from api.app import create_app
from runtime.house import open_house
from runtime.settings import Settings

GRACEFUL_S = 5
"""How long a stopping server waits for its last answers; an open stream would hold it forever."""
GC_THRESHOLD = 20_000
"""New containers between two looks for reference cycles (the default is 700)."""


def serve(settings: Settings) -> None:
    """Serve HTTP until told to stop, in one process or several."""
    if settings.api_workers > 1:
        config = uvicorn.Config(
            "api.application:application",
            factory=True,
            workers=settings.api_workers,
            **_options(settings),
        )
        Multiprocess(config, sockets=[config.bind_socket()]).run()
    else:
        uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    async with open_house(settings) as house:
        spare_the_collector()
        await _Server(
            uvicorn.Config(create_app(house), lifespan="on", **_options(settings))
        ).serve()


def spare_the_collector() -> None:
    """Look for reference cycles less often: what is there now stays, and requests make few."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 50, 100)


class _Server(uvicorn.Server):
    """A server that stops on a signal and lets its house close after it.

    The original raises the signal once more when it has stopped, which would end the process
    before queued commands are on the disk.
    """

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def _options(settings: Settings) -> dict[str, Any]:
    """Return how uvicorn serves: proxies are believed by our own code, and only named ones."""
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
