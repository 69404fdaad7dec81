"""A trial of what the append will check: counts, in the order in which they will be changed.

It rests on counts that were read without a lock, so it is only there to tell which of many changes
is refused; the append decides about all of them.
"""

from collections.abc import Iterable, Mapping, Sequence

from commands.base import Change, Context
from commands.happening import Happening, Reservations
from commands.reads import AheadReads
from commands.reservations import note
from domain.base import DomainError
from domain.identity.organization.state import Organization
from eventstore.claim import CountChange, CountKey
from eventstore.recorded import microseconds


class Trial:
    """Counts as they are after the changes that were tried so far."""

    def __init__(self, context: Context, counts: Mapping[CountKey, int] | None = None) -> None:
        """Begin with what the log has or, for a dry run that goes on, with *counts*."""
        self._context = context
        self.counts: dict[CountKey, int] = dict(counts or {})

    async def add(
        self, read: AheadReads, changes: Iterable[Change], checks: Sequence[CountChange]
    ) -> DomainError | None:
        """Try what one decision changes; return why it is refused, and leave the counts then."""
        wanted = [each for change in changes for each in await self._reserved(read, change)]
        wanted += checks
        missing = [each.count for each in wanted if each.count not in self.counts]
        if missing:
            self.counts.update(await read.counted(missing))
        after = dict[CountKey, int]()
        for each in wanted:
            before = after.get(each.count, self.counts[each.count])
            total = before + each.by
            if each.limit is not None and total > each.limit:
                return DomainError() if each.refusal is None else each.refusal(before)
            after[each.count] = total
        self.counts.update(after)
        return None

    async def _reserved(self, read: AheadReads, change: Change) -> list[CountChange]:
        """Return the counts that the events of *change* will change or check."""
        org_id, reserved = self._context.organization, Reservations([], [])
        plan = (await read(Organization, org_id)).plan
        state = read.before(change.stream)
        at = microseconds(self._context.now)
        for event in change.events:
            happened = Happening(type(event), event, state, change.stream, org_id, at, plan, _no)
            note(happened, reserved)
            state = state.evolve(event)
        return reserved.counts


def _no(kind: str, value: str, /) -> bytes:
    """Stand for a fingerprint: no count depends on one."""
    return b""
