"""``fork``: make a new organization of another one, as it was at a point of its log."""

import asyncio
from uuid import UUID

from cli.bars import watching
from cli.failure import CommandFailed
from cli.outages import outages_as_failures
from cli.running import settings_of_log
from cli.upkeep.forking import Fork
from commands.claims.subdomains import subdomain_claim
from domain.base import DomainError, NotFound, OrgId
from domain.identity.organization.state import Organization
from domain.identity.subdomain import SubdomainNotAllowed, refuse_unless_allowed
from eventstore.append import ConcurrencyConflict
from eventstore.mode import LogClosed
from files.store import FilesUnavailable
from runtime.system import System, open_system

_OTHER = "another run makes the same fork: let it end, or stop it, and run this again"


def run(organization: str, /, *, subdomain: str, name: str = "", at: str = "") -> int:
    """Make the fork; return 0.

    Parameters
    ----------
    organization
        The subdomain or the id of the organization that is copied.
    subdomain
        The subdomain of the new organization.
    name
        Its name; that of the original, if it is not given.
    at
        As it was at this sequence number of its log, or at this time (2026-11-29T12:00Z); as it is
        now, if it is not given.
    """
    with outages_as_failures():
        return asyncio.run(_fork(organization, subdomain, name, at))


async def _fork(organization: str, subdomain: str, name: str, at: str) -> int:
    try:
        refuse_unless_allowed(subdomain)
    except SubdomainNotAllowed as refused:
        raise CommandFailed(str(refused), 2) from None
    async with open_system(settings_of_log()) as system:
        org_id = await _organization(system, organization)
        if await system.log.holder(subdomain_claim(subdomain)) is not None:
            raise CommandFailed(f"the subdomain {subdomain} is taken: choose another one", 2)
        fork = Fork(system, org_id, subdomain)
        await fork.begin(at)
        try:
            with watching("forking") as watch:
                await fork.copy(watch)
                files = await fork.copy_files(watch)
                await fork.finish(name)
        except ConcurrencyConflict:
            raise CommandFailed(_OTHER) from None
        except LogClosed as closed:
            raise CommandFailed(f"nothing may be written now: {closed}") from closed
        except FilesUnavailable as error:
            raise CommandFailed(f"files cannot be copied: {error}; run this again") from error
        except DomainError as refused:
            raise CommandFailed(str(refused)) from refused
    print(
        f"{subdomain} ({fork.ids.fork}) is {organization} as it was at event {fork.at}:"
        f" {fork.copied} events and {files} files were copied"
    )
    return 0


async def _organization(system: System, named: str) -> OrgId:
    """Return the organization with a subdomain or an id."""
    try:
        org_id = UUID(named)
    except ValueError:
        holder = await system.log.holder(subdomain_claim(named.lower()))
        if holder is None:
            raise CommandFailed(f"no organization has the subdomain {named}", 2) from None
        org_id = holder
    try:
        found = await system.commands.states.fresh(Organization, org_id, OrgId(org_id))
    except NotFound:
        raise CommandFailed(f"there is no organization {named}", 2) from None
    if found.purged:
        raise CommandFailed(f"{named} is purged: nothing of it is left to copy", 2)
    return OrgId(org_id)
