"""The decisions that undo some events, each on what those before it leave."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from commands.base import Change, Context, NotPermitted
from commands.exchange.trial import Decided, Trial, decide_ahead
from commands.exchange.update_task import by_stream
from commands.happening import Fingerprint
from commands.reads import AheadReads, Reads
from commands.undo.answers import answer_to
from commands.undo.changed import Changed, Final, Inverse, RecalledEvent
from domain.base import DomainError, TaskId
from domain.catalog import state_of, tag_of
from domain.identity.organization.state import Organization
from domain.permission import Permission, is_allowed
from domain.undo import CannotBeUndone
from domain.work.task.state import LEVELS_MAX, Task
from eventstore.claim import CountChange

_PIECE = 10
"""Fields that are set back before others get their turn."""
_MANY = 100
"""Events that are looked at before others get their turn."""
_ROUNDS_MAX = 3
"""How often is tried what is refused as long as something else is not undone, such as a blocker."""


class LeftAsItIs(NamedTuple):
    """A change that was not undone: of which thing, which field of it, and why."""

    kind: str
    id: UUID
    field: str
    code: str


class Undone(NamedTuple):
    """What became of the changes: how many were undone, at least in part, or were so already."""

    undone: int
    unchanged: int
    conflicts: tuple[LeftAsItIs, ...]


class _Part(Struct, eq=False):
    """A field of an event that is to be taken back, whether it was, and why not."""

    recalled: RecalledEvent
    inverse: Inverse
    changed: bool = False
    refused: DomainError | None = None


class Undoing:
    """The decisions of one attempt, and what they change."""

    def __init__(
        self,
        read: Reads,
        context: Context,
        below: Mapping[UUID, tuple[TaskId, ...]],
        fingerprint: Fingerprint,
    ) -> None:
        """*below* are the subtasks of tasks, as lists show them."""
        self._context, self._below = context, below
        self._ahead = AheadReads(read)
        self._trial = Trial(context, fingerprint=fingerprint)
        self._children: dict[UUID, list[TaskId]] = {}
        self.changes: list[Change] = []
        self._checks: list[tuple[CountChange, int]] = []
        self._parts: list[_Part] = []
        self._conflicts: list[LeftAsItIs] = []

    @property
    def checks(self) -> list[CountChange]:
        """What the append checks, once it has made all changes of these counts."""
        return [
            each
            if each.limit is None
            else replace(each, limit=each.limit + self._trial.counts[each.count] - found)
            for each, found in self._checks
        ]

    def outcome(self) -> Undone:
        """Return what became of the changes."""
        told: dict[int, list[_Part]] = {}
        for part in self._parts:
            told.setdefault(part.recalled.seq, []).append(part)
        undone = [any(part.changed for part in of_one) for of_one in told.values()]
        refused = [any(part.refused for part in of_one) for of_one in told.values()]
        alike = [not (a or b) for a, b in zip(undone, refused, strict=True)]
        return Undone(sum(undone), sum(alike), (*self._conflicts,))

    async def take_back(self, recalled: Iterable[RecalledEvent]) -> None:
        """Take back events in this order, field by field, and note which are not."""
        for number, each in enumerate(recalled, start=1):
            self._parts += await self._fields_of(each)
            if number % _MANY == 0:
                await asyncio.sleep(0)
        parts, refused = self._parts, len(self._parts)
        for _ in range(_ROUNDS_MAX):
            await self._try(parts)
            before, waiting = refused, [part.recalled.stream for part in parts if part.refused]
            refused = len(waiting)
            if refused in (0, before):
                break
            # What seemed to be taken back already may not be, once something else is.
            parts = [p for p in parts if not p.changed and p.recalled.stream in {*waiting}]
        for part in self._parts:
            if part.refused is not None:
                self._leave(part.recalled, part.inverse.field, part.refused)
        self._leave_out_what_stays()

    async def _try(self, parts: Iterable[_Part]) -> None:
        for number, part in enumerate(parts, start=1):
            part.refused = await self._take_back(part)
            if number % _PIECE == 0:
                await asyncio.sleep(0)

    def _leave_out_what_stays(self) -> None:
        """Record nothing of what led there and back, as when it is undone for a second time."""
        ahead = self._ahead
        stay = {s for s, state in ahead.ahead.items() if state == ahead.loaded[s].state}
        self.changes = [change for change in self.changes if change.stream not in stay]
        for part in self._parts:
            part.changed = part.changed and part.recalled.stream not in stay

    async def _fields_of(self, recalled: RecalledEvent) -> list[_Part]:
        """Return the fields of an event that can be taken back, or note why it cannot be."""
        answer = answer_to(type(recalled.event))
        if isinstance(answer, Final):
            self._leave(recalled, "", CannotBeUndone())
            return []
        if not await self._may_undo(recalled):
            self._leave(recalled, answer[0].field, NotPermitted())
            return []
        before = recalled.before
        if isinstance(before, Task) and before.parent_id is not None:
            self._children.setdefault(before.parent_id, []).append(TaskId(recalled.stream))
        return [_Part(recalled, each) for each in answer if each.concerns(recalled)]

    async def _may_undo(self, recalled: RecalledEvent) -> bool:
        if recalled.by == self._context.user_id:
            return True
        organization = await self._ahead(Organization, self._context.organization)
        role = organization.role_of(self._context.user_id)
        return is_allowed(role, Permission.CHANGE_UNDO_OTHERS, self._context.scopes)

    async def _take_back(self, part: _Part) -> DomainError | None:
        """Take back a field, or return why not."""
        ahead, context = self._ahead, self._context
        ahead.begin()
        decided = Decided([], [])
        try:
            commands = part.inverse.commands(await self._now(part.recalled))
            decided = await decide_ahead(ahead, context, commands)
            refused = await self._trial.add(ahead, by_stream(decided.changes), decided.checks)
        except DomainError as error:
            refused = error
        if refused is not None:
            ahead.go_back()
            return refused
        self.changes += decided.changes
        self._checks += [(each, self._trial.counts[each.count]) for each in decided.checks]
        part.changed = bool(decided.changes)
        return None

    def _leave(self, recalled: RecalledEvent, field: str, refused: DomainError) -> None:
        kind = tag_of(recalled.event).partition(".")[0]
        self._conflicts.append(LeftAsItIs(kind, recalled.stream, field, refused.code))

    async def _now(self, recalled: RecalledEvent) -> Changed:
        kind = state_of(type(recalled.event))
        return Changed(
            event=recalled.event,
            stream=recalled.stream,
            before=recalled.before,
            after=recalled.after,
            now=await self._ahead(kind, recalled.stream),
            below=await self._still_below(recalled.stream),
            caller=self._context.user_id,
        )

    async def _still_below(self, root: UUID) -> tuple[TaskId, ...]:
        """Return the subtasks of a task as they are by now: some are taken back there."""
        known = self._below.get(root)
        if known is None:
            return ()
        back = self._children.get(root, [])
        known = (*known, *back, *(each for child in back for each in self._below.get(child, ())))
        return tuple([each for each in dict.fromkeys(known) if await self._is_below(each, root)])

    async def _is_below(self, task_id: TaskId, root: UUID) -> bool:
        above = (await self._ahead(Task, task_id)).parent_id
        for _ in range(LEVELS_MAX):
            if above is None or above == root:
                break
            above = (await self._ahead(Task, above)).parent_id
        return above == root
