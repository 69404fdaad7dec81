"""What the holder of the lease does: follow the log, build next to it, and clean up.

It remembers the control record that it has written. If a write fails, discard the shift and open
another, because memory and store may differ.
"""

import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from msgspec.structs import replace

from eventstore.codec import event_id
from eventstore.log import EventLog
from eventstore.recorded import Row, fills_read
from projections.base import Projection
from projections.engine.control import Collection, Control, Phase, Place
from projections.engine.folding import AnyFolder, Folder, ProjectionFailed
from projections.engine.planning import Projections, in_the_pass, is_of, left_behind
from projections.engine.reading import fold_rows
from projections.engine.store import Batch, Parked, ReadStore, ShapedCollection, Written

PASS_MAX = 200
"""Events per batch: few enough for readers and renewals, enough to share the cost of a commit."""
CATCH_UP_MAX = 1_000
"""Events per batch while readers are shown nothing yet."""
SLICE_BESIDE, SLICE_ALONE = 100, 500
"""Events per slice of a build, while the log grows and while it does not."""
LAGGARD_TURN = 8
"""What was left behind gets a slice after each batch that was not full, and after every 8th."""
DROP_MAX = 500
GRACE_S = 10.0
"""How long a replaced collection is kept for readers that have not noticed yet."""


