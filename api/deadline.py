"""The deadline of a request: until when its response must have begun."""

import asyncio
from collections.abc import Callable
from itertools import takewhile
from types import TracebackType
from typing import Any

from runtime.settings import Settings

SPARE_S = 1.0
"""How much longer than one call to a store a request may take: the error of that call says more."""


class DeadlineExceeded(Exception):
    """A request was given up, because its response had not begun in time."""


def deadline_of(settings: Settings) -> float:
    """Return how many seconds a request may take: 5 with the default settings."""
    stores = (
        settings.events_deadline,
        settings.operations_deadline,
        settings.read_models_deadline,
        settings.redis_deadline,
    )
    return max(stores).total_seconds() + SPARE_S


class Deadline:
    """Gives up requests whose response has not begun in time, by cancelling their tasks.

    A response that has begun may take longer, as an export does, and so may a request for which
    *waits* says that it waits for its turn. One timer serves all requests: a timeout for each would
    cost five times as much.
    """

    def __init__(
        self, seconds: float, waits: Callable[["asyncio.Task[Any]"], bool] = lambda _: False
    ) -> None:
        self._seconds, self._waits = seconds, waits
        self._running: dict[RequestWatch, None] = {}  # in the order in which they began
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, watch: "RequestWatch") -> None:
        """Begin to watch a request."""
        loop = watch.task.get_loop()
        watch.since = loop.time()
        self._running[watch] = None
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._give_up_late)

    def end(self, watch: "RequestWatch") -> None:
        """Stop watching a request; nothing happens if that was done before."""
        self._running.pop(watch, None)

    def _give_up_late(self) -> None:
        """Cancel the requests that are late, and look again when the next one could be."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for watch in list(takewhile(lambda one: one.since + self._seconds <= now, self._running)):
            self.end(watch)
            if self._waits(watch.task):
                watch.since = now
                self._running[watch] = None
            else:
                watch.is_given_up = True
                watch.task.cancel()
        self._timer = None
        for watch in self._running:
            self._timer = loop.call_at(watch.since + self._seconds, self._give_up_late)
            break


class RequestWatch:
    """Watches the request that the current task answers, until its response begins.

    It is a context around the work for the request.
    """

    __slots__ = ("_deadline", "is_given_up", "since", "task")

    task: "asyncio.Task[Any]"
    since: float

    def __init__(self, deadline: Deadline) -> None:
        self._deadline, self.is_given_up = deadline, False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - the server runs each request as a task
        self.task = task
        self._deadline.begin(self)

    def end(self) -> None:
        """Stop watching: the response begins."""
        self._deadline.end(self)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Turn our own cancellation into an error.

        :raises DeadlineExceeded: the request was given up.
        """
        self.end()
        if not self.is_given_up:
            return
        others = self.task.uncancel()
        if kind is asyncio.CancelledError and not others:  # or the server is stopping
            raise DeadlineExceeded from None
