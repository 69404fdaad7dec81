"""Claims and counts: what an append makes unique and what it keeps within bounds.

Both are rows beside the events, changed and checked by the append under the lock of their
partition, so a rule about many things needs no stream that all of them share. Both follow from
the log alone: ``trackrecord lint-log`` proves that they agree with it.
"""

from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct

from domain.base import DomainError, OrgId


class ClaimKey(NamedTuple):
    """A value that has one holder, such as a project key within an organization.

    ``org_id`` says whose partition the row is in; ``within`` is where the value is unique.
    """

    org_id: OrgId
    scope: str
    within: UUID
    value: bytes


class Held(NamedTuple):
    """Who holds a claim. A released one may be kept for its holder until ``free_at``.

    ``free_at`` is in microseconds since 1970, 0 while the claim is held.
    """

    holder: UUID
    free_at: int = 0


class ClaimChange(Struct, frozen=True):
    """Take a claim for *holder*, or release it.

    Taking a claim that the holder has changes nothing. ``keep_until`` (microseconds since 1970)
    keeps a released value from everybody else until then.
    """

    claim: ClaimKey
    holder: UUID
    refusal: DomainError | None = None  # what the loser of a race is told; None for a release
    release: bool = False
    keep_until: int = 0


class CountKey(NamedTuple):
    """A number that a rule limits, such as the projects of an organization."""

    org_id: OrgId
    scope: str
    within: UUID


class CountChange(Struct, frozen=True):
    """Add *by* to a count and refuse if it is above *limit* then.

    With *by* 0 it is a mere check: ``limit=0`` asks for "none left". A decrease with no limit is
    never refused, so that what is over a lowered limit can be reduced.
    """

    count: CountKey
    by: int
    limit: int | None = None
    refusal: DomainError | None = None


class OpenNumber(Struct, frozen=True):
    """A number that the append takes under the lock: the next one of *count*, without gaps.

    *fill* makes the bytes of the events and of the stored reply from the number. It may be called
    again with another number, if the batch has to be settled again. The holder then has a claim
    on the number in ``count``'s scope.
    """

    count: CountKey
    holder: UUID
    fill: Callable[[int], None]

    def claim(self, number: int) -> ClaimKey:
        """Return the claim on *number*."""
        return numbered(self.count, number)


def numbered(count: CountKey, number: int) -> ClaimKey:
    """Return the claim on a number that was taken from *count*; in the order of the numbers."""
    return ClaimKey(count.org_id, count.scope, count.within, number.to_bytes(8, "big"))
