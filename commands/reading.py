"""What a decision may read: folded streams, each with the version at which it was read.

A decision is a plain function that asks for states by id. What is not in memory yet makes it
stop (``NotLoaded``); the handler loads the stream and calls it again. So decisions stay pure and
synchronous, and every version that they saw is verified by the append.
"""

from collections import OrderedDict
from typing import Any, TypeVar, cast
from uuid import UUID

from msgspec import Struct

from domain.base import PLATFORM, NotFound, OrgId, ProjectId, State

S = TypeVar("S", bound=State)

CACHE_MAX = 100_000
"""Folded streams kept in memory: some 100 MB of tasks."""


class Loaded(Struct, frozen=True):
    """A folded stream; version 0 is a stream that does not exist."""

    state: State
    version: int
    org_id: OrgId | None


class StateCache:
    """Folded states by stream, least recently used ones dropped first.

    Correctness never depends on it: the append verifies every version that was read.
    """

    def __init__(self, size_max: int = CACHE_MAX) -> None:
        self._size_max = size_max
        self._loaded: OrderedDict[UUID, Loaded] = OrderedDict()

    def get(self, stream: UUID) -> Loaded | None:
        found = self._loaded.get(stream)
        if found is not None:
            self._loaded.move_to_end(stream)
        return found

    def put(self, stream: UUID, loaded: Loaded) -> None:
        """Keep *loaded* unless a newer version is there."""
        known = self._loaded.get(stream)
        if known is None or known.version < loaded.version:
            self._loaded[stream] = loaded
            if len(self._loaded) > self._size_max:
                self._loaded.popitem(last=False)

    def drop(self, stream: UUID) -> None:
        self._loaded.pop(stream, None)


class NotLoaded(Exception):
    """The decision needs a stream that is not in memory."""

    def __init__(self, kind: type[State], stream: UUID) -> None:
        super().__init__(f"{kind.__name__} {stream} is not loaded")
        self.kind, self.stream = kind, stream


class NumberUnknown(Exception):
    """The decision needs the next task number of a project that this process does not know."""

    def __init__(self, project_id: ProjectId) -> None:
        super().__init__(f"next task number of {project_id} is not known")
        self.project_id = project_id


class Numbers:
    """The next free task number of each project, as a hint.

    Losing it costs a look at the claims; it being wrong costs a retry. Never more, as the claim
    stream decides who has a number.
    """

    def __init__(self) -> None:
        self._next: dict[ProjectId, int] = {}

    def take(self, project_id: ProjectId) -> int:
        if project_id not in self._next:
            raise NumberUnknown(project_id)
        number = self._next[project_id]
        self._next[project_id] = number + 1
        return number

    def give_back(self, project_id: ProjectId, number: int) -> None:
        """Let *number* be taken again: the command that took it wrote nothing."""
        if project_id in self._next:
            self._next[project_id] = min(self._next[project_id], number)

    def start_at(self, project_id: ProjectId, number: int) -> None:
        self._next.setdefault(project_id, number)

    def skip_to(self, project_id: ProjectId, number: int) -> None:
        """Take no number below *number* any more: they are held."""
        self._next[project_id] = max(self._next.get(project_id, number), number)

    def forget(self, project_id: ProjectId) -> None:
        self._next.pop(project_id, None)


class Reading:
    """The reads of one decision. Call it with a kind of state and a stream id."""

    def __init__(
        self,
        cache: StateCache,
        numbers: Numbers,
        org_id: OrgId | None,
        extra: dict[UUID, Loaded],
    ) -> None:
        self._cache, self._numbers, self._org_id, self.extra = cache, numbers, org_id, extra
        self.loaded: dict[UUID, tuple[type[State], Loaded]] = {}
        self.assumed: dict[UUID, int] = {}
        self.taken: tuple[ProjectId, int] | None = None

    def __call__(self, kind: type[S], stream: UUID) -> S:
        """Return the state of *stream* in the caller's organization (or on the platform).

        A stream that does not exist gives the initial state; one of another organization, or of
        another kind, does not exist for the caller.
        """
        found = self._cache.get(stream) or self.extra.get(stream)
        if found is None:
            raise NotLoaded(kind, stream)
        self.loaded[stream] = (kind, found)
        owner = PLATFORM if kind.platform else self._org_id
        if found.org_id is not None and found.org_id != owner:
            raise NotFound
        if not isinstance(found.state, kind):
            raise NotFound
        return found.state

    def new(self, kind: type[S], stream: UUID) -> S:
        """Return the state of a stream that is most likely new, without looking.

        The append verifies the guess; a wrong one comes back with the stream in memory.
        """
        if self._cache.get(stream) or stream in self.extra:
            return self(kind, stream)
        initial = Loaded(kind(), 0, None)
        self.loaded[stream] = (kind, initial)
        return cast(S, initial.state)

    def assume(self, stream: UUID, version: int) -> None:
        """Let the append verify that *stream* is at *version*, without looking now."""
        self.assumed[stream] = version

    def next_number(self, project_id: ProjectId) -> int:
        """Return the next task number of a project, most likely free."""
        number = self._numbers.take(project_id)
        self.taken = (project_id, number)
        return number

    def version(self, stream: UUID) -> int:
        return self.loaded[stream][1].version

    @property
    def expects(self) -> dict[UUID, int]:
        """Every stream that the decision read or assumed, with its version."""
        versions: dict[UUID, Any] = {s: found.version for s, (_, found) in self.loaded.items()}
        versions.update(self.assumed)
        return versions
