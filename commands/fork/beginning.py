"""Where a fork begins, or where one that was interrupted goes on."""

from collections.abc import AsyncIterator
from functools import reduce
from itertools import takewhile
from typing import Any, NamedTuple

from commands.fork.new_ids import fork_id
from commands.fork.progress import ForkProgress, fork_progress
from commands.fork.survey import COPIED_AT_ONCE
from domain.base import OrgId
from domain.identity.organization.state import Organization
from eventstore.log import EventLog
from eventstore.recorded import Recorded

_ORGANIZATIONS_AT_ONCE = 500


class ForkBeginning(NamedTuple):
    """The id of a fork, and how far it has come."""

    fork: OrgId
    progress: ForkProgress | None
    """None if nothing is copied yet."""


async def where_to_begin(log: EventLog, org_id: OrgId, subdomain: str) -> ForkBeginning:
    """Return the fork under *subdomain* that is not whole yet, or a new one."""
    number = 1
    while True:
        fork = fork_id(org_id, subdomain, number)
        progress = await fork_progress(log, fork)
        if progress is not None or not await log.organization_head(fork):
            return ForkBeginning(fork, progress)
        number += 1


async def unfinished_forks(log: EventLog) -> AsyncIterator[tuple[OrgId, ForkProgress]]:
    """Yield the forks of which something is copied, and that are no organizations."""
    org_ids = list(await log.organization_heads())
    for start in range(0, len(org_ids), _ORGANIZATIONS_AT_ONCE):
        some = org_ids[start : start + _ORGANIZATIONS_AT_ONCE]
        own = await log.heads({each: each for each in some})
        for each in some:
            progress = None if own.get(each) else await fork_progress(log, each)
            if progress is not None:
                yield each, progress


async def end_of_append(log: EventLog, org_id: OrgId, seq: int) -> int:
    """Return the sequence of the last event that was recorded with the one that has *seq*.

    What a command records is there at once, so nobody has seen the organization as it was between.
    """
    [row] = await log.organization(org_id, seq - 1, 1)
    [first] = await log.decoded([row])
    while rows := await log.organization(org_id, seq, COPIED_AT_ONCE):
        together = list(takewhile(lambda each: each.recorded_at == row.recorded_at, rows))
        for each in await log.decoded(together):
            if _recording(each) != _recording(first):
                return seq
            seq = each.org_seq
        if len(together) < len(rows):
            return seq
    return seq


def _recording(recorded: Recorded) -> tuple[Any, ...]:
    """Return what events have in common that one command recorded."""
    of = recorded.metadata
    return of.actor, of.command, of.request_id, of.causation_id


async def organization_at(log: EventLog, org_id: OrgId, at: int) -> Organization:
    """Return an organization as it was at sequence *at*."""
    found, after = Organization(), 0
    while rows := await log.stream_rows(org_id, org_id, after):
        events: list[Any] = await log.events([row for row in rows if row.org_seq <= at])
        found = reduce(Organization.evolve, events, found)
        after = rows[-1].version
    return found
