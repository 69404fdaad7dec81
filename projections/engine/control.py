"""The control record: which collections exist, which of them readers get, their checkpoints.

It is one small record next to the documents, written in the same transaction.
"""

from enum import StrEnum
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from eventstore.store import LogIdentity


class Phase(StrEnum):
    """The phase of a collection; the values are stored."""

    LIVE = "live"
    BUILDING = "building"
    COMPARING = "comparing"
    FAILED = "failed"
    RETIRED = "retired"


class Place(Struct, frozen=True):
    """A position in one partition of the log, and the id of the event there."""

    position: int = 0
    event_id: UUID | None = None


class Collection(Struct, frozen=True, kw_only=True):
    """The documents of one version of one read model.

    ``behind`` is its position in each partition while that differs from the checkpoint: for a
    collection that is being built, a live one that lags (see ``Projection.patient``), or a live
    one of an older version that will be replaced.
    """

    name: str
    model: str
    version: int
    layout: str
    phase: Phase
    build: int = 0
    behind: dict[int, int] | None = None
    verify: bool = False
    failure: str = ""


class Control(Struct, frozen=True, kw_only=True):
    """The checkpoint of the main pass, and every collection.

    ``serving`` is false from the first start, or from the detection of another log, until the read
    models have reached ``target``, the head at that moment. ``revision`` counts writes; a writer
    names the revision that it has read.
    """

    revision: int = 0
    log: LogIdentity | None = None
    places: dict[int, Place] = {}
    target: dict[int, int] = {}
    serving: bool = False
    collections: tuple[Collection, ...] = ()

    def position(self, part: int = 0) -> int:
        """Return the checkpoint of the main pass in a partition."""
        return self.places.get(part, Place()).position

    def live(self, model: str) -> Collection | None:
        """Return the collection that readers of *model* get."""
        for one in self.collections:
            if one.model == model and one.phase is Phase.LIVE:
                return one
        return None

    @property
    def live_names(self) -> dict[str, str]:
        """The name of the live collection of each model."""
        return {one.model: one.name for one in self.collections if one.phase is Phase.LIVE}

    def building(self, model: str) -> Collection | None:
        """Return the collection that will replace the live one."""
        for one in self.collections:
            if (one.model, one.phase, one.verify) == (model, Phase.BUILDING, False):
                return one
        return None

    def named(self, name: str) -> Collection | None:
        """Return a collection by its name."""
        return next((one for one in self.collections if one.name == name), None)

    def reached(self, model: str, part: int = 0) -> int:
        """Return the checkpoint of the live collection of *model* in a partition."""
        live = self.live(model)
        if live is None:
            return 0
        return self.position(part) if live.behind is None else live.behind.get(part, 0)

    def progress(self) -> float:
        """Return the share of the log, from 0 to 1, that is in the read models being built."""
        wanted = sum(self.target.values())
        done = sum(min(self.position(part), of) for part, of in self.target.items())
        return done / wanted if wanted else 1.0

    def with_collection(self, changed: Collection) -> "Control":
        """Return a copy with *changed* added, or replacing the collection of that name."""
        others = [one for one in self.collections if one.name != changed.name]
        return replace(self, collections=(*others, changed))

    def without(self, name: str) -> "Control":
        """Return a copy without a collection."""
        kept = tuple(one for one in self.collections if one.name != name)
        return replace(self, collections=kept)

    def next_build(self, model: str) -> int:
        """Return the number of the next collection of *model*."""
        return max((one.build for one in self.collections if one.model == model), default=0) + 1
