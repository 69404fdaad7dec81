"""The command that takes back what was recorded under one correlation id.

Each event is taken back by the commands that do the opposite, decided like those of a caller, in
the opposite order, and each decision sees what those before it change. What is refused stays as it
is and is told; all else is recorded in one append.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar
from uuid import UUID

from commands.base import Change, Command, Context, Decision, NotPermitted
from commands.exchange.bulk import BULK_MAX
from commands.happening import Fingerprint
from commands.reads import Reads
from commands.undo.answers import RESTORING
from commands.undo.changed import RecalledEvent
from commands.undo.order import in_order
from commands.undo.seen import is_seen
from commands.undo.undoing import Undoing, Undone
from domain.base import NotFound, TaskId
from domain.identity.organization.state import Organization
from domain.identity.plan import refuse_if_bulk_too_large
from domain.permission import Permission, is_allowed
from domain.undo import ChangesUndone, TooManyChanges, Undo, undo_of

EVENTS_MAX = 5_000
"""Events that one request undoes."""
_PIECE = 100
"""Events that are looked at before others get their turn: less than 1 ms."""


class UndoChanges(Command, frozen=True, kw_only=True):
    """Undo what was recorded under a correlation id; what was changed since is left as it is.

    One's own changes or, with a permission for that, those of others.
    """

    needs: ClassVar[Permission | None] = Permission.CHANGE_UNDO
    records = (ChangesUndone, *RESTORING)
    correlation_id: str
    recalled: tuple[RecalledEvent, ...]
    """The events, in order."""
    below: Mapping[UUID, tuple[TaskId, ...]]
    """The subtasks, as lists show them, of each task that goes or comes back."""
    fingerprint: Fingerprint
    note: Callable[[Undone], None]
    """Told what becomes of the changes, again with each attempt."""

    def turn(self, context: Context, /) -> UUID | None:
        return undo_of(context.organization, self.correlation_id)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        stream = undo_of(context.organization, self.correlation_id)
        await read(Undo, stream)
        recalled = await self._seen(read, context)
        await self._refuse_too_many(read, context, recalled)
        undoing = Undoing(read, context, self.below, self.fingerprint)
        await undoing.take_back(in_order(recalled))
        undone = undoing.outcome()
        self.note(undone)
        if not undoing.changes:
            return []
        done = ChangesUndone(
            correlation_id=self.correlation_id,
            done=undone.undone,
            conflicts=len(undone.conflicts),
        )
        return [*undoing.changes, Change(stream, [done]), *undoing.checks]

    async def _seen(self, read: Reads, context: Context) -> list[RecalledEvent]:
        """Return the events of what the caller sees; of many, others have their turn between."""
        seen: list[RecalledEvent] = []
        for number, each in enumerate(self.recalled, start=1):
            if await is_seen(read, context, each):
                seen.append(each)
            if number % _PIECE == 0:
                await asyncio.sleep(0)
        return seen

    async def _refuse_too_many(
        self, read: Reads, context: Context, recalled: Sequence[RecalledEvent]
    ) -> None:
        """Refuse if nothing is left that the caller may undo, or too much.

        :raises NotFound: nothing is.
        :raises NotPermitted: all of it was done by others.
        :raises PlanLimitReached: the plan allows no change of so many things at once.
        :raises TooManyChanges: nobody may undo so much.
        """
        if not recalled:
            raise NotFound
        organization = await read(Organization, context.organization)
        role = organization.role_of(context.user_id)
        if not is_allowed(role, Permission.CHANGE_UNDO_OTHERS, context.scopes) and not any(
            each.by == context.user_id for each in recalled
        ):
            raise NotPermitted(needs=Permission.CHANGE_UNDO_OTHERS)
        things = {each.stream for each in recalled}
        refuse_if_bulk_too_large(organization.plan, len(things))
        if len(things) > BULK_MAX or len(recalled) > EVENTS_MAX:
            raise TooManyChanges(limit=BULK_MAX, things=len(things))
