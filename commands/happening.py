"""One event as the rules about claims and counts see it, and what they reserve for it."""

from collections.abc import Callable
from typing import Any, Protocol
from uuid import UUID

from msgspec import Struct

from domain.base import Event, OrgId
from domain.identity.plan import Plan
from eventstore.claim import ClaimChange, CountChange


class Fingerprint(Protocol):
    """A keyed hash that claims an address without storing it."""

    def __call__(self, kind: str, value: str, /) -> bytes: ...


class Happening(Struct, frozen=True):
    """One event, with what its claims and counts depend on.

    ``plan`` None leaves counts without limits. ``sees_all`` says that no project is hidden from the
    caller, so that a refusal may tell how many there are.
    """

    kind: type[Event]
    event: Any  # Any: each rule knows its own type
    before: Any
    stream: UUID
    org_id: OrgId
    at: int  # microseconds since 1970
    plan: Plan | None
    fingerprint: Fingerprint
    sees_all: bool = True


class Reservations(Struct):
    """The claims, counts and open numbers of an append."""

    claims: list[ClaimChange]
    counts: list[CountChange]


Rule = Callable[[Happening, Reservations], None]
"""Adds the claims and counts of one kind of event."""
