"""The progress of the read models, for readers who wait for what was recorded."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import cast

from eventstore.log import EventLog
from projections.engine.control import Control
from projections.engine.following import follows
from projections.engine.store import ReadStore, ReadStoreUnavailable, Rebuilding

_POLL_S = 0.005
_FRESH_S = 1.0
"""How long a process may keep reading a collection after it was replaced."""
_CHECK_EVERY_S = 60.0
"""How often a process checks that the read models belong to the log that it writes to."""


def _tell_nobody() -> None:
    """Do nothing."""


class Progress:
    """The control record as last seen by this process.

    One read of the record serves all waiting requests. With a *log*, read models that were built
    from another log are not shown, because a backup may have been restored.
    """

    def __init__(
        self,
        store: ReadStore,
        log: EventLog | None = None,
        hurry: Callable[[], None] = _tell_nobody,
    ) -> None:
        """*hurry* is called when a reader has to wait until more is projected."""
        self._store, self._log, self._hurry = store, log, hurry
        self._known: Control | None = None
        self._read_at = self._checked_at = float("-inf")
        self._look: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    async def control(self) -> Control:
        """Return the control record, read at most ``_FRESH_S`` ago.

        :raises Rebuilding: nothing has been projected yet, or only from another log.
        :raises ReadStoreUnavailable: the read models do not answer.
        """
        if self._known is None or time.monotonic() - self._read_at > _FRESH_S:
            await self.refresh()
        return cast("Control", self._known)

    async def refresh(self) -> None:
        """Read the control record now.

        :raises Rebuilding: nothing has been projected yet, or only from another log.
        :raises ReadStoreUnavailable: the read models do not answer.
        """
        try:
            found = await self._store.control()
        except ReadStoreUnavailable:
            self._checked_at = float("-inf")  # the next answer may come from another store
            raise
        if found is None:
            raise Rebuilding(0.0)
        await self._refuse_other_log(found)
        self.note(found)

    async def refuse_unless_serving(self) -> None:
        """Read the control record, and raise unless the read models are shown to readers.

        :raises Rebuilding: they are not shown yet.
        :raises ReadStoreUnavailable: the read models do not answer.
        """
        await self.refresh()
        if self._known is None or not self._known.serving:
            raise Rebuilding(0.0 if self._known is None else self._known.progress())

    async def _refuse_other_log(self, control: Control) -> None:
        now = time.monotonic()
        known = self._known
        same = known is not None and known.log == control.log
        if self._log is None or (same and now - self._checked_at < _CHECK_EVERY_S):
            return
        if control.serving and not await follows(self._log, control):
            self._known = None
            raise Rebuilding(0.0)
        self._checked_at = now

    def note(self, control: Control) -> None:
        """Take over a control record that somebody in this process has read or written."""
        self._read_at = time.monotonic()
        if self._known == control:
            return
        self._known = control
        self._changed.set()  # all waiting readers check again
        self._changed = asyncio.Event()

    async def reached(self, model: str, position: int, timeout_s: float, part: int = 0) -> bool:
        """Wait until readers of *model* see every event up to *position*.

        Return False if they do not within *timeout_s* seconds. Known progress needs no I/O.

        :raises Rebuilding: the read models are not shown yet.
        :raises ReadStoreUnavailable: the read models do not answer.
        """
        if self._knows(model, position, part):
            return True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._next_look()
                if not self._knows(model, position, part):
                    self._hurry()
                while not self._knows(model, position, part):
                    await self._next_look()
                return True
        return False

    def _knows(self, model: str, position: int, part: int) -> bool:
        known = self._known
        return known is not None and known.serving and known.reached(model, part) >= position

    async def _next_look(self) -> None:
        """Return after the next read of the record, or as soon as a newer one is noted."""
        look = self._look
        if look is None or look.done():
            look = self._look = asyncio.create_task(self._read())
            look.add_done_callback(_retrieved)
        noted = asyncio.create_task(self._changed.wait())
        try:
            await asyncio.wait((look, noted), return_when=asyncio.FIRST_COMPLETED)
        finally:
            noted.cancel()
        if look.done():
            look.result()

    async def _read(self) -> None:
        await self.refuse_unless_serving()
        await asyncio.sleep(_POLL_S)


def _retrieved(look: asyncio.Task[None]) -> None:
    # If everybody who waited has given up, nobody else retrieves its exception.
    if not look.cancelled():
        look.exception()
