"""The counts that comments change: how many a task has."""

from uuid import UUID

from commands.happening import Happening, Reservations, Rule
from domain.base import Event, OrgId
from domain.work.comment import CommentDeleted, CommentPosted, CommentRestored
from eventstore.claim import CountChange, CountKey


def comments_on(org_id: OrgId, task_id: UUID) -> CountKey:
    """Return the count of a task's comments that are not in the trash."""
    return CountKey(org_id, "comments", task_id)


def _posted(happened: Happening, reserved: Reservations) -> None:
    reserved.counts.append(CountChange(comments_on(happened.org_id, happened.event.task_id), 1))


def _trashed(happened: Happening, reserved: Reservations) -> None:
    by = -1 if isinstance(happened.event, CommentDeleted) else 1
    reserved.counts.append(CountChange(comments_on(happened.org_id, happened.before.task_id), by))


CONTENT_RULES: dict[type[Event], Rule] = {
    CommentPosted: _posted,
    CommentDeleted: _trashed,
    CommentRestored: _trashed,
}
"""The rule of each kind of event about the contents of tasks."""
