"""Claims and counts: what an append keeps unique, and what it keeps within limits.

Both are rows next to the events. The append checks and changes them under the lock of their
partition, so that a rule about many aggregates needs no stream that they all share. Both can be
derived from the log alone: ``trackrecord lint-log`` checks that they agree with it.
"""

from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct

from domain.base import DomainError, OrgId


class ClaimKey(NamedTuple):
    """A value that has one holder, such as a project key within an organization.

    ``org_id`` says which partition the row is in; ``within`` is where the value is unique.
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
    refusal: DomainError | None = None  # the error for the loser of a race; None for a release
    release: bool = False
    keep_until: int = 0


class CountKey(NamedTuple):
    """A number that a rule limits, such as the number of projects of an organization."""

    org_id: OrgId
    scope: str
    within: UUID


class CountChange(Struct, frozen=True):
    """Add *by* to a count, and refuse if it is above *limit* afterwards.

    With *by* 0 it is only a check: ``limit=0`` requires that there are none left. A decrease
    without a limit is never refused, so that what exceeds a lowered limit can be reduced.
    """

    count: CountKey
    by: int
    limit: int | None = None
    refusal: DomainError | None = None


class OpenNumber(Struct, frozen=True):
    """A number that the append assigns under the lock: the next one of *count*, without gaps.

    *fill* returns the bytes of the events and of the stored reply for the number. It may be called
    again with another number if the batch has to be settled again. The holder then has a claim on
    the number in ``count``'s scope.
    """

    count: CountKey
    holder: UUID
    fill: Callable[[int], None]

    def claim(self, number: int) -> ClaimKey:
        """Return the claim on *number*."""
        return numbered(self.count, number)


def numbered(count: CountKey, number: int) -> ClaimKey:
    """Return the claim on a number that was assigned from *count*; ordered by number."""
    return ClaimKey(count.org_id, count.scope, count.within, number.to_bytes(8, "big"))
