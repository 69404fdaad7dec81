"""One event as the rules about claims and counts see it, and what they reserve for it."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol
from uuid import UUID

from msgspec import Struct

from domain.base import Event, OrgId
from domain.identity.plan import Plan
from eventstore.claim import ClaimChange, CountChange, CountKey

FEW_CHANGES = 16
"""Changes of counts that are made one by one; to add them up would take as long."""


class Fingerprint(Protocol):
    """A keyed hash that claims an address without storing it."""

    def __call__(self, kind: str, value: str, /) -> bytes: ...


class Happening(Struct, frozen=True):
    """One event, with what its claims and counts depend on.

    ``plan`` None leaves counts without limits. ``sees_all`` says whether no project is hidden from
    the caller, so that a refusal may tell how many there are.
    """

    kind: type[Event]
    event: Any  # Any: each rule knows its own type
    before: Any
    stream: UUID
    org_id: OrgId
    at: int  # microseconds since 1970
    plan: Plan | None
    fingerprint: Fingerprint
    sees_all: Callable[[], bool] = lambda: True


class Reservations(Struct):
    """The claims, counts and open numbers of an append."""

    claims: list[ClaimChange]
    counts: list[CountChange]


Rule = Callable[[Happening, Reservations], None]
"""Adds the claims and counts of one kind of event."""


def added_up(changes: Sequence[CountChange]) -> tuple[CountChange, ...]:
    """Return *changes* with one for each count that nothing limits, so that few are made locked.

    A count that any of them limits, multiplies or multiplies by keeps its changes in their order.
    """
    if len(changes) <= FEW_CHANGES:
        return tuple(changes)
    kept = {change.count for change in changes if change.limit is not None or change.times}
    kept.update(each for change in changes for each in change.times)
    sums: dict[CountKey, int] = {}
    apart: list[CountChange] = []
    for change in changes:
        if change.count in kept:
            apart.append(change)
        else:
            sums[change.count] = sums.get(change.count, 0) + change.by
    return (*apart, *(CountChange(each, by) for each, by in sums.items() if by))
