"""The counts of what tasks contain: comments, attachments with their bytes, and logged time."""

from functools import partial
from uuid import UUID

from commands.happening import Happening, Reservations, Rule
from domain.base import Event, OrgId
from domain.identity.plan import Countable, limit_of, plan_limit_reached
from domain.planning.worklog import (
    WORKLOGS_MAX,
    TooManyWorklogs,
    WorklogAdded,
    WorklogChanged,
    WorklogDeleted,
    WorklogPurged,
    WorklogRestored,
)
from domain.work.attachment import (
    AttachmentDeleted,
    AttachmentPurged,
    AttachmentRestored,
    AttachmentUploaded,
)
from domain.work.comment import CommentDeleted, CommentPosted, CommentPurged, CommentRestored
from eventstore.claim import CountChange, CountKey


def comments_on(org_id: OrgId, task_id: UUID) -> CountKey:
    """Return the count of a task's comments that are not in the trash."""
    return CountKey(org_id, "comments", task_id)


def attachments_at(org_id: OrgId, task_id: UUID) -> CountKey:
    """Return the count of a task's attachments that are not in the trash."""
    return CountKey(org_id, "attachments", task_id)


def worklogs_on(org_id: OrgId, task_id: UUID) -> CountKey:
    """Return the count of a task's entries of time that are not in the trash."""
    return CountKey(org_id, "worklogs", task_id)


def minutes_spent_on(org_id: OrgId, task_id: UUID) -> CountKey:
    """Return how many minutes those entries come to."""
    return CountKey(org_id, "minutes spent", task_id)


def _posted(happened: Happening, reserved: Reservations) -> None:
    by = -1 if isinstance(happened.event, CommentDeleted) else 1
    count = comments_on(happened.org_id, happened.event.task_id)
    reserved.counts.append(CountChange(count, by))


def _purged_comment(happened: Happening, reserved: Reservations) -> None:
    if not happened.before.deleted:
        count = comments_on(happened.org_id, happened.event.task_id)
        reserved.counts.append(CountChange(count, -1))


def _uploaded(happened: Happening, reserved: Reservations) -> None:
    _count_file(1, happened.event.size, happened, reserved)


def _trashed(happened: Happening, reserved: Reservations) -> None:
    by = -1 if isinstance(happened.event, AttachmentDeleted) else 1
    _count_file(by, by * happened.before.size, happened, reserved)


def _purged_file(happened: Happening, reserved: Reservations) -> None:
    if not happened.before.deleted:
        _count_file(-1, -happened.before.size, happened, reserved)


def _count_file(by: int, size: int, happened: Happening, reserved: Reservations) -> None:
    """Count a file and its bytes; more bytes than the plan allows are refused."""
    org_id, plan, stored = happened.org_id, happened.plan, Countable.STORAGE_BYTES
    reserved.counts.append(CountChange(attachments_at(org_id, happened.event.task_id), by))
    bytes_of = CountKey(org_id, stored.value, org_id)
    if size > 0 and plan is not None:
        limit, refusal = limit_of(plan, stored), partial(plan_limit_reached, plan, stored)
        reserved.counts.append(CountChange(bytes_of, size, limit, refusal))
    else:
        reserved.counts.append(CountChange(bytes_of, size))


def _logged(happened: Happening, reserved: Reservations) -> None:
    _count_time(1, happened.event.minutes, happened, reserved)


def _deleted_time(happened: Happening, reserved: Reservations) -> None:
    _count_time(-1, -happened.event.minutes, happened, reserved)


def _changed_time(happened: Happening, reserved: Reservations) -> None:
    _count_time(0, happened.event.by, happened, reserved)


def _purged_time(happened: Happening, reserved: Reservations) -> None:
    if not happened.before.deleted:
        _count_time(-1, -happened.before.minutes, happened, reserved)


def _too_many(_: int) -> TooManyWorklogs:
    return TooManyWorklogs()


def _count_time(by: int, minutes: int, happened: Happening, reserved: Reservations) -> None:
    """Count an entry and its minutes; more entries than a task can have are refused."""
    org_id, task_id = happened.org_id, happened.event.task_id
    entries = worklogs_on(org_id, task_id)
    if by > 0:
        reserved.counts.append(CountChange(entries, by, WORKLOGS_MAX, _too_many))
    elif by < 0:
        reserved.counts.append(CountChange(entries, by))
    if minutes:
        reserved.counts.append(CountChange(minutes_spent_on(org_id, task_id), minutes))


CONTENT_RULES: dict[type[Event], Rule] = {
    CommentPosted: _posted,
    CommentDeleted: _posted,
    CommentRestored: _posted,
    CommentPurged: _purged_comment,
    AttachmentUploaded: _uploaded,
    AttachmentDeleted: _trashed,
    AttachmentRestored: _trashed,
    AttachmentPurged: _purged_file,
    WorklogAdded: _logged,
    WorklogChanged: _changed_time,
    WorklogDeleted: _deleted_time,
    WorklogRestored: _logged,
    WorklogPurged: _purged_time,
}
"""The rule of each kind of event about the contents of tasks."""
