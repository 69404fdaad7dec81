"""The command that imports some comments of a file: those that no rule refuses."""

import asyncio
from collections.abc import Callable, Mapping
from typing import ClassVar
from uuid import UUID

from msgspec.structs import replace

from commands.base import Change, Context, Decision
from commands.claims.exchange import external_comment_claim
from commands.exchange.content_line import CommentLine, NumberedComment
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
from commands.work.task import read_task
from commands.work.task_values import in_utc
from domain.base import CommentId, DomainError, NotFound, TaskId
from domain.permission import Permission
from domain.work.comment import Comment, CommentEvent, CommentImported, CommentPosted
from domain.work.task.imported import UnknownParent, UnknownTask
from eventstore.claim import ClaimKey


class ImportComments(ImportPiece, frozen=True, kw_only=True):
    """Post each comment whose external id its task does not have yet.

    Nobody watches a task because of it, and nobody is told of it. Its author and when it was
    written are kept as the file has them; whoever imports it is shown as who posted it.
    """

    needs: ClassVar[Permission | None] = Permission.COMMENT_POST
    records = (CommentPosted, CommentImported)
    lines: tuple[NumberedComment, ...]
    note: Callable[[ImportedContents], None]
    """Told what becomes of the lines, and again with each attempt."""

    async def decide_lines(self, read: Reads, context: Context, /) -> Decision:
        deciding = _Deciding(self, read, context)
        await deciding.look_up()
        outcomes: list[ContentOutcome] = []
        for number, line in enumerate(self.lines, start=1):
            outcomes.append(await deciding.outcome(line))
            if number % DECIDED_AT_ONCE == 0:
                await asyncio.sleep(0)
        self.note(ImportedContents(outcomes, deciding.rehearsed()))
        return deciding.changes


class _Deciding:
    """The decision on some comments, each on what those before it leave."""

    def __init__(self, command: ImportComments, read: Reads, context: Context) -> None:
        before = command.before
        self._read, self._context = AheadReads(read, before.states), context
        self._names = Names(context.organization, command.project_id, command.fingerprint)
        self.changes: list[Change] = []
        self._command = command
        self._trial = Trial(context, before.counts)
        self._made = dict(before.comments)
        self._held: Mapping[ClaimKey, UUID] = {}

    def rehearsed(self) -> Rehearsed:
        """Return what a dry run goes on with; nothing for what is recorded."""
        if not self._context.dry_run:
            return Rehearsed()
        return replace(
            self._command.before,
            comments=self._made,
            states=self._read.ahead,
            counts=self._trial.counts,
        )

    async def look_up(self) -> None:
        """Look up every name in the lines, with two queries: a comment is claimed at its task."""
        lines = [each.comment for each in self._command.lines]
        people = [person for line in lines for person in line.mentions]
        await self._names.look_up_some(self._read, [line.task for line in lines], people)
        wanted: dict[ClaimKey, None] = {}
        for line in lines:
            task_id = await self._task(line)
            if task_id is not None:
                wanted[self._claim(task_id, line.id)] = None
                if line.parent is not None:
                    wanted[self._claim(task_id, line.parent)] = None
        self._held = await self._read.holders(list(wanted)) if wanted else {}

    async def outcome(self, line: NumberedComment) -> ContentOutcome:
        """Return what becomes of a comment, and add its change to the others."""
        self._read.begin()
        try:
            task_id = await self._task(line.comment)
            if task_id is None:
                raise UnknownTask(task=line.comment.task)
            found = await self._comment(task_id, line.comment.id)
            if found is not None:
                return ContentOutcome(line.number, id=found)
            change = await self._posted(task_id, line)
            refused = await self._trial.add(self._read, (change,), ())
            if refused is not None:
                raise refused
        except DomainError as error:
            self._read.go_back()
            return ContentOutcome(line.number, refused=error)
        self._read.pass_over(line.comment_id, change.events)
        self.changes.append(change)
        self._made[task_id, line.comment.id] = line.comment_id
        return ContentOutcome(line.number, made=True, id=line.comment_id)

    async def _posted(self, task_id: TaskId, line: NumberedComment) -> Change:
        """Return the events that post a comment."""
        said, context = line.comment, self._context
        _, project = await read_task(self._read, task_id)
        project.refuse_unless_editable()
        parent_id: CommentId | None = None
        if said.parent is not None:
            parent_id = await self._comment(task_id, said.parent)
            if parent_id is None:
                raise UnknownParent(parent=said.parent)
            (await self._read(Comment, parent_id)).refuse_answer()
        posted = CommentPosted(
            task_id=task_id,
            parent_id=parent_id,
            body=said.body,
            mentions=await self._names.members(self._read, context, said.mentions),
            created_by=context.user_id,
            created_at=context.now,
        )
        events: list[CommentEvent] = self._read.new(Comment, line.comment_id).post(posted)
        came = CommentImported(
            task_id=task_id,
            external_id=said.id,
            occurred_at=in_utc(said.occurred_at),
            author=said.author,
        )
        return Change(line.comment_id, [*events, came])

    async def _task(self, line: CommentLine) -> TaskId | None:
        """Return the task of the project that a line names; None if it is elsewhere by now."""
        before = self._command.before.tasks
        return await self._names.task_here(self._read, line.task, before)

    async def _comment(self, task_id: TaskId, external_id: str) -> CommentId | None:
        """Return the comment that was imported as *external_id*, or whose own id that is."""
        found = self._made.get((task_id, external_id))
        if found is None:
            held = self._held.get(self._claim(task_id, external_id))
            found = None if held is None else CommentId(held)
        if found is not None:
            return found
        own = uuid_in(external_id)
        if own is None:
            return None
        try:
            comment = await self._read(Comment, own)
        except NotFound:
            return None
        return CommentId(own) if comment.task_id == task_id else None

    def _claim(self, task_id: TaskId, external_id: str) -> ClaimKey:
        org_id, fingerprint = self._context.organization, self._command.fingerprint
        return external_comment_claim(fingerprint, org_id, task_id, external_id)
