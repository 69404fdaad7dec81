"""The inboxes whose daily mail is due, which a scheduled job looks for."""

import asyncio
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from commands.base import Context
from commands.claims.inbox import DIGEST
from commands.planning.inbox import NoteDueDigest
from domain.base import PLATFORM, NotFound
from domain.identity.organization.state import Organization
from domain.planning.inbox import Inbox
from eventstore.append import ConcurrencyConflict
from eventstore.recorded import Actor, ActorKind
from runtime.system import System

DIGEST_HOUR = 7
"""From which hour on, in the time zone of the organization, a digest is due."""
_AT_ONCE = 50
"""Inboxes that are looked at before others get their turn."""
_PAUSE_S = 0.01


async def note_due_digests(system: System) -> int:
    """Note every digest that is due now; return how many. The outbox sends what was noted."""
    noted = 0
    for number, inbox_id in enumerate(await system.log.claimed(PLATFORM, DIGEST, PLATFORM), 1):
        if await _is_due(system, inbox_id):
            command = NoteDueDigest(inbox_id=inbox_id)
            try:
                receipt = await system.commands.handle(command, _context(system))
            except ConcurrencyConflict:
                continue  # another worker notes it, or the next round does
            noted += bool(receipt.events)
        if number % _AT_ONCE == 0:
            await asyncio.sleep(_PAUSE_S)
    return noted


def _context(system: System) -> Context:
    return Context(actor=Actor(ActorKind.SYSTEM, UUID(int=0)), now=system.clock())


async def _is_due(system: System, inbox_id: UUID) -> bool:
    """Return whether it is the morning of a day after the last digest, where the inbox is."""
    try:
        inbox = await system.commands.states.fresh(Inbox, inbox_id)
        org_id = inbox.organization_id
        if org_id is None or inbox.digest_at is None:
            return False
        organization = await system.commands.states.fresh(Organization, org_id, org_id)
    except NotFound:
        return False
    return is_morning_after(inbox.digest_at, system.clock(), organization.settings.time_zone)


def is_morning_after(before: datetime, now: datetime, time_zone: str) -> bool:
    """Return whether it is ``DIGEST_HOUR`` or later on a day after *before* in *time_zone*."""
    zone = ZoneInfo(time_zone)
    local = now.astimezone(zone)
    return local.date() > before.astimezone(zone).date() and local.hour >= DIGEST_HOUR
