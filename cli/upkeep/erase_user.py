"""``erase-user``: close somebody's account for good and have what is personal erased."""

import asyncio
import sys

from rich.console import Console
from rich.prompt import Confirm

from cli.failure import CommandFailed
from cli.outages import outages_as_failures
from cli.running import settings_of_log
from commands.base import Context
from commands.identity.erasing import EraseUser
from commands.reservations import email_claim
from domain.base import PLATFORM, OrgId, UserId
from domain.catalog import tag_of
from domain.identity.organization.legal_hold import LegalHold
from domain.identity.organization.membership import LastAdmin, MemberJoined
from domain.identity.user.state import User
from eventstore.append import ConcurrencyConflict
from eventstore.log import EventLog
from eventstore.mode import LogClosed
from eventstore.recorded import Actor, ActorKind
from runtime.system import System, open_system
from security.mail_address import canonical_address

_TRIES_MAX = 5
"""How often it is tried if the account changes meanwhile."""
_READ_AT_ONCE = 500


def run(email: str, /, *, yes: bool = False) -> int:
    """Erase the person with this e-mail address; return 0.

    Parameters
    ----------
    email
        The address of their account.
    yes
        Do not ask; needed if there is no terminal to ask on.
    """
    address = canonical_address(email)
    with outages_as_failures():
        return asyncio.run(_erase(address, sure=yes))


async def _erase(address: str, *, sure: bool) -> int:
    async with open_system(settings_of_log()) as system:
        claim = email_claim(system.log.keys.fingerprint, address)
        holder = await system.log.holder(claim)
        if holder is None:
            raise CommandFailed(f"nobody has an account with the address {address}", 2)
        if not sure:
            _ask(address)
        await _close(system, UserId(holder))
    print(
        "the account is closed, and its sessions are over; a worker erases what is personal within"
        " a minute, and records user.erased"
    )
    return 0


def _ask(address: str) -> None:
    """Ask whether to go on, if there is a terminal to ask on.

    :raises CommandFailed: nobody said yes.
    """
    if not sys.stdin.isatty():
        raise CommandFailed("this cannot be undone; to erase without being asked, use --yes", 2)
    question = f"This cannot be undone. Erase everything personal of {address}?"
    if not Confirm.ask(question, console=Console(stderr=True), default=False):
        raise CommandFailed("nothing was erased")


async def _close(system: System, user_id: UserId) -> None:
    """Close the account, in an append that verifies that it has joined nothing meanwhile.

    :raises CommandFailed: they are the only ADMIN of an organization, or the log is closed.
    """
    for _ in range(_TRIES_MAX):
        [account] = await system.commands.states.all_fresh([(User, user_id)])
        organizations = await _organizations_ever(system.log, user_id)
        context = Context(
            actor=Actor(ActorKind.SYSTEM, PLATFORM),
            now=system.clock(),
            seen={user_id: account.version},
        )
        command = EraseUser(user_id=user_id, organizations=organizations)
        try:
            await system.commands.handle(command, context)
        except ConcurrencyConflict:
            continue
        except LastAdmin:
            raise CommandFailed(
                "they are the last active ADMIN of an organization; make another member one first,"
                " or delete it"
            ) from None
        except LegalHold:
            raise CommandFailed(
                "they belong to an organization under a legal hold, which has to be lifted first"
            ) from None
        except LogClosed as closed:
            raise CommandFailed(f"nothing may be written now: {closed}") from closed
        return
    raise CommandFailed("the account is being used; try again")


async def _organizations_ever(log: EventLog, user_id: UserId) -> tuple[OrgId, ...]:
    """Return every organization that somebody has ever joined, from the log itself."""
    found: dict[OrgId, None] = {}
    for part in range(log.parts):
        after = 0
        while joined := await log.tail(after, _READ_AT_ONCE, (tag_of(MemberJoined),), part):
            for each in joined:
                if isinstance(each.event, MemberJoined) and each.event.user_id == user_id:
                    found[each.org_id] = None
            after = joined[-1].position
    return tuple(found)
