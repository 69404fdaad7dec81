"""What the holder of a partition's lease does: follow the log there, and build next to it.

It remembers the state of the partition that it has written. If a write fails, discard the shift
and open another, because memory and store may differ.
"""

import contextlib
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from eventstore.log import EventLog
from eventstore.recorded import Row, event_id, fills_read
from projections.base import Projection
from projections.engine.control import Control, PartState, Phase
from projections.engine.folding import RECENT_MAX, AnyFolder, Folder, ProjectionFailed
from projections.engine.planning import Projections, is_of, leaving
from projections.engine.reading import fold_rows
from projections.engine.store import Batch, OutOfTurn, Parked, ReadStore, Written

PASS_MAX = 200
"""Events per batch: few enough for readers and renewals, enough to share the cost of a commit."""
CATCH_UP_MAX = 1_000
"""Events per batch while readers are shown nothing yet."""
SLICE_BESIDE, SLICE_ALONE = 100, 500
"""Events per slice of a build, while the log grows and while it does not."""
LAGGARD_TURN = 8
"""What was left behind gets a slice after each batch that was not full, and after every 8th."""
_RECENT_MIN = 100
_WRITTEN = (Phase.LIVE, Phase.BUILDING, Phase.COMPARING)


class Shift:
    """Keeps the documents of one partition up to date in all collections, under one fence."""

    batch_max, catch_up_max = PASS_MAX, CATCH_UP_MAX
    bearable = CATCH_UP_MAX
    """The most events in one transaction, if the read store is slow."""

    def __init__(  # noqa: PLR0913 - it is made in one place, of what a projector has
        self,
        log: EventLog,
        store: ReadStore,
        projections: Projections,
        control: Control,
        *,
        part: int,
        fence: int,
    ) -> None:
        self._log, self._store, self.control, self.fence = log, store, control, fence
        self.part = part
        self._projections: dict[str, Projection[Any]] = {one.name: one for one in projections}
        self._patient = leaving(control, projections)
        self._recent_max = max(_RECENT_MIN, RECENT_MAX // log.parts)
        self.folders: list[AnyFolder] = []
        self.laggards: dict[str, AnyFolder] = {}
        self._batches = 0
        self._builders: dict[str, AnyFolder] = {}

    @property
    def state(self) -> PartState:
        """How far the partition is."""
        return self.control.part(self.part)

    async def open(self, parked: Sequence[Parked]) -> None:
        """Start from what is stored, and note which plan is followed from now on.

        :raises OutOfTurn: somebody else has written since, or holds the lease.
        """
        behind: dict[str, int] = {}
        for one in self.control.collections:
            if one.phase not in _WRITTEN:
                continue
            reached, projection = self.state.reached(one), self._projections.get(one.model)
            if projection is None or not is_of(one, projection):
                behind[one.name] = reached  # only the code that made it can fold into it
                continue
            building = one.phase is Phase.BUILDING
            ids = [each.id for each in parked if each.collection == one.name]
            level = reached >= self.state.position
            folder = self._folder(projection, one.name, ids, strict=building and not level)
            if building:
                await self._store.create(folder.target)
            if level:
                self.folders.append(folder)
            else:
                behind[one.name] = reached
                (self._builders if building else self.laggards)[one.name] = folder
        after = replace(self.state, plan=self.control.revision, behind=behind)
        if after != self.control.parts.get(self.part):
            await self.write(after)

    def _folder(
        self,
        projection: Projection[Any],
        name: str,
        parked: Sequence[str] = (),
        *,
        strict: bool = False,
    ) -> AnyFolder:
        return Folder(projection, name, parked, strict=strict, recent_max=self._recent_max)

    async def step(self) -> bool:
        """Do the next piece of work; return False if there was none."""
        busy = await self._pass()
        return await self._beside(busy=busy) or busy

    async def _beside(self, *, busy: bool) -> bool:
        """Do a piece of what waits beside the pass; return False if nothing does."""
        if not self.control.serving:
            return False
        laggards, builders = list(self.laggards), list(self._builders)
        self._batches += 1
        if laggards:
            if not busy or self._batches % LAGGARD_TURN == 0:
                await self._catch_up(laggards[0])
        elif builders:
            await self._build(builders[0], SLICE_BESIDE if busy else SLICE_ALONE)
        return bool(laggards or builders)

    async def _pass(self) -> bool:
        """Fold one batch of events into every collection of the pass."""
        state, serving = self.state, self.control.serving
        limit = min(self.bearable, self.batch_max if serving else self.catch_up_max)
        rows = await self._log.news.after(state.position, limit, self.part)
        if not rows:
            return False
        full = fills_read(rows, limit)
        left = self._patient if full and serving else set[str]()
        going = [folder for folder in self.folders if folder.target.collection in left]
        staying = [folder for folder in self.folders if folder.target.collection not in left]
        behind = {folder.target.collection: state.position for folder in going}
        written, parked = await fold_rows(self._log, self._store, rows, staying)
        after = replace(
            state,
            position=rows[-1].position,
            event_id=event_id(rows[-1]),
            behind={**state.behind, **behind},
        )
        await self.write(after, written, parked)
        self.folders = staying
        self.laggards |= {folder.target.collection: folder for folder in going}
        for folder in staying:
            folder.keep()
        return full

    async def write(
        self,
        state: PartState,
        written: Sequence[Written] = (),
        parked: Sequence[Parked] = (),
        unparked: Sequence[Parked] = (),
    ) -> None:
        """Write a batch under our fence.

        :raises OutOfTurn: somebody else has written since, or holds the lease.
        """
        self.control = await self._store.write(
            Batch(
                control=self.control.with_part(self.part, state),
                part=self.part,
                fence=self.fence,
                written=written,
                parked=parked,
                unparked=unparked,
            )
        )

    # Laggards and builds ----------------------------------------------------

    async def _catch_up(self, name: str) -> None:
        """Fold the next slice into a collection that was left behind; at the end it is back."""
        folder = self.laggards[name]
        rows, at = await self._next_slice(name, folder, SLICE_BESIDE)
        written, parked = await fold_rows(self._log, self._store, rows, [folder])
        await self.write(self._moved(name, at), written, parked)
        folder.keep()
        if name not in self.state.behind:
            self.folders.append(self.laggards.pop(name))

    async def _build(self, name: str, limit: int) -> None:
        """Fold the next slice into a collection being built; at the end it joins the pass."""
        folder = self._builders[name]
        rows, at = await self._next_slice(name, folder, limit)
        try:
            written, _ = await fold_rows(self._log, self._store, rows, [folder])
        except ProjectionFailed as failure:
            await self._give_up(name, str(failure))
            raise
        await self.write(self._moved(name, at), written)
        folder.keep()
        if name not in self.state.behind:  # from now on, what cannot be folded is parked
            self.folders.append(self._folder(folder.projection, name))
            del self._builders[name]

    async def _give_up(self, name: str, failure: str) -> None:
        """Note in the plan that a collection cannot be built."""
        with contextlib.suppress(OutOfTurn):  # it is tried again, and fails again
            for one in self.control.collections:
                if one.name == name:
                    failed = replace(one, phase=Phase.FAILED, failure=failure)
                    await self._store.write(Batch(control=self.control.with_collection(failed)))

    def _moved(self, name: str, at: int) -> PartState:
        """Return the state with a collection at another position; level, it is behind no more."""
        behind = {**self.state.behind, name: at}
        if at >= self.state.position:
            del behind[name]
        return replace(self.state, behind=behind)

    async def _next_slice(self, name: str, folder: AnyFolder, limit: int) -> tuple[list[Row], int]:
        """Return rows that the pass has already processed, and the position they lead to."""
        at, end, limit = self.state.behind[name], self.state.position, min(limit, self.bearable)
        rows = await self._log.tail_rows(at, limit, folder.projection.tags, self.part)
        full = fills_read(rows, limit) and rows[-1].position <= end
        return [row for row in rows if row.position <= end], rows[-1].position if full else end
