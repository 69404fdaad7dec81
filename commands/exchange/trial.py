"""A trial of what the append will check: counts, in the order in which they will be changed.

It rests on counts that were read without a lock, so it is only there to tell which of many changes
is refused; the append decides about all of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from commands.base import Change, Command, Context
from commands.happening import Fingerprint, Happening, Reservations
from commands.reads import AheadReads
from commands.reservations import note
from domain.base import DomainError
from domain.identity.organization.state import Organization
from eventstore.claim import ClaimChange, ClaimKey, CountChange, CountKey
from eventstore.recorded import microseconds


class Decided(NamedTuple):
    """What several commands record, and what the append checks with it."""

    changes: list[Change]
    checks: list[CountChange]


async def decide_ahead(ahead: AheadReads, context: Context, commands: Iterable[Command]) -> Decided:
    """Return what *commands* decide, each on what those before it leave.

    :raises DomainError: one of them is refused.
    """
    decided = Decided([], [])
    for command in commands:
        await command.permit(ahead, context)
        for part in await command.decide(ahead, context):
            if isinstance(part, Change):
                decided.changes.append(part)
                ahead.pass_over(part.stream, part.events)
            elif isinstance(part, CountChange):
                decided.checks.append(part)
    return decided


class Trial:
    """Counts as they are after the changes that were tried so far, and claims if they are tried."""

    def __init__(
        self,
        context: Context,
        counts: Mapping[CountKey, int] | None = None,
        fingerprint: Fingerprint | None = None,
    ) -> None:
        """Begin with what the log has or, for a dry run that goes on, with *counts*.

        Claims are tried with a *fingerprint*, which most of them depend on.
        """
        self._context, self._fingerprint = context, fingerprint
        self.counts: dict[CountKey, int] = dict(counts or {})
        self._held: dict[ClaimKey, UUID | None] = {}

    async def add(
        self, read: AheadReads, changes: Iterable[Change], checks: Sequence[CountChange]
    ) -> DomainError | None:
        """Try what one decision changes; return why it is refused, and leave the counts then."""
        reserved = Reservations([], [])
        for change in changes:
            await self._reserve(read, change, reserved)
        wanted = [*reserved.counts, *checks]
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
        if self._fingerprint is not None:
            refused = await self._claim(read, reserved.claims)
            if refused is not None:
                return refused
        self.counts.update(after)
        return None

    async def _reserve(self, read: AheadReads, change: Change, reserved: Reservations) -> None:
        """Add the counts and claims that the events of *change* will change or check."""
        org_id = self._context.organization
        plan = (await read(Organization, org_id)).plan
        state, made = read.before(change.stream), self._fingerprint or _no
        at = microseconds(self._context.now)
        for event in change.events:
            happened = Happening(type(event), event, state, change.stream, org_id, at, plan, made)
            note(happened, reserved)
            state = state.evolve(event)

    async def _claim(self, read: AheadReads, wanted: Sequence[ClaimChange]) -> DomainError | None:
        """Try to change claims; return why that is refused, and leave them then."""
        missing = [each.claim for each in wanted if each.claim not in self._held]
        if missing:
            found = await read.holders(missing)
            self._held.update({claim: found.get(claim) for claim in missing})
        after = dict[ClaimKey, UUID | None]()
        for each in wanted:
            holder = after.get(each.claim, self._held[each.claim])
            if holder not in (None, each.holder) and not each.release:
                return each.refusal or DomainError()
            after[each.claim] = None if each.release else each.holder
        self._held.update(after)
        return None


def _no(kind: str, value: str, /) -> bytes:
    """Stand for a fingerprint: no count depends on one."""
    return b""
