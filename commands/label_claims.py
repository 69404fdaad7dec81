"""What the events of labels reserve: unique names, and no label from the trash for a task."""

from uuid import UUID

from commands.happening import Fingerprint, Happening, Reservations, Rule
from domain.base import Event, NotFound, OrgId
from domain.name import folded
from domain.work.label import (
    LabelCreated,
    LabelDeleted,
    LabelNameTaken,
    LabelPurged,
    LabelRenamed,
    LabelRestored,
)
from domain.work.task.events import TaskLabelled
from eventstore.claim import ClaimChange, ClaimKey, CountChange, CountKey

LABEL_NAME, LABELS_IN_TRASH = "label name", "labels in the trash"


def label_name_claim(
    fingerprint: Fingerprint, org_id: OrgId, project_id: UUID | None, name: str
) -> ClaimKey:
    """Return the claim on the name of a label, in its project or the organization."""
    value = fingerprint(LABEL_NAME, folded(name))
    return ClaimKey(org_id, LABEL_NAME, project_id or org_id, value)


def in_trash(org_id: OrgId, label_id: UUID) -> CountKey:
    """Return the count that is 1 while a label is in the trash, else 0."""
    return CountKey(org_id, LABELS_IN_TRASH, label_id)


def _created(happened: Happening, reserved: Reservations) -> None:
    _take(happened, happened.event.project_id, happened.event.name, reserved)


def _renamed(happened: Happening, reserved: Reservations) -> None:
    event, project_id = happened.event, happened.before.project_id
    if folded(event.from_) != folded(event.to):
        _take(happened, project_id, event.to, reserved)
        _release(happened, event.from_, reserved)


def _deleted(happened: Happening, reserved: Reservations) -> None:
    _release(happened, happened.before.name, reserved)
    reserved.counts.append(CountChange(in_trash(happened.org_id, happened.stream), 1))


def _purged(happened: Happening, reserved: Reservations) -> None:
    if not happened.before.deleted:  # its project took it along
        _deleted(happened, reserved)


def _restored(happened: Happening, reserved: Reservations) -> None:
    label = happened.before
    _take(happened, label.project_id, label.name, reserved)
    reserved.counts.append(CountChange(in_trash(happened.org_id, happened.stream), -1))


def _used(happened: Happening, reserved: Reservations) -> None:
    label_id = happened.event.label_id
    count = in_trash(happened.org_id, label_id)
    reserved.counts.append(
        CountChange(count, 0, limit=0, refusal=lambda _: NotFound(label_id=label_id))
    )


def _take(happened: Happening, project_id: UUID | None, name: str, reserved: Reservations) -> None:
    claim = label_name_claim(happened.fingerprint, happened.org_id, project_id, name)
    reserved.claims.append(ClaimChange(claim, happened.stream, LabelNameTaken(name=name)))


def _release(happened: Happening, name: str, reserved: Reservations) -> None:
    project_id = happened.before.project_id
    claim = label_name_claim(happened.fingerprint, happened.org_id, project_id, name)
    reserved.claims.append(ClaimChange(claim, happened.stream, release=True))


LABEL_RULES: dict[type[Event], Rule] = {
    LabelCreated: _created,
    LabelRenamed: _renamed,
    LabelDeleted: _deleted,
    LabelRestored: _restored,
    LabelPurged: _purged,
    TaskLabelled: _used,
}
