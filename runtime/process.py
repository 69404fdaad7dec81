"""How every process starts and ends: settings, logging, signals, exit code."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine
from importlib.metadata import version
from typing import Any

import uvloop

from eventstore.append import LogUnfit
from runtime.listening import AddressTaken
from runtime.logging import set_up_logging
from runtime.setting import SettingsInvalid, environment
from runtime.settings import Settings, load_settings, unknown_names
from runtime.system import StoreUnreachable

Main = Callable[[Settings], None]
STOP_S = 15.0
"""How long a process may take to stop: longer than requests in progress get, and less than the 20 s
after which docker-compose.yml has it killed."""
GC_THRESHOLD = 100_000
"""New containers between two runs of the garbage collector (the default is 700).

Requests that wait for the disk hold some 200 each: if 64 of them came near it, the collector would
run in vain for every other commit.
"""
_logger = logging.getLogger(__name__)


def run_process(main: Main) -> None:
    """Run *main* with the settings of this process, then exit.

    Exit codes: 0 stopped on request, 1 a store could not be reached, 2 wrong settings, or a
    database that they name by mistake.
    """
    os.umask(0o077)  # only the owner may read what is written here
    try:
        environ = environment()
        settings = load_settings(environ)
        set_up_logging(settings.log_level)
        for warning in unknown_names(environ):
            _logger.warning(warning)
        details = {"version": version("trackrecord"), "pid": os.getpid(), "env": settings.app_env}
        _logger.info("started", extra={"details": details})
        spare_the_collector()
        main(settings)
        _logger.info("stopped")
    except SettingsInvalid as error:
        sys.exit(_said(2, *(f"setting {problem}" for problem in error.problems)))
    except LogUnfit as error:
        sys.exit(_said(2, str(error)))
    except (StoreUnreachable, AddressTaken) as error:
        sys.exit(_said(1, str(error)))


def spare_the_collector() -> None:
    """Run the garbage collector less often: start-up objects stay, the rest creates few cycles.

    By default it takes one of twenty seconds that read models are written, and stops all else for
    40 ms at a time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 50, 100)


def until_stopped(
    run: Callable[[Settings], Coroutine[Any, Any, None]], within_s: float = STOP_S
) -> Main:
    """Return a main function that runs *run* and cancels it on SIGTERM or SIGINT.

    If it has not ended *within_s* seconds later, as when it waits for a store that hangs, the
    process ends all the same: whatever it had in progress is done again.
    """

    def main(settings: Settings) -> None:
        uvloop.run(_cancelled_by_signal(run(settings), within_s))

    return main


async def _cancelled_by_signal(running: Coroutine[Any, Any, None], within_s: float) -> None:
    task = asyncio.ensure_future(running)
    loop = asyncio.get_running_loop()
    # A thread of its own: what hangs may be a thread that the end of the process waits for.
    late = threading.Timer(within_s, _end_now, (within_s,))
    late.daemon = True

    def stop() -> None:
        task.cancel()
        if late.ident is None:
            late.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _end_now(within_s: float) -> None:
    _logger.warning("stopped without waiting for a store that did not answer in %g s", within_s)
    logging.shutdown()
    os._exit(0)


def _said(code: int, *lines: str) -> int:
    for line in lines:
        sys.stderr.write(f"trackrecord: {line}\n")
    return code
