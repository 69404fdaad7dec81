"""The reads that past states need, and the port of an event database for them."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from domain.base import OrgId
from eventstore.claim import CountKey
from eventstore.recorded import Row


class Prefix(NamedTuple):
    """Which events of streams are read: those of *tags* up to the sequence *until*.

    Of the first stream, those above version *after*, so that a read can go on where one ended.
    """

    tags: Sequence[str]
    until: int
    after: int = 0


class NumberRange(NamedTuple):
    """Numbers that were assigned from a count, *counted*: those above *after*, up to *last*."""

    counted: CountKey
    after: int
    last: int


class PastEvents(Protocol):
    """What an event database tells of the past of one organization."""

    def times(self, org_id: OrgId, after: int, limit: int) -> list[int]:
        """Return when events of an organization with a sequence above *after* were recorded.

        In the order of their sequences, at most *limit* of them, in microseconds since 1970.
        """
        ...

    def prefixes(
        self, org_id: OrgId, streams: Sequence[UUID], prefix: Prefix, limit: int
    ) -> list[Row]:
        """Return at most *limit* events of *streams*, which are of one organization.

        They come without sealed values, in the order of the bytes of the streams' ids, which is
        that of *streams*, and of versions.
        """
        ...

    def numbered_between(self, numbers: NumberRange) -> list[UUID]:
        """Return who holds each of *numbers*, in their order."""
        ...
