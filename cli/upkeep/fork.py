"""``fork``: make a new organization of another one, as it was at a point of its log."""

import asyncio
from uuid import UUID

import msgspec

from cli.bars import watching
from cli.failure import CommandFailed
from cli.outages import outages_as_failures
from cli.running import settings_of_log
from cli.upkeep.forking import Fork, abandon_fork
from commands.claims.subdomains import subdomain_claim
from domain.base import DomainError, NotFound, OrgId
from domain.identity.organization.forked import OrganizationForked
from domain.identity.organization.state import Organization
from domain.identity.subdomain import SubdomainNotAllowed, refuse_unless_allowed
from domain.name import Name
from eventstore.append import ConcurrencyConflict
from eventstore.mode import LogClosed
from files.store import FilesUnavailable
from runtime.system import System, open_system

_OTHER = "another run makes the same fork: let it end, or stop it, and run this again"


def run(
    organization: str, /, *, subdomain: str, name: str = "", at: str = "", abandon: bool = False
) -> int:
    """Make the fork, or give it up; return 0.

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
    abandon
        Give up the fork that was begun under this subdomain, and purge what was copied.
    """
    if abandon and (name or at):
        raise CommandFailed("--abandon takes neither --name nor --at", 2)
    with outages_as_failures():
        if abandon:
            return asyncio.run(_abandon(organization, subdomain))
        return asyncio.run(_fork(organization, subdomain, name, at))


async def _fork(organization: str, subdomain: str, name: str, at: str) -> int:
    _refuse_unless_valid(subdomain, name)
    async with open_system(settings_of_log()) as system:
        org_id = await _organization(system, organization)
        await _refuse_if_taken(system, subdomain)
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
    fewer = (
        f"; teams, projects and views for fewer people: {fork.narrowed}" if fork.narrowed else ""
    )
    print(
        f"{subdomain} ({fork.ids.fork}) is {organization} as it was at event {fork.at}:"
        f" {fork.copied} events and {files} files were copied{fewer if fork.narrowed else ''}"
    )
    return 0


async def _abandon(organization: str, subdomain: str) -> int:
    async with open_system(settings_of_log()) as system:
        org_id = await _organization(system, organization, although_purged=True)
        try:
            given_up = await abandon_fork(system, org_id, subdomain)
        except ConcurrencyConflict:
            raise CommandFailed(
                "another run goes on with it: stop that, and run this again"
            ) from None
        except LogClosed as closed:
            raise CommandFailed(f"nothing may be written now: {closed}") from closed
        except DomainError as refused:
            raise CommandFailed(str(refused)) from refused
    if given_up is None:
        raise CommandFailed(f"no fork {subdomain} of {organization} is unfinished", 2)
    print(f"{subdomain} is given up: the workers purge what its {given_up.copied} events say")
    return 0


def _refuse_unless_valid(subdomain: str, name: str) -> None:
    """Refuse what no organization can be called.

    :raises CommandFailed: it cannot.
    """
    try:
        refuse_unless_allowed(subdomain)
        if name:
            msgspec.convert(name, Name)
    except SubdomainNotAllowed as refused:
        raise CommandFailed(str(refused), 2) from None
    except msgspec.ValidationError as error:
        raise CommandFailed(f"no organization can have this name: {error}", 2) from None


async def _refuse_if_taken(system: System, subdomain: str) -> None:
    """Refuse a subdomain that an organization has, which may be the fork itself.

    :raises CommandFailed: one has it.
    """
    holder = await system.log.holder(subdomain_claim(subdomain))
    if holder is None:
        return
    for recorded in await system.log.stream(holder, OrgId(holder)):
        if isinstance(recorded.event, OrganizationForked):
            at = recorded.event.at
            raise CommandFailed(f"{subdomain} is there already: a fork as of event {at}")
    raise CommandFailed(f"the subdomain {subdomain} is taken: choose another one", 2)


async def _organization(system: System, named: str, *, although_purged: bool = False) -> OrgId:
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
    if found.purged and not although_purged:
        raise CommandFailed(f"{named} is purged: nothing of it is left to copy", 2)
    return OrgId(org_id)
