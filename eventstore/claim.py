"""Claims keep values unique, counts keep numbers within limits.

Both are rows next to the events. The append checks and changes them under the lock of their
partition, so a rule about many aggregates needs no stream shared by all of them. Both can be
derived from the log alone: ``trackrecord lint-log`` checks that they agree with it.
"""

from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct

from domain.base import DomainError, OrgId


class ClaimKey(NamedTuple):
    """A value that only one holder can have, such as a project key within an organization.

    ``org_id`` determines the partition of the row; the value is unique within ``within``.
    """

    org_id: OrgId
    scope: str
    within: UUID
    value: bytes


class Held(NamedTuple):
    """Who holds a claim. A released claim may stay reserved for its holder until ``free_at``.

    ``free_at`` is in microseconds since 1970, 0 while the claim is held.
    """

    holder: UUID
    free_at: int = 0


class ClaimChange(Struct, frozen=True):
    """Take a claim for *holder*, or release it.

    Taking a claim that the holder already has changes nothing. A released value stays reserved for
    its holder until ``keep_until`` (microseconds since 1970).
    """

    claim: ClaimKey
    holder: UUID
    refusal: DomainError | None = None  # the error for the loser of a race; None for a release
    release: bool = False
    keep_until: int = 0


class CountKey(Struct, frozen=True, cache_hash=True):
    """A number that a rule limits, such as the number of projects of an organization.

    An append looks a count up several times, so its hash is cached: that of a UUID is Python code.
    """

    org_id: OrgId
    scope: str
    within: UUID


class CountChange(Struct, frozen=True):
    """Add *by* to a count; the command is refused if that makes it exceed *limit*.

    If *by* is 0, it is only a check: ``limit=0`` requires that none are left. A decrease without a
    limit is never refused, so that a count above a lowered limit can be reduced.
    *refusal* makes the error from the number that was found. With *times*, *by* is multiplied by
    what these counts hold together: a project that goes takes as many tasks with it as it has.
    """

    count: CountKey
    by: int
    limit: int | None = None
    refusal: Callable[[int], DomainError] | None = None
    times: tuple[CountKey, ...] = ()


class OpenNumber(Struct, frozen=True):
    """A number that the append assigns under the lock: the next one of *count*, without gaps.

    *fill* returns the bytes of the events and of the stored reply for the number. It is called
    again, with another number, if the batch has to be settled again. The holder gets a claim on
    the number in the scope of ``count``.
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
