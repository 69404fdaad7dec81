"""Where a fork begins, or where one that was interrupted goes on."""

from functools import reduce
from typing import Any, NamedTuple

from commands.fork.new_ids import fork_id
from commands.fork.progress import Progress, progress_of
from domain.base import OrgId
from domain.identity.organization.state import Organization
from eventstore.log import EventLog


class Beginning(NamedTuple):
    """The id of a fork, and how far it has come."""

    fork: OrgId
    progress: Progress | None
    """None if nothing is copied yet."""


async def beginning_of(log: EventLog, org_id: OrgId, subdomain: str) -> Beginning:
    """Return the fork under *subdomain* that is not whole yet, or a new one."""
    number = 1
    while True:
        fork = fork_id(org_id, subdomain, number)
        progress = await progress_of(log, fork)
        if progress is not None or not await log.heads({fork: fork}):
            return Beginning(fork, progress)
        number += 1


async def organization_at(log: EventLog, org_id: OrgId, at: int) -> Organization:
    """Return an organization as it was at sequence *at*."""
    found, after = Organization(), 0
    while rows := await log.stream_rows(org_id, org_id, after):
        events: list[Any] = await log.events([row for row in rows if row.org_seq <= at])
        found = reduce(Organization.evolve, events, found)
        after = rows[-1].version
    return found
