"""Expiring: what has been in the trash for as long as the plan keeps it is purged.

So are whole organizations. The trash is read in the read model; whether something may go is decided
by its own events.
"""

import logging
from datetime import datetime

from commands.base import Context
from commands.identity.organization import PurgeOrganization
from commands.work.trash.purge import PurgeExpired
from commands.work.trash.things import Thing
from domain.base import DomainError, NotFound, OrgId
from domain.identity.organization.events import OrganizationDeleted
from domain.identity.organization.state import Organization
from domain.identity.plan import PLAN_LIMITS
from eventstore.recorded import Actor, ActorKind
from projections.catalog import PROJECTIONS
from projections.engine.find import ReadModels
from projections.engine.progress import Progress
from projections.work.trash import TrashedThing, oldest_in_trash
from runtime.system import System
from workers.consequences.base import READ_AT_ONCE

_logger = logging.getLogger(__name__)


async def purge_expired(system: System) -> int:
    """Purge what has been in the trash long enough, in every organization; return how much."""
    models = ReadModels(system.read_store, Progress(system.read_store, system.log), PROJECTIONS)
    total = 0
    for part in range(system.log.parts):
        for org_id in await system.log.organization_heads(part):
            total += await _purge_expired_of(system, models, org_id)
    return total


async def _purge_expired_of(system: System, models: ReadModels, org_id: OrgId) -> int:
    try:
        organization = await system.commands.states.fresh(Organization, org_id, org_id)
    except NotFound:
        return 0  # the platform
    if organization.purged or organization.legal_hold is not None:
        return 0
    if organization.deleted:
        return await _purge_organization(system, org_id)
    before = system.clock() - PLAN_LIMITS[organization.plan].trash_retention
    total, above = 0, None
    while True:
        things, above = await oldest_in_trash(models, org_id, READ_AT_ONCE, above)
        for each in things:
            if each.deleted_at > before:
                return total
            total += await _purge(system, org_id, each, system.clock())
        if above is None:
            return total


async def _purge_organization(system: System, org_id: OrgId) -> int:
    """Purge a deleted organization if its time has come; return whether it had."""
    events = await system.log.stream(org_id, org_id)
    deletions = [each for each in events if isinstance(each.event, OrganizationDeleted)]
    context = Context(
        actor=Actor(ActorKind.SYSTEM, org_id),
        now=system.clock(),
        org_id=org_id,
        causation_id=deletions[-1].id,
    )
    try:
        command = PurgeOrganization(organization_id=org_id)
        return int(bool((await system.commands.handle(command, context)).events))
    except DomainError as refused:
        _logger.info("the organization %s is not purged: %s", org_id, refused)
        return 0


async def _purge(system: System, org_id: OrgId, trashed: TrashedThing, now: datetime) -> bool:
    """Purge one thing because of its deletion; return whether that was still to be done."""
    context = Context(
        actor=Actor(ActorKind.SYSTEM, org_id),
        now=now,
        org_id=org_id,
        causation_id=trashed.deletion,
    )
    command = PurgeExpired(thing=Thing(trashed.kind, trashed.id))
    try:
        return bool((await system.commands.handle(command, context)).events)
    except DomainError as refused:
        _logger.info("the %s %s is not purged: %s", trashed.kind, trashed.id, refused)
        return False
