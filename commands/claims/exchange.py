"""What the events of imports reserve: external ids, each for one task of its project."""

from uuid import UUID

from commands.happening import Fingerprint, Happening, Reservations, Rule
from domain.base import Event, OrgId
from domain.planning.worklog import WorklogImported
from domain.work.attachment import AttachmentImported
from domain.work.comment import CommentImported
from domain.work.task.imported import AlreadyImported, TaskImported
from eventstore.claim import ClaimChange, ClaimKey

EXTERNAL_ID = "external id"
EXTERNAL_COMMENT = "external comment"
EXTERNAL_FILE = "external file"
EXTERNAL_WORKLOG = "external worklog"


def external_id_claim(
    fingerprint: Fingerprint, org_id: OrgId, project_id: UUID, external_id: str
) -> ClaimKey:
    """Return the claim on an external id in the project that it was imported into."""
    return ClaimKey(org_id, EXTERNAL_ID, project_id, fingerprint(EXTERNAL_ID, external_id))


def external_comment_claim(
    fingerprint: Fingerprint, org_id: OrgId, task_id: UUID, external_id: str
) -> ClaimKey:
    """Return the claim on the external id of a comment on a task."""
    known_by = fingerprint(EXTERNAL_COMMENT, external_id)
    return ClaimKey(org_id, EXTERNAL_COMMENT, task_id, known_by)


def external_file_claim(
    fingerprint: Fingerprint, org_id: OrgId, task_id: UUID, external_id: str
) -> ClaimKey:
    """Return the claim on the external id of a file at a task."""
    known_by = fingerprint(EXTERNAL_FILE, external_id)
    return ClaimKey(org_id, EXTERNAL_FILE, task_id, known_by)


def external_worklog_claim(
    fingerprint: Fingerprint, org_id: OrgId, task_id: UUID, external_id: str
) -> ClaimKey:
    """Return the claim on the external id of an entry of time on a task."""
    known_by = fingerprint(EXTERNAL_WORKLOG, external_id)
    return ClaimKey(org_id, EXTERNAL_WORKLOG, task_id, known_by)


def _imported(happened: Happening, reserved: Reservations) -> None:
    """Take the id for good: a task in the trash, or in another project, is not imported again."""
    external_id, project_id = happened.event.external_id, happened.before.project_id
    claim = external_id_claim(happened.fingerprint, happened.org_id, project_id, external_id)
    reserved.claims.append(ClaimChange(claim, happened.stream, AlreadyImported()))


def _imported_comment(happened: Happening, reserved: Reservations) -> None:
    """Take the id for good: a comment in the trash is not imported again."""
    event = happened.event
    claim = external_comment_claim(
        happened.fingerprint, happened.org_id, event.task_id, event.external_id
    )
    reserved.claims.append(ClaimChange(claim, happened.stream, AlreadyImported()))


def _imported_file(happened: Happening, reserved: Reservations) -> None:
    """Take the id for good: a file in the trash is not imported again."""
    event = happened.event
    claim = external_file_claim(
        happened.fingerprint, happened.org_id, event.task_id, event.external_id
    )
    reserved.claims.append(ClaimChange(claim, happened.stream, AlreadyImported()))


def _imported_worklog(happened: Happening, reserved: Reservations) -> None:
    """Take the id for good: an entry in the trash is not imported again."""
    event = happened.event
    claim = external_worklog_claim(
        happened.fingerprint, happened.org_id, event.task_id, event.external_id
    )
    reserved.claims.append(ClaimChange(claim, happened.stream, AlreadyImported()))


EXCHANGE_RULES: dict[type[Event], Rule] = {
    TaskImported: _imported,
    CommentImported: _imported_comment,
    AttachmentImported: _imported_file,
    WorklogImported: _imported_worklog,
}
