"""The command that imports some files at tasks, whose contents are in the file store already."""

from collections.abc import Callable, Mapping
from typing import ClassVar
from uuid import UUID

from msgspec.structs import replace

from commands.base import Change, Context, Decision
from commands.claims.exchange import external_file_claim
from commands.exchange.content_line import NumberedFile
from commands.exchange.import_piece import (
    ContentOutcome,
    ImportedContents,
    ImportPiece,
    Rehearsed,
)
from commands.exchange.names import Names, uuid_in
from commands.exchange.trial import Trial
from commands.reads import AheadReads, Reads
from commands.work.attachment import AttachFile
from commands.work.task_values import in_utc
from domain.base import AttachmentId, DomainError, NotFound, TaskId
from domain.permission import Permission
from domain.work.attachment import Attachment, AttachmentImported, AttachmentUploaded
from domain.work.task.imported import UnknownTask
from eventstore.claim import ClaimKey


class ImportFiles(ImportPiece, frozen=True, kw_only=True):
    """Attach each file whose external id its task does not have yet.

    Nobody is told of it. Who added it, and when, are kept as the file of lines has them.
    """

    needs: ClassVar[Permission | None] = Permission.ATTACHMENT_ADD
    records = (AttachmentUploaded, AttachmentImported)
    lines: tuple[NumberedFile, ...]
    note: Callable[[ImportedContents], None]
    """Told what becomes of the lines, and again with each attempt."""

    async def decide_lines(self, read: Reads, context: Context, /) -> Decision:
        deciding = _Deciding(self, read, context)
        await deciding.look_up()
        outcomes = [await deciding.outcome(line) for line in self.lines]
        self.note(ImportedContents(outcomes, deciding.rehearsed()))
        return deciding.changes


class _Deciding:
    """The decision on some files, each on what those before it leave."""

    def __init__(self, command: ImportFiles, read: Reads, context: Context) -> None:
        before = command.before
        self._read, self._context = AheadReads(read, before.states), context
        self._names = Names(context.organization, command.project_id, command.fingerprint)
        self.changes: list[Change] = []
        self._command = command
        self._trial = Trial(context, before.counts)
        self._made = dict(before.files)
        self._held: Mapping[ClaimKey, UUID] = {}

    def rehearsed(self) -> Rehearsed:
        """Return what a dry run goes on with; nothing for what is recorded."""
        if not self._context.dry_run:
            return Rehearsed()
        states, counts = self._read.ahead, self._trial.counts
        return replace(self._command.before, files=self._made, states=states, counts=counts)

    async def look_up(self) -> None:
        """Look up every name in the lines, with two queries: a file is claimed at its task."""
        lines = [each.file for each in self._command.lines]
        await self._names.look_up_some(self._read, [line.task for line in lines], ())
        tasks = [(await self._task(line.task), line.id) for line in lines]
        wanted = [self._claim(task_id, name) for task_id, name in tasks if task_id is not None]
        self._held = await self._read.holders(wanted) if wanted else {}

    async def outcome(self, line: NumberedFile) -> ContentOutcome:
        """Return what becomes of a file, and add its change to the others."""
        self._read.begin()
        try:
            task_id = await self._task(line.file.task)
            if task_id is None:
                raise UnknownTask(task=line.file.task)
            found = await self._attachment(task_id, line.file.id)
            if found is not None:
                return ContentOutcome(line.number, id=found)
            change = await self._attached(task_id, line)
            refused = await self._trial.add(self._read, (change,), ())
            if refused is not None:
                raise refused
        except DomainError as error:
            self._read.go_back()
            return ContentOutcome(line.number, refused=error)
        self._read.pass_over(line.attachment_id, change.events)
        self.changes.append(change)
        self._made[task_id, line.file.id] = line.attachment_id
        return ContentOutcome(line.number, made=True, id=line.attachment_id)

    async def _attached(self, task_id: TaskId, line: NumberedFile) -> Change:
        """Return the events that attach a file."""
        about = line.content._asdict()
        attach = AttachFile(attachment_id=line.attachment_id, task_id=task_id, **about)
        [change] = await attach.decide(self._read, self._context)
        assert isinstance(change, Change)  # noqa: S101 - a new attachment is nothing else
        came = AttachmentImported(
            task_id=task_id,
            external_id=line.file.id,
            occurred_at=in_utc(line.file.occurred_at),
            author=line.file.author,
        )
        return Change(line.attachment_id, [*change.events, came])

    async def _task(self, named: str) -> TaskId | None:
        """Return the task of the project that a line names; None if it is elsewhere by now."""
        return await self._names.task_here(self._read, named, self._command.before.tasks)

    async def _attachment(self, task_id: TaskId, external_id: str) -> AttachmentId | None:
        """Return the file that was imported as *external_id*, or whose own id that is."""
        found = self._made.get((task_id, external_id))
        held = found or self._held.get(self._claim(task_id, external_id))
        if held is not None:
            return AttachmentId(held)
        own = uuid_in(external_id)
        if own is None:
            return None
        try:
            attachment = await self._read(Attachment, own)
        except NotFound:
            return None
        return AttachmentId(own) if attachment.task_id == task_id else None

    def _claim(self, task_id: TaskId, external_id: str) -> ClaimKey:
        org_id, fingerprint = self._context.organization, self._command.fingerprint
        return external_file_claim(fingerprint, org_id, task_id, external_id)
