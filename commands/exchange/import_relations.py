"""The command that imports some relations of a file: those that no rule refuses."""

from collections.abc import Callable
from typing import ClassVar
from uuid import UUID

from msgspec.structs import replace

from commands.base import Change, Context, Decision, changes_of
from commands.exchange.content_line import NumberedRelation
from commands.exchange.import_piece import ContentOutcome, ImportedContents, ImportPiece, Rehearsed
from commands.exchange.names import Names
from commands.exchange.trial import Trial
from commands.reads import AheadReads, Reads
from commands.work.relation import in_steps
from commands.work.task import read_task
from domain.base import DomainError, Event, TaskId
from domain.permission import Permission
from domain.work.relation import (
    DependencyGraph,
    RelationAdded,
    RelationExists,
    graph_of,
    relation,
)
from domain.work.task.imported import UnknownTask
from domain.work.workflow.events import FINISHED


class ImportRelations(ImportPiece, frozen=True, kw_only=True):
    """Relate tasks of a project as a file says; what is related so already is left alone."""

    needs: ClassVar[Permission | None] = Permission.TASK_EDIT
    records = (RelationAdded,)
    lines: tuple[NumberedRelation, ...]
    note: Callable[[ImportedContents], None]
    """Told what becomes of the lines, and again with each attempt."""

    def turn(self, context: Context) -> UUID | None:
        """Return the graph of the organization, which all such commands change."""
        return graph_of(context.organization)

    async def decide_lines(self, read: Reads, context: Context, /) -> Decision:
        ahead, trial = AheadReads(read, self.before.states), Trial(context, self.before.counts)
        names = Names(context.organization, self.project_id, self.fingerprint)
        named = [each for _, line in self.lines for each in (line.task, line.to)]
        await names.look_up_some(ahead, named, ())
        stream, events = graph_of(context.organization), list[Event]()
        outcomes: list[ContentOutcome] = []
        for line in self.lines:
            ahead.begin()
            try:
                added = await self._added(ahead, names, line, context)
                refused = await trial.add(ahead, (Change(stream, added),), ())
                if refused is not None:
                    raise refused
            except RelationExists:
                outcomes.append(ContentOutcome(line.number))
            except DomainError as error:
                outcomes.append(ContentOutcome(line.number, refused=error))
            else:
                ahead.pass_over(stream, added)
                events += added
                outcomes.append(ContentOutcome(line.number, made=True))
        rehearsed = Rehearsed()
        if context.dry_run:
            rehearsed = replace(self.before, states=ahead.ahead, counts=trial.counts)
        self.note(ImportedContents(outcomes, rehearsed))
        return changes_of(stream, events)

    async def _added(
        self, ahead: AheadReads, names: Names, line: NumberedRelation, context: Context
    ) -> list[Event]:
        """Return the events that relate two tasks."""
        asked = line.relation
        one, two = [await self._task(ahead, names, each) for each in (asked.task, asked.to)]
        graph = ahead.new(DependencyGraph, graph_of(context.organization))
        added = relation(one, asked.kind, two)
        first, project = await read_task(ahead, added.from_)
        project.refuse_unless_editable()
        await read_task(ahead, added.to)
        return [*await in_steps(graph.add(added, is_open=first.group not in FINISHED))]

    async def _task(self, ahead: AheadReads, names: Names, external_id: str) -> TaskId:
        found = await names.task_here(ahead, external_id, self.before.tasks)
        if found is None:
            raise UnknownTask(task=external_id)
        return found
