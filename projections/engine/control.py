"""The control record: which collections exist, which of them readers get, their checkpoints.

It consists of small records next to the documents: the plan, and one for each partition of the
log, which is written in the same transaction as the documents of that partition.
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


class Collection(Struct, frozen=True, kw_only=True):
    """The documents of one version of one read model.

    ``since`` is the revision of the plan that it first appeared in.
    """

    name: str
    model: str
    version: int
    layout: str
    phase: Phase
    build: int = 0
    since: int = 0
    verify: bool = False
    failure: str = ""


class PartState(Struct, frozen=True, kw_only=True):
    """How far one partition of the log is projected: its checkpoint, and the event there.

    ``behind`` has the positions of those collections that have not got that far: one that is
    being built, a live one that lags (see ``Projection.patient``), or a live one of an older
    version that will be replaced. ``plan`` is the revision of the plan that it was written by,
    and ``life`` that of the plan's. ``token`` is another one after each write; a writer names
    the one that it has read.
    """

    life: str = ""
    plan: int = 0
    token: str = ""
    position: int = 0
    event_id: UUID | None = None
    behind: dict[str, int] = {}

    def reached(self, one: Collection) -> int:
        """Return the position up to which the events are in a collection."""
        return self.behind.get(one.name, self.position) if one.since <= self.plan else 0

    def is_level(self, one: Collection) -> bool:
        """Return whether a collection has got as far as the checkpoint."""
        return one.since <= self.plan and one.name not in self.behind


class Control(Struct, frozen=True, kw_only=True):
    """The plan, and how far each partition is.

    ``serving`` is false from the first start, or from the detection of another log, until the read
    models have reached ``target``, the head at that moment. ``life`` is another one each time that
    they begin again; the record of a partition in an earlier life means nothing. ``revision``
    counts writes of the plan; a writer names the revision that it has read.
    """

    revision: int = 0
    life: str = ""
    log: LogIdentity | None = None
    partitions: int = 1
    target: dict[int, int] = {}
    serving: bool = False
    collections: tuple[Collection, ...] = ()
    parts: dict[int, PartState] = {}

    def part(self, part: int) -> PartState:
        """Return how far a partition is in this life."""
        found = self.parts.get(part, PartState())
        return found if found.life == self.life else PartState(life=self.life, token=found.token)

    def position(self, part: int = 0) -> int:
        """Return the checkpoint of a partition."""
        return self.part(part).position

    @property
    def head(self) -> int:
        """The checkpoints of all partitions together."""
        return sum(self.position(part) for part in range(self.partitions))

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
        """Return the position of the live collection of *model* in a partition."""
        live = self.live(model)
        return 0 if live is None else self.part(part).reached(live)

    def behind(self, one: Collection) -> dict[int, int]:
        """Return the positions of a collection in the partitions where it is not level."""
        parts = {part: self.part(part) for part in range(self.partitions)}
        return {at: part.reached(one) for at, part in parts.items() if not part.is_level(one)}

    @property
    def is_followed(self) -> bool:
        """Whether the writers of all partitions know this plan."""
        return all(self.part(p).plan == self.revision for p in range(self.partitions))

    def progress(self) -> float:
        """Return the share of the log, from 0 to 1, that is in the read models being built."""
        wanted = sum(self.target.values())
        done = sum(min(self.position(part), of) for part, of in self.target.items())
        return done / wanted if wanted else 1.0

    def with_collection(self, changed: Collection) -> "Control":
        """Return a copy with *changed* added, or replacing the collection of that name."""
        others = [one for one in self.collections if one.name != changed.name]
        return replace(self, collections=(*others, changed))

    def with_part(self, part: int, changed: PartState) -> "Control":
        """Return a copy with another state of a partition."""
        return replace(self, parts={**self.parts, part: changed})

    def without(self, name: str) -> "Control":
        """Return a copy without a collection."""
        kept = tuple(one for one in self.collections if one.name != name)
        return replace(self, collections=kept)

    def next_build(self, model: str) -> int:
        """Return the number of the next collection of *model*."""
        return max((one.build for one in self.collections if one.model == model), default=0) + 1
