"""What tasks that repeat reserve: a claim says from when on the next task is to be made.

All of them are in one order, whatever their organization, so that one read finds what is due.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from commands.happening import Happening, Reservations, Rule
from domain.base import PLATFORM, Event, OrgId, TaskId
from domain.planning.recurrence import due_at
from domain.work.task.events import TaskDeleted, TaskRestored, TaskStatusChanged
from domain.work.task.recurrence_events import (
    TaskOccurrenceSkipped,
    TaskRecurrenceSet,
    TaskRepeated,
)
from domain.work.task.state import Task
from domain.work.task.trash_events import TaskPurged
from eventstore.claim import ClaimChange, ClaimKey
from eventstore.recorded import microseconds

REPEATS = "repeats"
_TIME_BYTES, _ID_BYTES = 8, 16


class DueTask(NamedTuple):
    """A task of which the next one is to be made, and the value of its claim."""

    org_id: OrgId
    task_id: TaskId
    value: bytes


def value_until(at: datetime) -> bytes:
    """Return a value that is above those of all claims which are due by *at*."""
    return (microseconds(at) + 1).to_bytes(_TIME_BYTES, "big")


def due_task(value: bytes) -> DueTask:
    """Return the task that a value tells of."""
    ids = value[_TIME_BYTES:]
    org_id, task_id = UUID(bytes=ids[:_ID_BYTES]), UUID(bytes=ids[_ID_BYTES:])
    return DueTask(OrgId(org_id), TaskId(task_id), value)


def due_claim(org_id: OrgId, task_id: UUID, task: Task) -> ClaimKey | None:
    """Return the claim that a task holds while a time is known at which the next one is due."""
    at = due_at(task)
    if at is None:
        return None
    value = microseconds(at).to_bytes(_TIME_BYTES, "big") + org_id.bytes + task_id.bytes
    return ClaimKey(PLATFORM, REPEATS, PLATFORM, value)


def _changed(happened: Happening, reserved: Reservations) -> None:
    task: Task = happened.before
    if task.recurrence is None and not isinstance(happened.event, TaskRecurrenceSet):
        return
    before = due_claim(happened.org_id, happened.stream, task)
    after = due_claim(happened.org_id, happened.stream, task.evolve(happened.event))
    if before == after:
        return
    if before is not None:
        reserved.claims.append(ClaimChange(before, happened.stream, release=True))
    if after is not None:
        reserved.claims.append(ClaimChange(after, happened.stream))


RECURRENCE_RULES: dict[type[Event], Rule] = {
    TaskRecurrenceSet: _changed,
    TaskRepeated: _changed,
    TaskOccurrenceSkipped: _changed,
}
"""The rule of each kind of event of tasks that repeat."""

REPEATING_RULES: dict[type[Event], Rule] = {
    TaskStatusChanged: _changed,
    TaskDeleted: _changed,
    TaskRestored: _changed,
    TaskPurged: _changed,
}
"""What other events of tasks change for those that repeat, besides their own rules."""
