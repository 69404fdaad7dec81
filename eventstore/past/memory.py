"""The past of an organization in memory, for unit tests and dry runs."""

from collections.abc import Sequence
from uuid import UUID

from msgspec.structs import replace

from domain.base import OrgId
from eventstore.claim import ClaimKey, Held, numbered
from eventstore.partition import partition_of
from eventstore.past.events import NumberRange, Prefix
from eventstore.recorded import Row


class MemoryPast:
    """The events of each stream and of each organization, in order, and the claims."""

    parts: int

    def __init__(self) -> None:
        self._streams: dict[tuple[int, UUID], list[Row]] = {}
        self._organizations: dict[OrgId, list[Row]] = {}
        self._claims: dict[ClaimKey, Held] = {}

    def times(self, org_id: OrgId, after: int, limit: int) -> list[int]:
        rows = self._organizations.get(org_id, [])
        return [row.recorded_at for row in rows[after : after + limit]]

    def prefixes(
        self, org_id: OrgId, streams: Sequence[UUID], prefix: Prefix, limit: int
    ) -> list[Row]:
        found: list[Row] = []
        for stream in streams:
            after = prefix.after if stream == streams[0] else 0
            rows = self._streams.get((partition_of(org_id, self.parts), stream), [])[after:]
            found += [
                replace(row, private=None)
                for row in rows
                if row.org_seq <= prefix.until and row.tag in prefix.tags
            ]
        return found[:limit]

    def numbered_between(self, numbers: NumberRange) -> list[UUID]:
        asked = range(numbers.after + 1, numbers.last + 1)
        held = [self._claims.get(numbered(numbers.counted, number)) for number in asked]
        return [each.holder for each in held if each is not None]
