"""The command that imports some files at tasks, whose contents are in the file store already."""

from collections.abc import Callable
from typing import ClassVar

from msgspec.structs import replace

from commands.base import Change, Context, Decision
from commands.claims.exchange import external_file_claim
from commands.exchange.content_line import NumberedFile
from commands.exchange.import_at_tasks import DecidingAtTasks
from commands.exchange.import_piece import ImportedContents, ImportPiece, Rehearsed
from commands.reads import Reads
from commands.work.attachment import AttachFile
from commands.work.task_values import in_utc
from domain.base import TaskId
from domain.permission import Permission
from domain.work.attachment import Attachment, AttachmentImported, AttachmentUploaded
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
        deciding = _Deciding(self, read, context, self.before.files)
        self.note(await deciding.decide(self.lines))
        return deciding.changes


class _Deciding(DecidingAtTasks[NumberedFile]):
    """The decision on some files."""

    kind = Attachment

    def claim(self, task_id: TaskId, external_id: str) -> ClaimKey:
        org_id = self.context.organization
        return external_file_claim(self.fingerprint, org_id, task_id, external_id)

    def kept(self) -> Rehearsed:
        return replace(self.before, files=self.made)

    async def change(self, task_id: TaskId, numbered: NumberedFile) -> Change:
        """Return the events that attach a file."""
        about, line = numbered.content._asdict(), numbered.line
        attach = AttachFile(attachment_id=numbered.new_id, task_id=task_id, **about)
        [change] = await attach.decide(self.read, self.context)
        assert isinstance(change, Change)  # noqa: S101 - a new attachment is nothing else
        came = AttachmentImported(
            task_id=task_id,
            external_id=line.id,
            occurred_at=in_utc(line.occurred_at),
            author=line.author,
        )
        return Change(numbered.new_id, [*change.events, came])
