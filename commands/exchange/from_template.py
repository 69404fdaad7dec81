"""The command that creates a task from a template, with its subtasks: all of them, or none.

Each task is decided by ``CreateTask``, and sees those before it.
"""

import asyncio
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, ClassVar, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from commands.base import Change, Command, Context, Decision
from commands.exchange.trial import decide_ahead
from commands.planning.fitting import Fitting, Misfit
from commands.reads import AheadReads, Reads
from commands.work.task_create import CreateTask
from commands.work.task_plan import Planned
from domain.base import NotFound, TaskId, TemplateId
from domain.identity.organization.state import Organization
from domain.permission import Permission
from domain.planning.template.errors import TitleMissing
from domain.planning.template.state import TaskTemplate
from domain.planning.template.values import StartingValues
from domain.work.project.state import Project
from domain.work.task.errors import StartsAfterDue
from domain.work.task.events import TaskCreated, TaskSchedule
from domain.work.task.planning import last_day
from domain.work.task.state import Task
from domain.work.task.templated import TaskTemplated
from domain.work.workflow.events import FINISHED

_PIECE = 10
"""Subtasks that are decided before others get their turn."""


class TemplateLeftOut(NamedTuple):
    """A value of a template that a task did not get, and why not.

    ``subtask`` is the place of the task among the subtasks, None for the task above them.
    """

    subtask: int | None
    misfit: Misfit


class MadeFromTemplate(NamedTuple):
    """What became of a template: how many subtasks, finished ones among them, and what is left."""

    subtasks: int = 0
    finished: int = 0
    left_out: tuple[TemplateLeftOut, ...] = ()


class CreateFromTemplate(Command, frozen=True, kw_only=True):
    """Create a task with what a template lets it start with, and the subtasks that it lists.

    What ``given`` names stays as ``task`` has it. What no longer holds is left out: what is in the
    trash, and people who do not see the project.
    """

    needs: ClassVar[Permission | None] = Permission.TASK_CREATE
    records = (*CreateTask.records, TaskTemplated)
    template_id: TemplateId
    task: CreateTask
    given: frozenset[str]
    """The fields of ``task`` that were asked for."""
    subtask_ids: tuple[TaskId, ...]
    """Ids for subtasks, ``SUBTASKS_MAX`` of them."""
    note: Callable[[MadeFromTemplate], None]
    """Told what becomes of the template, and again with each attempt."""

    async def permit(self, read: Reads, context: Context, /) -> None:
        await self.task.permit(read, context)

    async def permit_repeat(self, read: Reads, context: Context, made: UUID, /) -> None:
        last = await read(Task, made)  # a subtask, if there are any; the reply shows its parent
        for task_id in (made, last.parent_id):
            if task_id is not None:
                await self.task.permit_repeat(read, context, task_id)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        template = await read(TaskTemplate, self.template_id)
        gone = template.created_at is None or template.deleted
        if gone or template.project_id not in (None, self.task.project_id):
            raise NotFound(template_id=self.template_id)
        project = await read(Project, self.task.project_id)
        zone = (await read(Organization, context.organization)).settings.time_zone
        using = _Using(self, template, context.now.astimezone(ZoneInfo(zone)).date())
        commands = await using.commands(Fitting(read, context, self.task.project_id, project))
        ahead, changes = AheadReads(read), list[Change]()
        for number, command in enumerate(commands, start=1):
            changes += (await decide_ahead(ahead, context, [command])).changes
            if number % _PIECE == 0:
                await asyncio.sleep(0)
        marked = [_marked(each, self.template_id) for each in changes]
        finished = sum(_is_finished(each) for each in marked[1:])
        self.note(MadeFromTemplate(len(commands) - 1, finished, (*using.left_out,)))
        return marked


