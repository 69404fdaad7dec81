"""The reads of one decision: folded streams, each with the version at which it was read.

The append verifies all of these versions, so whatever a decision read still holds when its events
are recorded.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from commands.states import Loaded, States, kind_of, owner_of
from domain.base import PLATFORM, Event, NotFound, OrgId, State
from domain.identity.organization.state import Organization
from eventstore.claim import ClaimKey, CountKey

S = TypeVar("S", bound=State)


class Reads:
    """The reads of one decision. Call it with a type of state and a stream id."""

    def __init__(self, states: States, org_id: OrgId | None) -> None:
        self._states, self._org_id = states, org_id
        self.loaded: dict[UUID, Loaded[Any]] = {}
        """Every stream that the decision read, as it was then."""
        self._held: dict[ClaimKey, UUID | None] = {}
        self._noted: dict[CountKey, int] = {}

    async def __call__(self, kind: type[S], stream: UUID) -> S:
        """Return the state of *stream* in the caller's organization (or on the platform).

        A stream that does not exist gives the initial state.

        :raises NotFound: it is another organization's, or has another type of state.
        """
        found = self.loaded.get(stream) or self._remembered(stream)
        if found is None:
            found = self.loaded[stream] = await self._states.load(kind, stream, self._org_id)
        return self._checked(kind, found)

    async def elsewhere(self, org_id: OrgId) -> Organization:
        """Return an organization that the caller need not work in, as for what ends a membership.

        What may be told of it, or changed in it, is up to the command.
        """
        found = self.loaded.get(org_id) or self._remembered(org_id)
        if found is None:
            found = self.loaded[org_id] = await self._states.load(Organization, org_id, org_id)
        state = found.state
        if not isinstance(state, Organization):
            raise NotFound
        return state

    def new(self, kind: type[S], stream: UUID) -> S:
        """Return the state of a stream that is probably new, without reading the log.

        The append verifies this; if it is wrong, the stream is in memory for the next attempt.
        """
        found = self.loaded.get(stream) or self._remembered(stream)
        if found is None:
            found = self.loaded[stream] = Loaded(kind(), 0, None, None)
        return self._checked(kind, found)

    async def settled(self, kind: type[S], stream: UUID) -> S:
        """Return the state of *stream* for what never changes once it exists.

        The append does not verify its version, so a decision must rest on nothing else of it.

        :raises NotFound: it is another organization's, or has another type of state.
        """
        known = self._states.cache.get(stream)
        if known is None:
            known = await self._states.load(kind, stream, self._org_id)
        return self._checked(kind, known)

    async def holders(self, claims: Sequence[ClaimKey]) -> dict[ClaimKey, UUID]:
        """Return who holds each of *claims* now; free ones are left out."""
        found = await self._states.holders(claims)
        self._held.update({claim: found.get(claim) for claim in claims})
        return found

    async def counted(self, counts: Sequence[CountKey]) -> dict[CountKey, int]:
        """Return the values of *counts* now, which the append does not verify."""
        return await self._states.counted(counts)

    async def noted(self, counts: Sequence[CountKey]) -> dict[CountKey, int]:
        """Return the values of *counts* now, on which the decision rests.

        The append does not verify them; if it refuses something, they are looked at again.
        """
        found = await self._states.counted(counts)
        self._noted.update(found)
        return found

    async def others_moved(self) -> bool:
        """Return whether a claim, or a count, that the decision looked at is another now."""
        return await self._claims_moved() or await self._counts_moved()

    async def _claims_moved(self) -> bool:
        if not self._held:
            return False
        found = await self._states.holders(list(self._held))
        return any(found.get(claim) != holder for claim, holder in self._held.items())

    async def _counts_moved(self) -> bool:
        return bool(self._noted) and await self._states.counted(list(self._noted)) != self._noted

    def version(self, stream: UUID) -> int:
        """Return the version at which *stream* was read."""
        return self.loaded[stream].version

    def changed_at(self, stream: UUID) -> datetime | None:
        """Return when *stream*, as it was read, changed last; None if it does not exist."""
        return self.loaded[stream].at

    def is_new(self, stream: UUID) -> bool:
        """Return whether *stream* was read and does not exist yet."""
        found = self.loaded.get(stream)
        return found is not None and not found.version

    @property
    def expects(self) -> dict[UUID, int]:
        """Every stream that the decision read, with its version."""
        return {stream: found.version for stream, found in self.loaded.items()}

    @property
    def owners(self) -> dict[UUID, OrgId]:
        """The owner of each of these streams that is not the caller's organization's."""
        owners = {
            s: found.org_id or owner_of(kind_of(found), s, self._org_id)
            for s, found in self.loaded.items()
        }
        return {stream: owner for stream, owner in owners.items() if owner != self._org_id}

    @property
    def organization(self) -> Organization | None:
        """The caller's organization, if this decision read it."""
        read = None if self._org_id is None else self.loaded.get(self._org_id)
        state = None if read is None else read.state
        return state if isinstance(state, Organization) else None

    def _remembered(self, stream: UUID) -> Loaded[Any] | None:
        """Return *stream* as it is in memory, which is how this decision reads it from now on.

        A decision must not see two versions of a stream while it waits, because the append can
        verify only one.
        """
        found = self._states.cache.get(stream)
        if found is not None:
            self.loaded[stream] = found
        return found

    def _checked(self, kind: type[S], found: Loaded[Any]) -> S:
        owner = PLATFORM if kind.platform else self._org_id
        if found.org_id not in (owner, None) or not isinstance(found.state, kind):
            raise NotFound
        return found.state


class AheadReads(Reads):
    """The reads of a decision that decides several times, each on what those before it leave.

    What it reads counts as read by the decision, at the version at which that was.
    """

    def __init__(self, read: Reads, ahead: Mapping[UUID, State] | None = None) -> None:
        """Begin with what *read* finds or, for a dry run that goes on, with the states *ahead*."""
        super().__init__(read._states, read._org_id)
        self.loaded, self._held, self._noted = read.loaded, read._held, read._noted
        self.ahead: dict[UUID, State] = dict(ahead or {})
        self._begun: dict[UUID, State] = {}

    async def __call__(self, kind: type[S], stream: UUID) -> S:
        found = await super().__call__(kind, stream)
        ahead = self.ahead.get(stream)
        return ahead if isinstance(ahead, kind) else found

    def new(self, kind: type[S], stream: UUID) -> S:
        found = super().new(kind, stream)
        ahead = self.ahead.get(stream)
        return ahead if isinstance(ahead, kind) else found

    async def settled(self, kind: type[S], stream: UUID) -> S:
        ahead = self.ahead.get(stream)
        return ahead if isinstance(ahead, kind) else await super().settled(kind, stream)

    def begin(self) -> None:
        """Begin one of the decisions, to which ``go_back`` returns."""
        self._begun.clear()

    def before(self, stream: UUID) -> State:
        """Return the state of *stream* as the decision that has begun found it."""
        return self._begun.get(stream) or self._now(stream)

    def pass_over(self, stream: UUID, events: Sequence[Event]) -> None:
        """Let later decisions see *stream* after *events*, which were decided on it."""
        state = self._now(stream)
        self._begun.setdefault(stream, state)
        for event in events:
            state = state.evolve(event)
        self.ahead[stream] = state

    def go_back(self) -> None:
        """Let later decisions see all as it was when this one began, because it is refused."""
        self.ahead.update(self._begun)
        self._begun.clear()

    def _now(self, stream: UUID) -> State:
        found: State = self.ahead.get(stream) or self.loaded[stream].state
        return found
