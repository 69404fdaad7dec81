"""The deadline for a client to read what was written to its connection."""

import asyncio


class WriteDeadline:
    """Closes a connection whose client reads nothing for a while although bytes wait for it.

    A shrinking buffer shows that the client reads only while nothing more is written.
    """

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, deadline_s: float
    ) -> None:
        self._transport, self._loop, self._deadline_s = transport, loop, deadline_s
        self._timer: asyncio.TimerHandle | None = None
        self._nothing_follows = self._nothing_written = False
        self._unread = 0

    def watch(self, *, nothing_follows: bool) -> None:
        """Watch the client from now on; *nothing_follows* until the next call."""
        self._nothing_written = False
        self._nothing_follows = nothing_follows
        if self._timer is None:
            self._start()

    def stop(self) -> None:
        """Stop watching a closed connection."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _start(self) -> None:
        self._unread = self._transport.get_write_buffer_size()
        self._nothing_written = self._nothing_follows
        if self._unread:
            self._timer = self._loop.call_later(self._deadline_s, self._check)

    def _check(self) -> None:
        self._timer = None
        if self._nothing_written and self._transport.get_write_buffer_size() >= self._unread:
            self._transport.abort()
        else:
            self._start()
