"""The command that imports some relations of a file: those that no rule refuses."""

from collections.abc import Callable, Mapping
from typing import ClassVar, NamedTuple
from uuid import UUID

from msgspec.structs import replace

from commands.base import Change, Context, Decision, changes_of
from commands.exchange.content_line import NumberedRelation, RelationLine
from commands.exchange.elsewhere import Elsewhere
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
    Relation,
    RelationAdded,
    RelationExists,
    graph_of,
    relation,
)
from domain.work.task.imported import UnknownTask
from domain.work.workflow.events import FINISHED


class ImportRelations(ImportPiece, frozen=True, kw_only=True):
    """Relate tasks of a project as a file says; what is related so already is left alone.

    The other task can be in another project that whoever imports sees.
    """

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
        names = await self._names(ahead, context)
        stream, events = graph_of(context.organization), list[Event]()
        outcomes: list[ContentOutcome] = []
        for line in self.lines:
            ahead.begin()
            wanted: Relation | None = None
            try:
                wanted = await _wanted(names, line.relation, self.before.tasks)
                added = await self._added(names, wanted)
                refused = await trial.add(ahead, (Change(stream, added),), ())
                if refused is not None:
                    raise refused
            except RelationExists:
                outcomes.append(ContentOutcome(line.number, made=wanted in self.earlier.relations))
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

    async def _names(self, ahead: AheadReads, context: Context) -> "_Names":
        """Look up what the lines name, here and in other projects."""
        lines = [each.relation for each in self.lines]
        here = Names(context.organization, self.project_id, self.fingerprint)
        await here.look_up_some(ahead, [n for line in lines for n in (line.task, line.to)], ())
        elsewhere = Elsewhere(context.organization, self.fingerprint)
        await elsewhere.look_up(ahead, lines)
        return _Names(ahead, context, here, elsewhere)

    async def _added(self, names: "_Names", wanted: Relation) -> list[Event]:
        """Return the events that relate two tasks."""
        graph = names.ahead.new(DependencyGraph, graph_of(names.context.organization))
        first, _ = await read_task(names.ahead, wanted.from_)
        await read_task(names.ahead, wanted.to)
        return [*await in_steps(graph.add(wanted, is_open=first.group not in FINISHED))]


class _Names(NamedTuple):
    """What the lines name, as it was looked up, and on whose behalf."""

    ahead: AheadReads
    context: Context
    here: Names
    elsewhere: Elsewhere


async def _wanted(names: _Names, line: RelationLine, known: Mapping[str, TaskId]) -> Relation:
    """Return the relation of two tasks, of which the first is in the project."""
    one = await names.here.task_here(names.ahead, line.task, known)
    two: TaskId | None = None
    if line.to_project is None:
        two = await names.here.task_here(names.ahead, line.to, known)
    two = two or await names.elsewhere.task(names.ahead, names.context, line)
    if one is None or two is None:
        raise UnknownTask(task=line.task if one is None else line.to)
    return relation(one, line.kind, two)
