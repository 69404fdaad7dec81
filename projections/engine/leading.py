"""What the projector of the first partition does for all: it plans, switches and cleans up."""

import logging
import time

from eventstore.log import EventLog
from projections.engine.control import Control, Phase
from projections.engine.following import follows
from projections.engine.planning import Projections, begun, planned, settled
from projections.engine.store import Batch, ReadStore, ShapedCollection

CHECK_EVERY_S = 60.0
"""How often a projector checks that the log is still the same one."""
BUILD_AGAIN_S = 60.0
DROP_MAX = 500
GRACE_S = 10.0
"""How long a replaced collection is kept for readers that have not noticed yet."""

_logger = logging.getLogger(__name__)


class Leader:
    """Reads the plan for every projector, and changes it for the one that leads."""

    def __init__(self, projections: Projections, log: EventLog, store: ReadStore) -> None:
        self._projections, self._log, self._store = projections, log, store
        self._checked_at = self._planned_at = float("-inf")
        self._life = ""
        self._has_led = False
        self._retired_at: dict[str, float] = {}

    async def planned(self, fence: int | None, *, is_new: bool) -> Control | None:
        """Return the plan as it is now; None if it has to be changed and somebody else leads.

        With *fence*, that of the first partition, we lead and change it. *is_new* means that we
        know no plan yet, or have forgotten it after a failure.

        :raises Outdated: it is of a newer version.
        :raises OutOfTurn: somebody else has changed it.
        """
        found = await self._store.control()
        control = await self._wanted(found, leads=fence is not None, is_new=is_new)
        if control != found and fence is None:
            return None
        if fence is not None:
            self._has_led = True
            if is_new or control != found:
                await create_all(self._store, self._projections, control)
            if control != found:
                control = await self._store.write(Batch(control=control, fence=fence))
            if is_new or control != found:  # whoever switched last may have died before this
                await self._store.show_live(control)
        if control.life != self._life:
            self._log.news.forget()
            self._life = control.life
        return control

    async def _wanted(self, found: Control | None, *, leads: bool, is_new: bool) -> Control:
        now = time.monotonic()
        check = is_new or now - self._checked_at > CHECK_EVERY_S
        if check:
            self._checked_at = now
        if found is None or (check and not await follows(self._log, found)):
            heads = {p: await self._log.last_position(p) for p in range(self._log.parts)}
            if found is not None and leads:
                _logger.error("the log is a different one: all read models are rebuilt from it")
            return begun(found, self._projections, await self._log.identity(), heads)
        again = leads and is_new and now - self._planned_at > BUILD_AGAIN_S
        self._planned_at = now if again else self._planned_at
        first = leads and not self._has_led
        return planned(found, self._projections, again=again, first=first)

    async def lead(self, known: Control, fence: int) -> bool:
        """Change the plan after what all have reached, or clean up; return False if neither.

        :raises OutOfTurn: somebody else has changed it.
        """
        under_way = {one.phase for one in known.collections} & {Phase.BUILDING, Phase.RETIRED}
        if known.serving and not under_way:
            return False
        found = await self._store.control()
        if found is None or found.revision != known.revision:
            return True
        after = settled(found)
        if after == found:
            return found.serving and await self._clear(found, fence)
        written = await self._store.write(Batch(control=after, fence=fence))
        if written.live_names != found.live_names:
            await self._store.show_live(written)
        return True

    async def _clear(self, control: Control, fence: int) -> bool:
        """Delete a part of a collection that nobody reads or writes any more."""
        now = time.monotonic()
        for one in control.collections:
            if one.phase is not Phase.RETIRED:
                continue
            since = self._retired_at.setdefault(one.name, now)
            if now - since < GRACE_S or not control.is_followed:
                continue
            if not await self._store.drop_piece(one.name, DROP_MAX):
                del self._retired_at[one.name]
                await self._store.write(Batch(control=control.without(one.name), fence=fence))
            return True
        return False


async def create_all(store: ReadStore, projections: Projections, control: Control) -> None:
    """Create the collections of *control* that our projections write to."""
    known = {one.name: one for one in projections}
    for one in control.collections:
        projection = known.get(one.model)
        if projection is None or one.phase not in (Phase.LIVE, Phase.BUILDING):
            continue
        if (one.version, one.layout) == (projection.version, projection.shape.layout):
            await store.create(ShapedCollection(one.name, projection.shape))
