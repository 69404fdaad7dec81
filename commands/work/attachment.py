"""Commands on the attachments of tasks."""

from typing import Annotated, ClassVar
from uuid import UUID

from commands.base import Command, Context, Decision, changes_of
from commands.reads import Reads
from commands.sight import refuse_unless_granted_in
from commands.work.task import read_task, refuse_unless_sees_task
from commands.work.trash.task import refuse_unless_task_here
from domain.base import AttachmentId, NotFound, TaskId, UserId
from domain.identity.organization.state import Organization
from domain.identity.plan import refuse_if_file_too_large
from domain.name import FileName
from domain.patterned import patterned
from domain.permission import Permission
from domain.work.attachment import (
    Attachment,
    AttachmentDeleted,
    AttachmentRestored,
    AttachmentScanned,
    AttachmentUploaded,
    ScanState,
)
from domain.work.project.state import Project
from domain.work.task.state import Task

Sha256 = Annotated[str, patterned(r"^[0-9a-f]{64}$", "64 hexadecimal digits in small letters")]


class AttachFile(Command, frozen=True, kw_only=True):
    """Attach a file to a task, whose contents are in the file store already."""

    needs: ClassVar[Permission | None] = Permission.ATTACHMENT_ADD
    records = (AttachmentUploaded,)
    attachment_id: AttachmentId
    task_id: TaskId
    name: FileName
    media_type: str
    size: int
    sha256: Sha256
    state: ScanState

    async def permit(self, read: Reads, context: Context, /) -> None:
        await super().permit(read, context)
        await refuse_unless_sees_task(read, context, self.task_id)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        await _editable(read, self.task_id)
        organization = await read(Organization, context.organization)
        refuse_if_file_too_large(organization.plan, self.size)
        uploaded = AttachmentUploaded(
            task_id=self.task_id,
            name=self.name,
            media_type=self.media_type,
            size=self.size,
            sha256=self.sha256,
            state=self.state,
            created_by=context.user_id,
            created_at=context.now,
        )
        attachment = read.new(Attachment, self.attachment_id)
        return changes_of(self.attachment_id, attachment.upload(uploaded))


class AttachmentCommand(Command, frozen=True, kw_only=True):
    """A command on one attachment."""

    needs: ClassVar[Permission | None] = Permission.ATTACHMENT_ADD
    attachment_id: AttachmentId

    @property
    def target(self) -> UUID | None:
        return self.attachment_id


class NoteScan(AttachmentCommand, frozen=True, kw_only=True):
    """Note what a scanner said about a file."""

    needs: ClassVar[Permission | None] = None
    records = (AttachmentScanned,)
    state: ScanState
    found: str | None = None

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        attachment = await read(Attachment, self.attachment_id)
        return changes_of(self.attachment_id, attachment.scan(self.state, self.found))


class DeleteAttachment(AttachmentCommand, frozen=True, kw_only=True):
    """Move an attachment to the trash: one's own, or with a role that allows it anybody's."""

    records = (AttachmentDeleted,)
    task_id: TaskId

    async def permit(self, read: Reads, context: Context, /) -> None:
        await super().permit(read, context)
        await refuse_unless_sees_task(read, context, self.task_id)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        attachment = await _read_attachment(read, self.task_id, self.attachment_id)
        project = await _editable(read, self.task_id)
        await _refuse_unless_own(read, context, project, attachment.created_by)
        task = await read(Task, self.task_id)
        return changes_of(self.attachment_id, attachment.delete(context.user_id, task.project_id))


class RestoreAttachment(AttachmentCommand, frozen=True, kw_only=True):
    """Restore an attachment; whoever added it only what they deleted themselves."""

    records = (AttachmentRestored,)
    task_id: TaskId

    async def permit(self, read: Reads, context: Context, /) -> None:
        await super().permit(read, context)
        await refuse_unless_sees_task(read, context, self.task_id)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        attachment = await _read_attachment(read, self.task_id, self.attachment_id)
        await refuse_unless_task_here(read, self.task_id)
        project = await _editable(read, self.task_id)
        own = attachment.deleted_by or attachment.created_by
        await _refuse_unless_own(read, context, project, own)
        return changes_of(self.attachment_id, attachment.restore())


async def _read_attachment(read: Reads, task_id: TaskId, attachment_id: AttachmentId) -> Attachment:
    """Return an attachment of a task, also from the trash.

    :raises NotFound: the task has no such attachment.
    """
    attachment = await read(Attachment, attachment_id)
    if attachment.task_id != task_id:
        raise NotFound
    return attachment


async def _editable(read: Reads, task_id: TaskId) -> Project:
    """Return the project of a task; refuse if one is deleted, or the project archived."""
    _, project = await read_task(read, task_id)
    project.refuse_unless_editable()
    return project


async def _refuse_unless_own(
    read: Reads, context: Context, project: Project, whose: UserId | None
) -> None:
    """Refuse a caller who may delete and restore only their own files, unless it is theirs."""
    if context.user_id != whose:
        await refuse_unless_granted_in(read, context, project, Permission.ATTACHMENT_DELETE)