class _Using:
    """A template that is used: what it adds to what was asked for, and what it leaves out."""

    def __init__(self, command: CreateFromTemplate, template: TaskTemplate, today: date) -> None:
        self._command, self._template, self._today = command, template, today
        self.left_out: list[TemplateLeftOut] = []

    async def commands(self, fitting: Fitting) -> list[CreateTask]:
        """Return the command that creates the task, and those that create its subtasks.

        :raises TitleMissing: neither the template nor who asks gives it a title.
        """
        asked, template = self._command.task, self._template
        listed = [each.values for each in template.listed_subtasks]
        await fitting.look_up([template.values, *listed])
        misfits = list[Misfit]()
        wanted = await fitting.fit(_unless(template.values, self._command.given), misfits)
        fields = {k: v for k, v in template.field_values.items() if k not in asked.fields}
        fitted = await fitting.fit_fields(fields, misfits)
        self.left_out += [TemplateLeftOut(None, each) for each in misfits]
        main = self._started(asked, wanted, None)
        main = replace(main, fields={**fitted, **asked.fields})
        if "description" not in self._command.given:
            main = replace(main, description=template.text)
        if "title" not in self._command.given:
            if template.title is None:
                raise TitleMissing
            main = replace(main, title=template.title)
        return [main, *await self._subtasks(fitting)]

    async def _subtasks(self, fitting: Fitting) -> list[CreateTask]:
        asked, found = self._command.task, list[CreateTask]()
        listed = zip(self._command.subtask_ids, self._template.listed_subtasks, strict=False)
        for number, (task_id, each) in enumerate(listed):
            misfits = list[Misfit]()
            values = await fitting.fit(each.values, misfits)
            self.left_out += [TemplateLeftOut(number, misfit) for misfit in misfits]
            plain = CreateTask(
                task_id=task_id,
                project_id=asked.project_id,
                title=each.title,
                parent_id=asked.task_id,
            )
            found.append(self._started(plain, values, number))
        return found

    def _started(self, task: CreateTask, values: StartingValues, number: int | None) -> CreateTask:
        """Return *task* with *values*, and with the days that they mean today."""
        about: dict[str, Any] = {
            name: value
            for name in ("status", "priority", "estimate", "labels", "assignees")
            if (value := getattr(values, name)) not in (None, ())
        }
        if values.cycle_id is not None or values.milestone_id is not None:
            about["planned"] = Planned(
                cycle_id=values.cycle_id or task.planned.cycle_id,
                milestone_id=values.milestone_id or task.planned.milestone_id,
            )
        if values.start_in is not None:
            about["start_date"] = self._today + timedelta(values.start_in)
        if values.due_in is not None:
            about["due_date"] = self._today + timedelta(values.due_in)
        started = replace(task, **about)
        refused = _starts_after_due(started)
        # The template's own days are in order: one of them may meet a day that was asked for.
        for name, field in (("start_date", "start_in"), ("due_date", "due_in")):
            days = getattr(values, field)
            if refused is not None and days is not None:
                self.left_out.append(TemplateLeftOut(number, Misfit(field, days, refused)))
                return replace(started, **{name: None})
        return started


def _unless(values: StartingValues, given: frozenset[str]) -> StartingValues:
    """Return *values* without those of which something else was asked for."""
    names = {"start_date": "start_in", "due_date": "due_in", "due_at": "due_in"}
    passed = {names.get(name, name) for name in given}
    kept = {n: getattr(values, n) for n in StartingValues.__struct_fields__ if n not in passed}
    return StartingValues(**kept)


def _starts_after_due(task: CreateTask) -> StartsAfterDue | None:
    """Return why a task cannot have its days, if they are not in order."""
    due = last_day(TaskSchedule(due_date=task.due_date, due_at=task.due_at))
    if task.start_date is None or due is None or task.start_date <= due:
        return None
    return StartsAfterDue(start=task.start_date, due=due)


def _marked(change: Change, template_id: TemplateId) -> Change:
    """Return a change that creates a task, and says from which template that was."""
    created, *more = change.events
    return Change(change.stream, [created, TaskTemplated(template_id=template_id), *more])


def _is_finished(change: Change) -> bool:
    created = change.events[0]
    return isinstance(created, TaskCreated) and created.group in FINISHED
