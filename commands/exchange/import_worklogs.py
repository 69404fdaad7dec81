"""The command that imports some of the time in a file: what no rule refuses."""

from collections.abc import Callable
from typing import ClassVar

from msgspec.structs import replace

from commands.base import Change, Context, Decision
from commands.claims.exchange import external_worklog_claim
from commands.exchange.content_line import NumberedWorklog, WorklogLine
from commands.exchange.import_at_tasks import DecidingAtTasks
from commands.exchange.import_piece import ImportedContents, ImportPiece, Rehearsed
from commands.planning.worklog import LogTime
from commands.reads import Reads
from commands.work.task_values import in_utc
from domain.base import TaskId, UserId
from domain.permission import Permission
from domain.planning.worklog import Worklog, WorklogAdded, WorklogImported
from eventstore.claim import ClaimKey


class ImportWorklogs(ImportPiece, frozen=True, kw_only=True):
    """Log each entry of time whose external id its task does not have yet.

    It is the time of the member whose address its author is: one's own or, with a role that
    allows it, anybody's. That of somebody who is no member is nobody's.
    """

    needs: ClassVar[Permission | None] = Permission.WORKLOG_LOG
    records = (WorklogAdded, WorklogImported)
    lines: tuple[NumberedWorklog, ...]
    note: Callable[[ImportedContents], None]
    """Told what becomes of the lines, and again with each attempt."""

    async def decide_lines(self, read: Reads, context: Context, /) -> Decision:
        deciding = _Deciding(self, read, context, self.before.worklogs)
        self.note(await deciding.decide(self.lines, _authors(self.lines)))
        return deciding.changes


def _authors(lines: tuple[NumberedWorklog, ...]) -> list[str]:
    return [each.line.author for each in lines if each.line.author is not None]


class _Deciding(DecidingAtTasks[NumberedWorklog]):
    """The decision on some entries."""

    kind = Worklog

    def claim(self, task_id: TaskId, external_id: str) -> ClaimKey:
        org_id = self.context.organization
        return external_worklog_claim(self.fingerprint, org_id, task_id, external_id)

    def kept(self) -> Rehearsed:
        return replace(self.before, worklogs=self.made)

    async def change(self, task_id: TaskId, numbered: NumberedWorklog) -> Change:
        """Return the events that log an entry."""
        line = numbered.line
        whose = await self._whose(line)
        log = LogTime(
            worklog_id=numbered.new_id,
            task_id=task_id,
            minutes=line.minutes,
            day=line.date,
            note=line.note,
            user_id=whose,
        )
        [change] = await log.decide(self.read, self.context)
        assert isinstance(change, Change)  # noqa: S101 - a new entry is nothing else
        [added] = change.events
        assert isinstance(added, WorklogAdded)  # noqa: S101 - as above
        if whose is None and line.author is not None:
            added = replace(added, user_id=None)
        came = WorklogImported(
            task_id=task_id,
            external_id=line.id,
            occurred_at=in_utc(line.occurred_at),
            author=line.author,
        )
        return Change(numbered.new_id, [added, came])

    async def _whose(self, line: WorklogLine) -> UserId | None:
        """Return whose time it is; None if that is nobody here, or the line does not say."""
        if line.author is None:
            return None
        found = await self.names.members(self.read, self.context, [line.author])
        return found[0] if found else None
