"""Waits that end at once when a signal arrives: one to stop, or the end of a child process."""

import contextlib
import select
import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import Self

_BYTES = 4096


class Signals:
    """Hears the signals of this process for as long as the block lasts; one, in the main thread."""

    def __init__(self, on_stop: Callable[[int, FrameType | None], None]) -> None:
        """*on_stop* is the handler of SIGINT and SIGTERM."""
        self._heard, self._told = socket.socketpair()
        self._heard.setblocking(False)
        self._told.setblocking(False)
        signal.set_wakeup_fd(self._told.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, on_stop)
        signal.signal(signal.SIGCHLD, _told)  # without a handler, nothing is told

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(-1)
        self._heard.close()
        self._told.close()

    def wait(self, seconds: float) -> None:
        """Wait until a signal arrives that no earlier call has returned for, or for *seconds*."""
        select.select([self._heard], [], [], max(0.0, seconds))
        with contextlib.suppress(BlockingIOError):
            self._heard.recv(_BYTES)


def _told(number: int, frame: FrameType | None) -> None:
    """Do nothing but have been called."""