class Shift:
    """Keeps the collections of one control record up to date, under one fence."""

    batch_max, catch_up_max = PASS_MAX, CATCH_UP_MAX
    bearable = CATCH_UP_MAX
    """The most events in one transaction, if the read store is slow."""

    def __init__(
        self,
        log: EventLog,
        store: ReadStore,
        projections: Projections,
        control: Control,
        fence: int,
    ) -> None:
        self._log, self._store, self.control, self._fence = log, store, control, fence
        self._projections: dict[str, Projection[Any]] = {one.name: one for one in projections}
        self.folders: list[AnyFolder] = []
        self.laggards: dict[str, AnyFolder] = {}
        self._batches = 0
        self._builders: dict[str, AnyFolder] = {}
        self._retired_at: dict[str, float] = {}

    def take_up(self, parked: list[Parked]) -> None:
        """Start from what is stored."""
        for one in self.control.collections:
            projection = self._projections.get(one.model)
            if projection is None or one.phase not in (Phase.LIVE, Phase.COMPARING):
                continue
            ids = [each.id for each in parked if each.collection == one.name]
            if one.behind is None:
                self.folders.append(Folder(projection, one.name, ids))
            elif is_of(one, projection):
                self.laggards[one.name] = Folder(projection, one.name, ids)

    async def step(self) -> bool:
        """Do the next piece of work; return False if there was none."""
        busy = False
        for part in range(self._log.parts):
            busy |= await self._pass(part)
        return await self._beside(busy=busy) or busy or await self._clear()

    async def _beside(self, *, busy: bool) -> bool:
        """Do a piece of what waits beside the pass; return False if nothing does."""
        if not self.control.serving:
            return False
        collections = self.control.collections
        laggards = [one for one in collections if one.name in self.laggards]
        builds = [one for one in collections if one.phase is Phase.BUILDING]
        self._batches += 1
        if laggards:
            if not busy or self._batches % LAGGARD_TURN == 0:
                await self._catch_up(laggards[0])
        elif builds:
            await self._build(builds[0], SLICE_BESIDE if busy else SLICE_ALONE)
        return bool(laggards or builds)

    async def _pass(self, part: int) -> bool:
        """Fold one batch of events into every collection of the pass."""
        control = self.control
        after = control.position(part)
        limit = min(self.bearable, self.batch_max if control.serving else self.catch_up_max)
        rows = await self._log.news.after(after, limit, part)
        if not rows:
            return False
        full = fills_read(rows, limit)
        if full and control.serving:
            control = left_behind(control, [folder.projection for folder in self.folders])
        staying, leaving = self._sorted(control)
        written, parked = await fold_rows(self._log, self._store, rows, staying)
        place = Place(rows[-1].position, event_id(rows[-1]))
        control = replace(control, places={**control.places, part: place})
        await self.write(_serving(control), written, parked)
        self.folders = staying
        self.laggards |= {folder.target.collection: folder for folder in leaving}
        for folder in staying:
            folder.keep()
        return full

    def _sorted(self, control: Control) -> tuple[list[AnyFolder], list[AnyFolder]]:
        """Return which folders stay in the pass, and which leave it."""
        left = {one.name for one in control.collections if one.behind is not None}
        staying = [folder for folder in self.folders if folder.target.collection not in left]
        leaving = [folder for folder in self.folders if folder.target.collection in left]
        return staying, leaving

    async def write(
        self,
        control: Control,
        written: list[Written] | None = None,
        parked: list[Parked] | None = None,
        unparked: list[Parked] | None = None,
    ) -> None:
        """Write a batch under our fence.

        :raises OutOfTurn: somebody else has written since, or holds the lease.
        """
        shown = self.control.live_names
        self.control = await self._store.write(
            Batch(
                control=control,
                fence=self._fence,
                written=written or (),
                parked=parked or (),
                unparked=unparked or (),
            )
        )
        if self.control.live_names != shown:
            await self._store.show_live(self.control)

    # Laggards and builds ----------------------------------------------------

    async def _catch_up(self, collection: Collection) -> None:
        """Fold the next slice into a collection that was left behind; at the end it is back."""
        folder = self.laggards[collection.name]
        rows, behind = await self._next_slice(collection, folder, SLICE_BESIDE)
        written, parked = await fold_rows(self._log, self._store, rows, [folder])
        level = self._is_level(behind)
        after = replace(collection, behind=None if level else behind)
        await self.write(self.control.with_collection(after), written, parked)
        folder.keep()
        if level:
            self.folders.append(self.laggards.pop(collection.name))

    def _is_level(self, behind: Mapping[int, int]) -> bool:
        """Return whether these positions are those of the pass."""
        places = self.control.places.items()
        return all(behind.get(part, 0) >= place.position for part, place in places)

    async def _build(self, collection: Collection, limit: int) -> None:
        """Fold the next slice into a collection being built; at the end it joins the pass."""
        folder = self._builders.get(collection.name)
        if folder is None:
            folder = Folder(self._projections[collection.model], collection.name, strict=True)
            await self._store.create(folder.target)
            self._builders[collection.name] = folder
        rows, behind = await self._next_slice(collection, folder, limit)
        try:
            written, _ = await fold_rows(self._log, self._store, rows, [folder])
        except ProjectionFailed as failure:
            failed = replace(collection, phase=Phase.FAILED, failure=str(failure))
            await self.write(self.control.with_collection(failed))
            raise
        after = replace(collection, behind=behind)
        if self._is_level(behind):
            await self.write(in_the_pass(self.control, after), written)
            self._join(folder, after)
        else:
            await self.write(self.control.with_collection(after), written)
            folder.keep()

    async def _next_slice(
        self, collection: Collection, folder: AnyFolder, limit: int
    ) -> tuple[list[Row], dict[int, int]]:
        """Return rows that the pass has already processed, and the position they lead to."""
        behind, limit = dict(collection.behind or {}), min(limit, self.bearable)
        tags = folder.projection.tags
        for part, place in self.control.places.items():
            at = behind.get(part, 0)
            if at >= place.position:
                continue
            rows = await self._log.tail_rows(at, limit, tags, part)
            full = fills_read(rows, limit) and rows[-1].position <= place.position
            behind[part] = rows[-1].position if full else place.position
            return [row for row in rows if row.position <= place.position], behind
        return [], behind

    def _join(self, folder: AnyFolder, built: Collection) -> None:
        del self._builders[built.name]
        replaced = {one.name for one in self.control.collections if one.phase is Phase.RETIRED}
        kept = [one for one in self.folders if one.target.collection not in replaced]
        joining: AnyFolder = Folder(folder.projection, built.name)
        self.folders = [*kept, joining]

    # Clearing ---------------------------------------------------------------

    async def _clear(self) -> bool:
        """Delete a part of a collection that nobody reads any more."""
        if not self.control.serving:
            return False  # old collections are kept until the new ones are shown
        now = time.monotonic()
        for one in self.control.collections:
            if one.phase is not Phase.RETIRED:
                continue
            if now - self._retired_at.setdefault(one.name, now) < GRACE_S:
                continue
            if not await self._store.drop_piece(one.name, DROP_MAX):
                await self.write(self.control.without(one.name))
            return True
        return False


def _serving(control: Control) -> Control:
    """Return *control*, marked as shown to readers once it has reached its target."""
    reached = all(control.position(part) >= head for part, head in control.target.items())
    return replace(control, serving=control.serving or reached)


def new_owner() -> str:
    """Return a unique name for a holder of the lease."""
    return uuid4().hex


async def create_all(store: ReadStore, projections: Projections, control: Control) -> None:
    """Create the collections of *control* that our projections write to."""
    known = {one.name: one for one in projections}
    for one in control.collections:
        projection = known.get(one.model)
        if projection is None or one.phase not in (Phase.LIVE, Phase.BUILDING):
            continue
        if (one.version, one.layout) == (projection.version, projection.shape.layout):
            await store.create(ShapedCollection(one.name, projection.shape))
