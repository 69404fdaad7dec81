"""``serve``, ``project`` and ``work``: the three processes of a deployment, one command each."""

import argparse
import asyncio
import contextlib
import gc
import signal
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any

import uvicorn
import uvloop
from uvicorn.supervisors import Multiprocess

from api.app import create_app
from cli.running import settings_of_running
from runtime.house import open_house
from runtime.logging import set_up_logging
from runtime.projecting import run_projectors
from runtime.settings import Settings, load_settings
from workers.main import run_worker

GC_THRESHOLD = 20_000
"""New containers between two looks for reference cycles (the default is 700)."""
GRACEFUL_S = 5
"""How long a stopping server waits for its last answers; an open stream would hold it forever."""


def add_to(commands: Any) -> None:
    """Add the commands to the parser."""
    for name, run, meaning in (
        ("serve", serve, "run the HTTP API"),
        ("project", project, "run the projectors and the audit sealer"),
        ("work", work, "run the webhook deliveries and background jobs"),
    ):
        commands.add_parser(name, help=meaning, description=meaning).set_defaults(run=run)


def serve(_: argparse.Namespace) -> int:
    """Serve HTTP until told to stop."""
    settings = load_settings(settings_of_running())
    set_up_logging(settings.log_level)
    if settings.api_workers > 1:
        return _serve_many(settings)
    uvloop.run(_serve(settings))
    return 0


async def _serve(settings: Settings) -> None:
    async with open_house(settings) as house:
        spare_the_collector()
        await _Server(
            uvicorn.Config(create_app(house), **server_options(settings), lifespan="on")
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


def server_options(settings: Settings) -> dict[str, Any]:
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
        "date_header": True,
        "timeout_graceful_shutdown": GRACEFUL_S,
    }


def _serve_many(settings: Settings) -> int:
    config = uvicorn.Config(
        "cli.application:application",
        factory=True,
        workers=settings.api_workers,
        **server_options(settings),
    )
    Multiprocess(config, sockets=[config.bind_socket()]).run()
    return 0


def project(_: argparse.Namespace) -> int:
    """Keep the read models and the audit tree up to date until told to stop."""
    return _until_stopped(run_projectors)


def work(_: argparse.Namespace) -> int:
    """Deliver webhooks until told to stop."""
    return _until_stopped(run_worker)


def _until_stopped(run: Callable[[Settings], Awaitable[None]]) -> int:
    settings = load_settings(settings_of_running())
    set_up_logging(settings.log_level)
    uvloop.run(_cancelled_by_signal(run(settings)))
    return 0


async def _cancelled_by_signal(running: Awaitable[None]) -> None:
    task = asyncio.ensure_future(running)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task
