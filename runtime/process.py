"""How every process starts and ends: settings, logging, signals, exit code."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
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
        main(settings)
        _logger.info("stopped")
    except SettingsInvalid as error:
        sys.exit(_said(2, *(f"setting {problem}" for problem in error.problems)))
    except LogUnfit as error:
        sys.exit(_said(2, str(error)))
    except (StoreUnreachable, AddressTaken) as error:
        sys.exit(_said(1, str(error)))


def until_stopped(run: Callable[[Settings], Coroutine[Any, Any, None]]) -> Main:
    """Return a main function that runs *run* and cancels it on SIGTERM or SIGINT."""

    def main(settings: Settings) -> None:
        uvloop.run(_cancelled_by_signal(run(settings)))

    return main


async def _cancelled_by_signal(running: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(running)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _said(code: int, *lines: str) -> int:
    for line in lines:
        sys.stderr.write(f"trackrecord: {line}\n")
    return code
