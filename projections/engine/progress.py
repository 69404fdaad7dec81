"""How far the read models are, for readers who want to see what they wrote."""

import asyncio
import contextlib

from projections.engine.checkpoints import Database, Phase, Pointers, read_checkpoint

_POLL_S = 0.005


class Progress:
    """The positions that this process has seen the read models reach.

    However many requests wait for one read model, one look at its checkpoint serves them all.
    """

    def __init__(self, database: Database, pointers: Pointers) -> None:
        self._database, self._pointers = database, pointers
        self._positions: dict[str, int] = {}
        self._looks: dict[str, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()

    def note(self, collection: str, position: int) -> None:
        """Take note that *collection* has reached *position*, from whoever knows it first."""
        if position > self._positions.get(collection, 0):
            self._positions[collection] = position
            self._changed.set()  # everybody who waits now looks again
            self._changed = asyncio.Event()

    async def reached(self, name: str, position: int, timeout_s: float) -> bool:
        """Wait until the read model *name* holds every event up to *position*.

        False when it does not within *timeout_s* seconds. No I/O when it is known already.

        :raises PyMongoError: the read models do not answer.
        """
        if await self._knows(name, position):
            return True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not await self._knows(name, position):
                    await self._look(name)
                return True
        return False

    async def _knows(self, name: str, position: int) -> bool:
        collection = await self._pointers.collection(name)
        return position <= self._positions.get(collection or "", 0)

    async def _look(self, name: str) -> None:
        """Return after the next look at the checkpoint, or as soon as one was noted."""
        look = self._looks.get(name)
        if look is None or look.done():
            look = self._looks[name] = asyncio.create_task(self._read(name))
            look.add_done_callback(_retrieved)
        noted = asyncio.create_task(self._changed.wait())
        try:
            await asyncio.wait((look, noted), return_when=asyncio.FIRST_COMPLETED)
        finally:
            noted.cancel()
        if look.done():
            look.result()

    async def _read(self, name: str) -> None:
        collection = await self._pointers.collection(name)
        checkpoint = await read_checkpoint(self._database, collection) if collection else None
        if checkpoint is None or checkpoint.phase is not Phase.LIVE:
            await self._pointers.fresh(name)  # replaced meanwhile: the next look is at that one
        else:
            self.note(checkpoint.collection, checkpoint.position)
        await asyncio.sleep(_POLL_S)


def _retrieved(look: asyncio.Task[None]) -> None:
    # When everybody who waited has given up, nobody else asks for its failure.
    if not look.cancelled():
        look.exception()
