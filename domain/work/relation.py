"""Relations between the tasks of an organization: which block, duplicate or concern each other.

Invariants
    1. No task is related to itself, and no two tasks twice in the same way.
    2. Tasks do not block each other in a circle.
    3. A task has at most ``RELATIONS_MAX`` relations, counted from both ends.

All of an organization's relations are one stream, because a circle may lead through any of them.
What open tasks block is counted besides (``commands/reservations.py``), so that whether a task can
be done takes one look-up.
"""

from collections.abc import Generator, Iterator
from enum import StrEnum
from functools import lru_cache
from typing import ClassVar, NamedTuple, assert_never, get_args
from uuid import UUID, uuid5

from immutables import Map
from msgspec import Struct, field
from msgspec.structs import replace

from domain.base import DomainError, Event, NotFound, OrgId, Refusal, TaskId

RELATIONS_MAX = 50
"""Of one task: more are a list, not relations."""


class RelationKind(StrEnum):
    """How one task is related to another."""

    BLOCKS = "blocks"
    BLOCKED_BY = "blocked_by"
    DUPLICATES = "duplicates"
    DUPLICATED_BY = "duplicated_by"
    RELATES = "relates"


SLICE = 1_000
"""Tasks that a search for a circle looks at in one step: 1 to 2 ms."""

OPPOSITE = {
    RelationKind.BLOCKS: RelationKind.BLOCKED_BY,
    RelationKind.BLOCKED_BY: RelationKind.BLOCKS,
    RelationKind.DUPLICATES: RelationKind.DUPLICATED_BY,
    RelationKind.DUPLICATED_BY: RelationKind.DUPLICATES,
    RelationKind.RELATES: RelationKind.RELATES,
}
"""What a relation is called from its other end."""

_STORED = (RelationKind.BLOCKS, RelationKind.DUPLICATES)


class Relation(NamedTuple):
    """One relation as it is stored: *from_* blocks or duplicates *to*, or concerns it.

    What concerns each other is stored once, the smaller id first.
    """

    kind: RelationKind
    from_: TaskId
    to: TaskId


def relation(task: TaskId, kind: RelationKind, other: TaskId) -> Relation:
    """Return the relation that *task* has to *other*, as it is stored."""
    forward = task.int < other.int if kind is RelationKind.RELATES else kind in _STORED
    return Relation(kind, task, other) if forward else Relation(OPPOSITE[kind], other, task)


@lru_cache(10_000)
def graph_of(org_id: OrgId) -> UUID:
    """Return the stream of an organization's relations."""
    return uuid5(org_id, "graph")


# Events ---------------------------------------------------------------------


class RelationAdded(Event, frozen=True, kw_only=True, omit_defaults=True, tag="relation.added"):
    """A task blocks, duplicates or concerns another one from now on.

    `open` says that it blocks the other one now, because it is not finished.
    """

    kind: RelationKind
    from_: TaskId = field(name="from")
    to: TaskId
    open: bool = False

    def field_keys(self) -> tuple[str, ...]:
        return (f"edges:{self.from_.int}", f"edges:{self.to.int}")


class RelationRemoved(Event, frozen=True, kw_only=True, omit_defaults=True, tag="relation.removed"):
    """A task no longer blocks, duplicates or concerns another one.

    `open` says that it blocked the other one until now, because it is not finished.
    """

    kind: RelationKind
    from_: TaskId = field(name="from")
    to: TaskId
    open: bool = False

    def field_keys(self) -> tuple[str, ...]:
        return (f"edges:{self.from_.int}", f"edges:{self.to.int}")


RelationEvent = RelationAdded | RelationRemoved


# State ----------------------------------------------------------------------


class Edges(Struct, frozen=True, gc=False):
    """The relations of one task: the numbers of the other tasks' ids by kind."""

    blocks: tuple[int, ...] = ()
    blocked_by: tuple[int, ...] = ()
    duplicates: tuple[int, ...] = ()
    duplicated_by: tuple[int, ...] = ()
    relates: tuple[int, ...] = ()

    def of(self, kind: RelationKind) -> tuple[int, ...]:
        """Return the tasks that are related in one way."""
        found: tuple[int, ...] = getattr(self, kind)
        return found

    @property
    def size(self) -> int:
        """How many relations the task has."""
        one_way = len(self.blocks) + len(self.duplicates) + len(self.relates)
        return one_way + len(self.blocked_by) + len(self.duplicated_by)

    def with_(self, kind: RelationKind, other: int) -> "Edges":
        """Return the relations with one more."""
        return replace(self, **{kind: (*self.of(kind), other)})

    def without(self, kind: RelationKind, other: int) -> "Edges":
        """Return the relations with one less."""
        return replace(self, **{kind: tuple(one for one in self.of(kind) if one != other)})


NO_EDGES = Edges()


