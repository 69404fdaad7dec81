"""The counts that relations and parents change: open blockers of a task, and its subtasks."""

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple
from uuid import UUID

from commands.happening import Happening, Reservations, Rule
from domain.base import Event, OrgId
from domain.work.relation import RelationAdded, RelationRemoved
from domain.work.task.errors import BlockersOpen, SubtasksOpen
from domain.work.workflow.events import FINISHED, Guard, StatusGroup
from eventstore.claim import CountChange, CountKey

OPEN_BLOCKERS = "open blockers"


def open_blockers(org_id: OrgId, task_id: UUID) -> CountKey:
    """Return the count of the open tasks that block a task and are not in the trash.

    Those that only a deleted project hides are counted: a deletion touches none of its tasks.
    """
    return CountKey(org_id, OPEN_BLOCKERS, task_id)


def count_blocked(org_id: OrgId, blocked: Iterable[UUID], by: int, reserved: Reservations) -> None:
    """Add *by* to the open blockers of each of the tasks that are *blocked*."""
    for task in blocked:
        reserved.counts.append(CountChange(open_blockers(org_id, task), by))


def _related(happened: Happening, reserved: Reservations) -> None:
    event = happened.event
    by = 1 if isinstance(event, RelationAdded) else -1
    count_blocked(happened.org_id, [event.to] if event.open else [], by, reserved)


RELATION_RULES: dict[type[Event], Rule] = {RelationAdded: _related, RelationRemoved: _related}
"""The rule of each kind of event about relations."""


# Subtasks -------------------------------------------------------------------

OPEN_SUBTASKS, SUBTASKS, CHILDREN = "open subtasks", "subtasks", "subtasks with trash"


class Share(NamedTuple):
    """By how much one subtask changes the counts of its parent."""

    open: int
    here: int = 0
    known: int = 0


def open_subtasks(org_id: OrgId, task_id: UUID) -> CountKey:
    """Return the count of a task's subtasks that are neither finished nor in the trash."""
    return CountKey(org_id, OPEN_SUBTASKS, task_id)


def subtasks(org_id: OrgId, task_id: UUID) -> CountKey:
    """Return the count of a task's subtasks that are not in the trash."""
    return CountKey(org_id, SUBTASKS, task_id)


def children(org_id: OrgId, task_id: UUID) -> CountKey:
    """Return the count of a task's subtasks, also of those in the trash."""
    return CountKey(org_id, CHILDREN, task_id)


def count_subtask(
    parent: UUID | None, share: Share, happened: Happening, reserved: Reservations
) -> None:
    """Add what one subtask of *parent* changes, if it has a parent."""
    if parent is None:
        return
    for key, by in zip((open_subtasks, subtasks, children), share, strict=True):
        if by:
            reserved.counts.append(CountChange(key(happened.org_id, parent), by))


def count_at(
    before: UUID | None,
    after: UUID | None,
    groups: tuple[StatusGroup, StatusGroup],
    happened: Happening,
    reserved: Reservations,
) -> None:
    """Count a subtask at another parent than before, with the groups of its statuses."""
    here = not happened.before.deleted
    was_open, is_open = (here and group not in FINISHED for group in groups)
    count_subtask(before, Share(-was_open, -here, -1), happened, reserved)
    count_subtask(after, Share(int(is_open), int(here), 1), happened, reserved)


def _no_open_subtask(org_id: OrgId, task: UUID, _: int) -> CountChange:
    own = open_subtasks(org_id, task)
    return CountChange(own, 0, limit=0, refusal=lambda found: SubtasksOpen(open=found))


def _no_open_blocker(org_id: OrgId, task: UUID, hidden: int) -> CountChange:
    own = open_blockers(org_id, task)
    refusal = partial(_blocked, hidden)
    return CountChange(own, 0, limit=hidden, refusal=refusal)


def _blocked(hidden: int, found: int) -> BlockersOpen:
    return BlockersOpen(open=found - hidden)


GUARDS = {Guard.NO_OPEN_SUBTASK: _no_open_subtask, Guard.NO_OPEN_BLOCKER: _no_open_blocker}
"""What each guard of a transition has the append check, past so many blockers that are hidden."""
