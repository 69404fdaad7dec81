"""Commands on the time that is logged on tasks."""

from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import UNSET, Meta, UnsetType

from commands.base import Command, Context, Decision, changes_of
from commands.reads import Reads
from commands.sight import refuse_unless_concerned, refuse_unless_granted_in
from commands.work.task import read_editable_task, refuse_unless_sees_task
from commands.work.trash.task import refuse_unless_task_here
from domain.base import NotFound, TaskId, UserId, WorklogId
from domain.identity.organization.state import Organization
from domain.patterned import patterned
from domain.permission import Permission
from domain.planning.worklog import (
    MINUTES_MAX,
    Worklog,
    WorklogAdded,
    WorklogChanged,
    WorklogDeleted,
    WorklogRestored,
    refuse_unless_loggable,
)
from domain.work.project.state import Project

Minutes = Annotated[int, Meta(ge=1, le=MINUTES_MAX)]
Note = Annotated[str, patterned(r"\S", "some text", 5_000)]


class LogTime(Command, frozen=True, kw_only=True):
    """Log time that one spent on a task; with a role that allows it, that somebody else spent.

    Without a day it is today in the time zone of the organization.
    """

    needs: ClassVar[Permission | None] = Permission.WORKLOG_LOG
    records = (WorklogAdded,)
    worklog_id: WorklogId
    task_id: TaskId
    minutes: Minutes
    day: date | None = None
    note: Note | None = None
    user_id: UserId | None = None

    async def permit(self, read: Reads, context: Context, /) -> None:
        await super().permit(read, context)
        await refuse_unless_sees_task(read, context, self.task_id)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        _, project = await read_editable_task(read, self.task_id)
        whose = self.user_id or context.user_id
        if whose != context.user_id:
            await _refuse_unless_own(read, context, project, whose)
            await refuse_unless_concerned(read, context, project, whose)
        today = await _today(read, context)
        day = self.day or today
        refuse_unless_loggable(day, today)
        added = WorklogAdded(
            task_id=self.task_id,
            user_id=whose,
            minutes=self.minutes,
            day=day,
            note=self.note,
            created_by=context.user_id,
            created_at=context.now,
        )
        return changes_of(self.worklog_id, read.new(Worklog, self.worklog_id).add(added))


class WorklogCommand(Command, frozen=True, kw_only=True):
    """A command on one entry of time."""

    needs: ClassVar[Permission | None] = Permission.WORKLOG_LOG
    task_id: TaskId
    worklog_id: WorklogId

    @property
    def target(self) -> UUID | None:
        return self.worklog_id

    async def permit(self, read: Reads, context: Context, /) -> None:
        await super().permit(read, context)
        await refuse_unless_sees_task(read, context, self.task_id)


class ChangeWorklog(WorklogCommand, frozen=True, kw_only=True):
    """Change an entry of time: one's own, or with a role that allows it anybody's."""

    records = (WorklogChanged,)
    minutes: Minutes | UnsetType = UNSET
    day: date | UnsetType = UNSET
    note: Note | UnsetType | None = UNSET

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        worklog = await _read_worklog(read, self.task_id, self.worklog_id)
        worklog.refuse_unless_here()
        _, project = await read_editable_task(read, self.task_id)
        await _refuse_unless_own(read, context, project, worklog.whose)
        assert worklog.day is not None  # noqa: S101 - it is here
        minutes = worklog.minutes if self.minutes is UNSET else self.minutes
        day = worklog.day if self.day is UNSET else self.day
        note = worklog.note if self.note is UNSET else self.note
        if day != worklog.day:
            refuse_unless_loggable(day, await _today(read, context))
        return changes_of(self.worklog_id, worklog.change(minutes, day, note))


class DeleteWorklog(WorklogCommand, frozen=True, kw_only=True):
    """Move an entry of time to the trash: one's own, or with a role that allows it anybody's."""

    records = (WorklogDeleted,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        worklog = await _read_worklog(read, self.task_id, self.worklog_id)
        task, project = await read_editable_task(read, self.task_id)
        await _refuse_unless_own(read, context, project, worklog.whose)
        return changes_of(self.worklog_id, worklog.delete(context.user_id, task.project_id))


class RestoreWorklog(WorklogCommand, frozen=True, kw_only=True):
    """Restore an entry of time; whose time it is only what they deleted themselves."""

    records = (WorklogRestored,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        worklog = await _read_worklog(read, self.task_id, self.worklog_id)
        await refuse_unless_task_here(read, self.task_id)
        _, project = await read_editable_task(read, self.task_id)
        own = worklog.deleted_by or worklog.whose
        await _refuse_unless_own(read, context, project, own)
        return changes_of(self.worklog_id, worklog.restore())


async def _read_worklog(read: Reads, task_id: TaskId, worklog_id: WorklogId) -> Worklog:
    """Return an entry of a task, also from the trash.

    :raises NotFound: the task has no such entry.
    """
    worklog = await read(Worklog, worklog_id)
    if worklog.task_id != task_id:
        raise NotFound
    return worklog


async def _refuse_unless_own(
    read: Reads, context: Context, project: Project, whose: UserId | None
) -> None:
    """Refuse a caller who may log only their own time, unless it is theirs."""
    if context.user_id != whose:
        await refuse_unless_granted_in(read, context, project, Permission.WORKLOG_MANAGE)


async def _today(read: Reads, context: Context) -> date:
    """Return the day that it is in the time zone of the organization."""
    organization = await read(Organization, context.organization)
    return context.now.astimezone(ZoneInfo(organization.settings.time_zone)).date()
