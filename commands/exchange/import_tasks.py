"""The command that imports some lines of a file: those that no rule refuses.

Each line is decided by ``CreateTask``, in the order of the file, and sees what those before it will
create.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from commands.base import Change, Context, Decision, refuse_unless_role_grants
from commands.exchange.import_piece import (
    DECIDED_AT_ONCE,
    NOTHING_EARLIER,
    Earlier,
    ImportPiece,
    Rehearsed,
    made_since,
)
from commands.exchange.names import Names
from commands.exchange.task_line import Meant, NumberedLine, TaskLine
from commands.exchange.trial import Trial
from commands.exchange.update_task import by_stream, commands_of, members_changed
from commands.planning.recurrence import today_in
from commands.reads import AheadReads, Reads
from commands.work.task_values import in_utc
from domain.base import DomainError, Event, LabelId, TaskId
from domain.name import folded
from domain.permission import Permission
from domain.planning.recurrence import Place, repeat
from domain.planning.repeat_rule import NeverRepeats
from domain.work.label import Label, LabelCreated
from domain.work.task.custom_field import TaskFieldSet
from domain.work.task.events import (
    TaskAssigned,
    TaskCreated,
    TaskDescribed,
    TaskEstimated,
    TaskLabelled,
    TaskPriorityChanged,
    TaskRetitled,
    TaskScheduled,
    TaskStatusChanged,
    TaskUnassigned,
    TaskUnlabelled,
)
from domain.work.task.imported import TaskImported, UnknownParent
from domain.work.task.mentions import TaskMentioned
from domain.work.task.plan_events import TaskCycleChanged, TaskMilestoneChanged
from domain.work.task.recurrence_events import RepeatAfter, TaskRecurrenceSet
from domain.work.task.state import Task
from eventstore.claim import CountChange

LABEL_COLOR = "#8a8f98"
"""The colour of a label that an import creates: grey, until somebody chooses one."""


class LineOutcome(NamedTuple):
    """What becomes of one line: a new task, one that is there already (``found``), or neither.

    ``changed`` names the members of the line that changed the one that is there.
    """

    line: NumberedLine
    found: TaskId | None = None
    changed: tuple[str, ...] = ()
    refused: DomainError | None = None


class Imported(NamedTuple):
    """What becomes of some lines, and what a dry run goes on with."""

    outcomes: list[LineOutcome]
    rehearsed: Rehearsed


class Existing(NamedTuple):
    """What becomes of tasks that are there: ``updates`` is whether they are changed.

    An import that goes on, and was ``begun_as`` this id, leaves alone what it made before; what it
    did ``earlier`` counts as done by it.
    """

    updates: bool = False
    begun_as: UUID | None = None
    earlier: Earlier = NOTHING_EARLIER


SKIPPED = Existing()


class ImportTasks(ImportPiece, frozen=True, kw_only=True):
    """Create a task for each line whose external id the project does not have yet.

    What the project has is left alone or, if asked, changed to what its line says, unless it is in
    the trash or was moved.
    Labels that neither the project nor the organization has are created in the project. Whom a
    description mentions is kept; nobody watches a task because of it, and nobody is told of it.
    """

    needs: ClassVar[Permission | None] = Permission.TASK_CREATE
    records = (
        LabelCreated,
        TaskCreated,
        TaskScheduled,
        TaskEstimated,
        TaskAssigned,
        TaskLabelled,
        TaskFieldSet,
        TaskCycleChanged,
        TaskMilestoneChanged,
        TaskMentioned,
        TaskImported,
        TaskRecurrenceSet,
        TaskRetitled,
        TaskDescribed,
        TaskPriorityChanged,
        TaskStatusChanged,
        TaskUnassigned,
        TaskUnlabelled,
    )
    lines: tuple[NumberedLine, ...]
    new_labels: Mapping[str, LabelId] = {}
    """Ids for labels that may have to be created, by their folded names."""
    existing: Existing = SKIPPED
    note: Callable[[Imported], None]
    """Told what becomes of the lines, and again with each attempt."""

    async def decide_lines(self, read: Reads, context: Context, /) -> Decision:
        deciding = _Deciding(self, read, context)
        await deciding.names.look_up(deciding.read, [each.task for each in self.lines])
        outcomes: list[LineOutcome] = []
        for number, line in enumerate(self.lines, start=1):
            outcomes.append(await deciding.outcome(line))
            if number % DECIDED_AT_ONCE == 0:
                await asyncio.sleep(0)
        self.note(Imported(outcomes, deciding.rehearsed()))
        return deciding.changes


class _Deciding:
    """The decision on some lines, each on what those before it leave."""

    def __init__(self, command: ImportTasks, read: Reads, context: Context) -> None:
        before = command.before
        self.read, self._context = AheadReads(read, before.states), context
        self.names = Names(context.organization, command.project_id, command.fingerprint)
        self.changes: list[Change | CountChange] = []
        self._command = command
        self._trial = Trial(context, before.counts)
        self._tasks, self._labels = dict(before.tasks), dict(before.labels)

    def rehearsed(self) -> Rehearsed:
        """Return what a dry run goes on with; nothing for what is recorded."""
        if not self._context.dry_run:
            return Rehearsed()
        return Rehearsed(self._tasks, self._labels, self.read.ahead, self._trial.counts)

    async def outcome(self, line: NumberedLine) -> LineOutcome:
        """Return what becomes of a line, and add its changes to the others."""
        found = self._tasks.get(line.task.id) or await self.names.task(self.read, line.task.id)
        if found is not None:
            return await self._found(line, found)
        labels: dict[str, Change] = {}
        self.read.begin()
        try:
            change = await self._created(line, labels)
            refused = await self._trial.add(self.read, (change,), ())
        except DomainError as error:
            refused, change = error, None
        if refused is not None or change is None:
            self.read.go_back()
            return LineOutcome(line, refused=refused)
        self.read.pass_over(line.task_id, change.events)
        self.changes += (*labels.values(), change)
        self._tasks[line.task.id] = line.task_id
        self._labels |= {name: LabelId(each.stream) for name, each in labels.items()}
        return LineOutcome(line)

    async def _found(self, line: NumberedLine, found: TaskId) -> LineOutcome:
        """Return what becomes of a line whose task is there, and add its changes to the others."""
        existing = self._command.existing
        if not existing.updates or made_since(existing.begun_as, found):
            return LineOutcome(line, found)
        before = await self.read(Task, found)
        if before.deleted or before.project_id != self._command.project_id:
            return LineOutcome(line, found)
        labels: dict[str, Change] = {}
        self.read.begin()
        try:
            changes, checks = await self._updated(found, before, line, labels)
            refused = await self._trial.add(self.read, changes, checks)
        except DomainError as error:
            refused, changes, checks = error, (), []
        if refused is not None:
            self.read.go_back()
            return LineOutcome(line, refused=refused)
        self.changes += (*labels.values(), *changes, *checks)
        self._labels |= {name: LabelId(each.stream) for name, each in labels.items()}
        return LineOutcome(line, found, members_changed(before, await self.read(Task, found)))

    async def _updated(
        self, found: TaskId, before: Task, line: NumberedLine, labels: dict[str, Change]
    ) -> tuple[tuple[Change, ...], list[CountChange]]:
        """Return the events that make a task what a line says, and what the append checks."""
        changes: list[Change] = []
        checks: list[CountChange] = []
        meant = await self._meant(line.task, None, labels)
        for command in commands_of(found, before, line.task, meant):
            await command.permit(self.read, self._context)
            for part in await command.decide(self.read, self._context):
                if isinstance(part, Change):
                    changes.append(part)
                    self.read.pass_over(part.stream, part.events)
                elif isinstance(part, CountChange):
                    checks.append(part)
        return by_stream(changes), checks

    async def _created(self, line: NumberedLine, labels: dict[str, Change]) -> Change:
        """Return the events that create a task; *labels* gets those that create its labels."""
        task, project_id = line.task, self._command.project_id
        parent_id = None if task.parent is None else await self._parent(task.parent)
        meant = await self._meant(task, parent_id, labels)
        create = task.creation(line.task_id, project_id, meant)
        self.read.new(Task, line.task_id)
        [change] = await create.decide(self.read, self._context)
        assert isinstance(change, Change)  # noqa: S101 - a new task is nothing else
        events = [*change.events]
        mentions = await self.names.members(self.read, self._context, task.mentions)
        if mentions:
            events.append(TaskMentioned(mentions=mentions))
        imported = TaskImported(
            external_id=task.id, occurred_at=in_utc(task.occurred_at), author=task.author
        )
        return Change(line.task_id, [*events, imported, *await self._repeating(line, events)])

    async def _repeating(self, line: NumberedLine, events: Sequence[Event]) -> Sequence[Event]:
        """Return what lets a new task repeat; nothing once its series is over."""
        task: Any = Task()  # whose events these are
        wanted = line.task
        if wanted.rrule is None:
            return []
        for event in events:
            task = task.evolve(event)
        at = await today_in(self.read, self._context)
        after = wanted.repeat_after or RepeatAfter.SCHEDULE
        try:
            return repeat(task, wanted.rrule, after, Place(line.task_id), at)
        except NeverRepeats:
            return []

    async def _meant(
        self, task: TaskLine, parent_id: TaskId | None, labels: dict[str, Change]
    ) -> Meant:
        people = [await self.names.person(self.read, self._context, n) for n in task.assignees]
        given = [await self._label(name, labels) for name in task.labels]
        return Meant(parent_id, (*people,), (*given,), self.names.plan(task))

    async def _parent(self, external_id: str) -> TaskId:
        found = self._tasks.get(external_id) or await self.names.task(self.read, external_id)
        if found is None:
            raise UnknownParent(parent=external_id)
        return found

    async def _label(self, name: str, labels: dict[str, Change]) -> LabelId:
        """Return the label with this name, which is created if there is none."""
        known = self.names.label(name) or self._labels.get(folded(name))
        if known is not None:
            return known
        if folded(name) in labels:
            return LabelId(labels[folded(name)].stream)
        await refuse_unless_role_grants(self.read, self._context, Permission.TASK_EDIT)
        label_id = self._command.new_labels[folded(name)]
        created = LabelCreated(
            name=name,
            color=LABEL_COLOR,
            project_id=self._command.project_id,
            created_by=self._context.user_id,
            created_at=self._context.now,
        )
        events = self.read.new(Label, label_id).create(created)
        self.read.pass_over(label_id, events)
        labels[folded(name)] = Change(label_id, events)
        return label_id
