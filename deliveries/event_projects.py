"""Which private projects an event is about, so that it is not shown to those who see none of them.

It does not matter what the project was when the event happened, only what it is now.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from commands.project_claims import PRIVATE_PROJECT
from commands.states import States
from domain.base import NotFound, OrgId, State
from domain.catalog import EVENT_TYPES, state_of
from domain.work.project.state import Project
from domain.work.task.state import Task
from eventstore.log import EventLog
from eventstore.operations.records import Delivery
from eventstore.recorded import Row

LOOKED_AT = timedelta(seconds=1)
"""For how long what was found out when a delivery was made is good enough for its first attempt."""

_TASKS = ("task_id", "from_", "to")
"""Fields of events and states that may name a task."""


async def about_private_projects(log: EventLog, states: States, rows: Sequence[Row]) -> set[int]:
    """Return the sequence numbers of those of an organization's events that only few may see.

    One query if the organization has no private project.
    """
    if not rows:
        return set()
    org_id = rows[0].org_id
    private = await log.claimed(org_id, PRIVATE_PROJECT, org_id)
    return await about_projects(log, states, rows, private)


async def is_withheld(
    log: EventLog, states: States, org_id: OrgId, delivery: Delivery, now: datetime
) -> bool:
    """Return whether *delivery* is about a project that has become private since it was made.

    For a webhook that receives nothing of private projects. It may wait for days before it is sent.
    """
    if not delivery.tries and now - delivery.created_at < LOOKED_AT:
        return False
    rows = await log.organization(org_id, delivery.seq - 1, 1)
    return bool(await about_private_projects(log, states, rows))


async def about_projects(
    log: EventLog, states: States, rows: Sequence[Row], projects: Collection[UUID]
) -> set[int]:
    """Return the sequence numbers of the events that are about one of *projects*.

    An event that cannot be read counts as one.
    """
    if not projects:
        return set()
    wanted = frozenset(projects)
    return {row.org_seq for row in rows if not wanted.isdisjoint(await names_of(log, states, row))}


async def names_of(log: EventLog, states: States, row: Row) -> set[UUID]:
    """Return what an event names: its stream, ids in it, and the projects of its tasks."""
    found = {row.stream_id}
    try:
        [recorded] = await log.decoded([row])
        kind = state_of(EVENT_TYPES[row.tag])
        if not kind.platform:
            found |= await _hung_on(states, row.org_id, recorded.event)
            [loaded] = await states.all_fresh([(kind, row.stream_id)], row.org_id)
            found |= await _hung_on(states, row.org_id, loaded.state)
    except (msgspec.MsgspecError, KeyError, NotFound):
        found |= set(await log.claimed(row.org_id, PRIVATE_PROJECT, row.org_id))
    return found


async def _hung_on(states: States, org_id: OrgId, item: Any) -> set[UUID]:
    """Return the ids in an event or a state, with the projects of the tasks among them."""
    if isinstance(item, Project):
        return set()
    found = {
        value for name in item.__struct_fields__ if isinstance(value := getattr(item, name), UUID)
    }
    for name in _TASKS:
        task_id = getattr(item, name, None)
        if isinstance(task_id, UUID):
            found |= await _project_of(states, org_id, task_id)
    return found


async def _project_of(states: States, org_id: OrgId, task_id: UUID) -> set[UUID]:
    kind: type[State] = Task
    try:
        [task] = await states.all_fresh([(kind, task_id)], org_id)
    except NotFound:
        return set()  # it is no task
    return set() if task.state.project_id is None else {task.state.project_id}