class DependencyGraph(Struct, frozen=True, kw_only=True, gc=False):
    """All relations of an organization, by the numbers of the tasks' ids.

    Numbers, because looking up a UUID is Python code; a map that shares what did not change with
    the one before, because each event gives a new state.
    """

    platform: ClassVar[bool] = False
    folds: ClassVar[tuple[type[Event], ...]] = get_args(RelationEvent)

    edges: Map[int, Edges] = Map()

    def evolve(self, event: RelationEvent) -> "DependencyGraph":
        kind, one, two = event.kind, event.from_.int, event.to.int
        first, second = self.edges.get(one, NO_EDGES), self.edges.get(two, NO_EDGES)
        match event:
            case RelationAdded():
                changed = first.with_(kind, two), second.with_(OPPOSITE[kind], one)
            case RelationRemoved():
                changed = first.without(kind, two), second.without(OPPOSITE[kind], one)
            case _:
                assert_never(event)
        return DependencyGraph(edges=self.edges.update({one: changed[0], two: changed[1]}))

    def relations(self, task: TaskId) -> Iterator[tuple[RelationKind, TaskId]]:
        """Yield the relations of a task: how it is related to which task."""
        edges = self.edges.get(task.int, NO_EDGES)
        for kind in RelationKind:
            yield from ((kind, TaskId(UUID(int=other))) for other in edges.of(kind))

    def blocked_by(self, task: TaskId) -> tuple[TaskId, ...]:
        """Return the tasks that *task* blocks while it is open."""
        blocked = self.edges.get(task.int, NO_EDGES).blocks
        return tuple(TaskId(UUID(int=other)) for other in blocked)

    def blockers_of(self, task: TaskId) -> tuple[TaskId, ...]:
        """Return the tasks that block *task* while they are open."""
        blockers = self.edges.get(task.int, NO_EDGES).blocked_by
        return tuple(TaskId(UUID(int=other)) for other in blockers)

    # Decisions: each returns the events to record.

    def add(self, added: Relation, *, is_open: bool) -> Generator[None, None, list[RelationEvent]]:
        """Add a relation, in steps; *is_open* says that its first task is not finished.

        The search for a circle may lead through all tasks of the organization, so it stops every
        ``SLICE`` tasks, for something else to be done between.

        :raises RelationToItself: a task cannot be related to itself.
        :raises RelationExists: it is there.
        :raises TooManyRelations: one of the tasks has too many.
        :raises RelationCycle: tasks would block each other.
        """
        kind, one, two = added.kind, added.from_.int, added.to.int
        if one == two:
            raise RelationToItself
        first, second = self.edges.get(one, NO_EDGES), self.edges.get(two, NO_EDGES)
        if two in first.of(kind):
            raise RelationExists
        if max(first.size, second.size) >= RELATIONS_MAX:
            raise TooManyRelations(limit=RELATIONS_MAX)
        if kind is RelationKind.BLOCKS and (yield from self._leads(two, one)):
            raise RelationCycle
        now = is_open and kind is RelationKind.BLOCKS
        return [RelationAdded(kind=kind, from_=added.from_, to=added.to, open=now)]

    def remove(self, removed: Relation, *, is_open: bool) -> list[RelationEvent]:
        """Remove a relation; *is_open* is as in ``add``.

        :raises NotFound: it is not there.
        """
        kind, one, two = removed.kind, removed.from_.int, removed.to.int
        if two not in self.edges.get(one, NO_EDGES).of(kind):
            raise NotFound
        now = is_open and kind is RelationKind.BLOCKS
        return [RelationRemoved(kind=kind, from_=removed.from_, to=removed.to, open=now)]

    def _leads(self, start: int, goal: int) -> Generator[None, None, bool]:
        """Return whether *start* blocks *goal*, directly or through others.

        It looks from both ends and always goes on from the smaller side, so that it takes at most
        twice as many steps as there are tasks on that side.
        """
        ahead, behind = _Side("blocks", {start}, {start}), _Side("blocked_by", {goal}, {goal})
        looked = 0
        while ahead.front and behind.front:
            side, other = (
                (ahead, behind) if len(ahead.front) <= len(behind.front) else (behind, ahead)
            )
            found: set[int] = set()
            for one in side.front:
                found.update(getattr(self.edges.get(one, NO_EDGES), side.kind))
                looked += 1
                if looked % SLICE == 0:
                    yield
            found -= side.seen
            if not other.seen.isdisjoint(found):
                return True
            side.seen |= found
            side.front = found
        return False


class _Side(Struct):
    """How far a search has come from one end: the tasks seen, and those seen last."""

    kind: str
    seen: set[int]
    front: set[int]


# Errors ---------------------------------------------------------------------


class RelationToItself(DomainError):
    """A task cannot be related to itself."""

    code = "relation_to_itself"
    refusal = Refusal.CONFLICT


class RelationExists(DomainError):
    """These tasks are already related in this way."""

    code = "relation_exists"
    refusal = Refusal.CONFLICT


class RelationCycle(DomainError):
    """These tasks would block each other: the other one blocks this one, perhaps through others."""

    code = "relation_cycle"
    refusal = Refusal.CONFLICT


class TooManyRelations(DomainError):
    """A task can have at most 50 relations. Remove one first."""

    code = "too_many_relations"
    refusal = Refusal.CONFLICT
