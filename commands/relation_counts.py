"""The counts that relations change: how many open tasks block a task."""

from collections.abc import Iterable
from uuid import UUID

from commands.happening import Happening, Reservations, Rule
from domain.base import Event, OrgId
from domain.work.relation import RelationAdded, RelationRemoved
from eventstore.claim import CountChange, CountKey

OPEN_BLOCKERS = "open blockers"


def open_blockers(org_id: OrgId, task_id: UUID) -> CountKey:
    """Return the count of the open tasks that block a task and are not in the trash."""
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
