"""How comments, files and logged time are imported: those that their task does not have yet.

What a rule refuses is told, and the others are imported all the same.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Generic, TypeVar
from uuid import UUID

from msgspec.structs import replace

from commands.base import Change, Context
from commands.exchange.content_line import NumberedComment, NumberedFile, NumberedWorklog
from commands.exchange.import_piece import (
    DECIDED_AT_ONCE,
    ContentOutcome,
    ImportedContents,
    ImportPiece,
    Rehearsed,
)
from commands.exchange.names import Names, uuid_in
from commands.exchange.trial import Trial
from commands.reads import AheadReads, Reads
from domain.base import DomainError, NotFound, TaskId
from domain.planning.worklog import Worklog
from domain.work.attachment import Attachment
from domain.work.comment import Comment
from domain.work.task.imported import UnknownTask
from eventstore.claim import ClaimKey

N = TypeVar("N", NumberedComment, NumberedFile, NumberedWorklog)


class DecidingAtTasks(ABC, Generic[N]):
    """The decision on some lines, each on what those before it leave.

    *made* is what a dry run would have made before, by its task and its external id there.
    """

    kind: ClassVar[type[Comment] | type[Attachment] | type[Worklog]]
    """What the lines become."""

    def __init__(
        self,
        piece: ImportPiece,
        read: Reads,
        context: Context,
        made: Mapping[tuple[TaskId, str], UUID],
    ) -> None:
        self.before = piece.before
        self.read, self.context = AheadReads(read, self.before.states), context
        self.names = Names(context.organization, piece.project_id, piece.fingerprint)
        self.fingerprint = piece.fingerprint
        self.made = dict(made)
        self.changes: list[Change] = []
        self._trial = Trial(context, self.before.counts)
        self._held: Mapping[ClaimKey, UUID] = {}

    @abstractmethod
    def claim(self, task_id: TaskId, external_id: str) -> ClaimKey:
        """Return the claim of an external id at a task."""

    @abstractmethod
    async def change(self, task_id: TaskId, numbered: N) -> Change:
        """Return the events that a line becomes at its task.

        :raises DomainError: a rule refuses it.
        """

    @abstractmethod
    def kept(self) -> Rehearsed:
        """Return what was rehearsed before, with what is ``made`` now."""

    async def decide(self, lines: Sequence[N], others: Iterable[str] = ()) -> ImportedContents:
        """Return what becomes of *lines*, of which ``changes`` then has what is to be recorded.

        *others* are people whom they name.
        """
        await self._look_up(lines, others)
        outcomes: list[ContentOutcome] = []
        for number, line in enumerate(lines, start=1):
            outcomes.append(await self._outcome(line))
            if number % DECIDED_AT_ONCE == 0:
                await asyncio.sleep(0)
        return ImportedContents(outcomes, self._rehearsed())

    async def found(self, task_id: TaskId, external_id: str) -> UUID | None:
        """Return what was imported to a task as *external_id*, or whose own id that is there."""
        known = self.made.get((task_id, external_id))
        if known is None:
            known = self._held.get(self.claim(task_id, external_id))
        own = uuid_in(external_id)
        if known is not None or own is None:
            return known
        try:
            there = await self.read(self.kind, own)
        except NotFound:
            return None
        return own if there.task_id == task_id else None

    def claimed(self, line: N) -> Iterable[str]:
        """Return the external ids that a line names at its task."""
        return (line.line.id,)

    def _rehearsed(self) -> Rehearsed:
        """Return what a dry run goes on with; nothing for what is recorded."""
        if not self.context.dry_run:
            return Rehearsed()
        return replace(self.kept(), states=self.read.ahead, counts=self._trial.counts)

    async def _look_up(self, lines: Sequence[N], others: Iterable[str]) -> None:
        """Look up every name in the lines, with two queries: what they say is claimed at a task."""
        await self.names.look_up_some(self.read, [each.line.task for each in lines], [*others])
        wanted: dict[ClaimKey, None] = {}
        for line in lines:
            task_id = await self._task(line.line.task)
            if task_id is not None:
                wanted |= {self.claim(task_id, name): None for name in self.claimed(line)}
        self._held = await self.read.holders(list(wanted)) if wanted else {}

    async def _task(self, named: str) -> TaskId | None:
        """Return the task of the project that a line names; None if it is elsewhere by now."""
        return await self.names.task_here(self.read, named, self.before.tasks)

    async def _outcome(self, numbered: N) -> ContentOutcome:
        """Return what becomes of a line, and add its change to the others."""
        number, new_id, line = numbered.number, numbered.new_id, numbered.line
        self.read.begin()
        try:
            task_id = await self._task(line.task)
            if task_id is None:
                raise UnknownTask(task=line.task)
            found = await self.found(task_id, line.id)
            if found is not None:
                return ContentOutcome(number, id=found)
            change = await self.change(task_id, numbered)
            refused = await self._trial.add(self.read, (change,), ())
            if refused is not None:
                raise refused
        except DomainError as error:
            self.read.go_back()
            return ContentOutcome(number, refused=error)
        self.read.pass_over(new_id, change.events)
        self.changes.append(change)
        self.made[task_id, line.id] = new_id
        return ContentOutcome(number, made=True, id=new_id)
