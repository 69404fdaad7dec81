"""Attachment: a file at a task. Its contents are in the file store, never in the log.

Invariants
    1. The contents never change: another file is another attachment.
    2. A file that waits for its scan, or that a scanner found infected, is not given out.
    3. A scan is decided once.
    4. A deleted attachment can only be restored, and a purged one not even that.
    5. An imported attachment shows who imported it as who added it; who added it elsewhere, and
       when, is beside that.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, assert_never, get_args

from msgspec import Struct
from msgspec.structs import replace

from domain.base import (
    ERASED,
    DomainError,
    Event,
    NotFound,
    Personal,
    ProjectId,
    Refusal,
    TaskId,
    UserId,
)
from domain.work.task.imported import TaskOrigin, imported_from


class ScanState(StrEnum):
    """Whether a file is given out. The values are stored, so they never change.

    CLEAN means that no scanner objected: without a scanner, every file is CLEAN at once.
    """

    PENDING = "PENDING"
    CLEAN = "CLEAN"
    INFECTED = "INFECTED"


# Events ---------------------------------------------------------------------


class AttachmentUploaded(Event, frozen=True, kw_only=True, tag="attachment.uploaded"):
    """A file was attached to a task: its size in bytes, media type and SHA-256 (hexadecimal)."""

    task_id: TaskId
    name: Personal
    media_type: str
    size: int
    sha256: str
    state: ScanState
    created_by: UserId
    created_at: datetime


class AttachmentScanned(Event, frozen=True, kw_only=True, tag="attachment.scanned"):
    """A scanner has looked at a file; `found` names what it found, if it told."""

    sets = ("state", "scanned")
    task_id: TaskId
    state: ScanState
    found: str | None = None


class AttachmentDeleted(
    Event, frozen=True, kw_only=True, omit_defaults=True, tag="attachment.deleted"
):
    """An attachment was moved to the trash, from which it can be restored."""

    sets = ("deleted", "deleted_by")
    hidden = ("projectId", "owner")
    task_id: TaskId
    deleted_by: UserId
    project_id: ProjectId | None = None
    owner: UserId | None = None


class AttachmentRestored(Event, frozen=True, kw_only=True, tag="attachment.restored"):
    """An attachment was restored from the trash, unchanged."""

    sets = ("deleted", "deleted_by")
    task_id: TaskId


class AttachmentPurged(Event, frozen=True, kw_only=True, tag="attachment.purged"):
    """The name and the contents of an attachment are gone for good."""

    sets = ("name", "deleted", "purged", "external_id", "occurred_at", "author")
    task_id: TaskId


class AttachmentImported(
    Event, frozen=True, kw_only=True, omit_defaults=True, tag="attachment.imported"
):
    """A file that was just attached came from elsewhere, where it has this id.

    `occurredAt` and `author` tell when and by whom it was added there.
    """

    sets = ("external_id", "occurred_at", "author")
    task_id: TaskId
    external_id: Personal
    occurred_at: datetime | None = None
    author: Personal | None = None


AttachmentEvent = (
    AttachmentUploaded
    | AttachmentImported
    | AttachmentScanned
    | AttachmentDeleted
    | AttachmentRestored
    | AttachmentPurged
)


# State ----------------------------------------------------------------------

_PURGED: dict[str, Any] = {
    "name": ERASED,
    "deleted": True,
    "purged": True,
    "external_id": None,
    "occurred_at": None,
    "author": None,
}


class Attachment(Struct, frozen=True, kw_only=True, gc=False):
    """What the rules below need to know about an attachment, and the fields of its view.

    ``scanned`` tells whether a scanner has looked at it.
    """

    platform: ClassVar[bool] = False
    folds: ClassVar[tuple[type[Event], ...]] = get_args(AttachmentEvent)

    task_id: TaskId | None = None
    name: str = ""
    media_type: str = ""
    size: int = 0
    sha256: str = ""
    state: ScanState = ScanState.PENDING
    scanned: bool = False
    created_by: UserId | None = None
    created_at: datetime | None = None
    deleted: bool = False
    deleted_by: UserId | None = None
    purged: bool = False
    external_id: str | None = None
    occurred_at: datetime | None = None
    author: str | None = None

    def evolve(self, event: AttachmentEvent) -> "Attachment":
        match event:
            case AttachmentUploaded():
                return Attachment(
                    task_id=event.task_id,
                    name=event.name,
                    media_type=event.media_type,
                    size=event.size,
                    sha256=event.sha256,
                    state=event.state,
                    created_by=event.created_by,
                    created_at=event.created_at,
                )
            case AttachmentImported():
                return replace(
                    self,
                    external_id=event.external_id,
                    occurred_at=event.occurred_at,
                    author=event.author,
                )
            case AttachmentScanned():
                return replace(self, state=event.state, scanned=True)
            case AttachmentDeleted():
                return replace(self, deleted=True, deleted_by=event.deleted_by)
            case AttachmentRestored():
                return replace(self, deleted=False, deleted_by=None)
            case AttachmentPurged():
                return replace(self, **_PURGED)
            case _:
                assert_never(event)

    @property
    def origin(self) -> TaskOrigin | None:
        """Where the attachment was imported from; None if it was added here."""
        return imported_from(self)

    # Decisions: each returns the events to record; an empty list means that nothing changes.

    def upload(self, uploaded: AttachmentUploaded) -> list[AttachmentEvent]:
        """Attach the file; a repeated call is a retry and records nothing."""
        return [] if self.task_id is not None else [uploaded]

    def scan(self, state: ScanState, found: str | None) -> list[AttachmentEvent]:
        """Note what a scanner said; also of a file in the trash, which may be restored.

        Of one that was purged meanwhile nothing is noted.
        """
        if self.task_id is None:
            raise NotFound
        if self.purged or self.state is not ScanState.PENDING:
            return []
        return [AttachmentScanned(task_id=self.task_id, state=state, found=found)]

    def delete(self, by: UserId, project_id: ProjectId | None) -> list[AttachmentEvent]:
        task_id = self.refuse_unless_here()
        return [
            AttachmentDeleted(
                task_id=task_id, deleted_by=by, project_id=project_id, owner=self.created_by
            )
        ]

    def restore(self) -> list[AttachmentEvent]:
        if self.task_id is None or self.purged:
            raise NotFound
        return [AttachmentRestored(task_id=self.task_id)] if self.deleted else []

    def refuse_unless_here(self) -> TaskId:
        """Return the task; raise NotFound if there is no such attachment or it is in the trash."""
        if self.task_id is None or self.deleted:
            raise NotFound
        return self.task_id

    def refuse_to_give_out(self) -> None:
        """Refuse to give out the contents before they are known to be good.

        :raises NotFound: it is not here.
        :raises ScanPending: no scanner has looked at it yet.
        :raises FileInfected: one has, and found something.
        """
        self.refuse_unless_here()
        if self.state is ScanState.PENDING:
            raise ScanPending
        if self.state is ScanState.INFECTED:
            raise FileInfected


# Errors ---------------------------------------------------------------------


class ScanPending(DomainError):
    """This file has not been scanned yet. Try again in a moment."""

    code = "scan_pending"
    refusal = Refusal.CONFLICT


class FileInfected(DomainError):
    """A scanner found something harmful in this file, so it is not given out. Delete it."""

    code = "file_infected"
    refusal = Refusal.CONFLICT
