"""Invitations of a system that has a mail server."""

from datetime import timedelta

from msgspec.structs import replace

from domain.identity.organization.membership import MemberInvited
from runtime.setting import MailAddress, SmtpUrl
from runtime.settings import Settings
from runtime.system import System
from security.mail_tokens import MailPurpose, hash_of
from tests.commands.acme import TEAM
from tests.domain.acme import invitation
from tests.domain.spec import ACME
from tests.mail.post_office import PostOffice
from tests.spec import on, record

WEEK = timedelta(days=7)


def sending(settings: Settings, office: PostOffice) -> Settings:
    """Return *settings* with a mail server."""
    mail_from = MailAddress("Trackrecord <no-reply@example.com>")
    return replace(settings, smtp_url=SmtpUrl(office.url), mail_from=mail_from)


def invited(system: System, n: int = 0) -> MemberInvited:
    """Return an invitation with the token that the system makes for it."""
    made = invitation(n, email=f"{n}@example.com")
    expires_at = system.clock() + WEEK
    token = system.keys.mail_tokens.mint(
        MailPurpose.INVITATION, ACME, made.invitation_id, expires_at
    )
    return replace(made, expires_at=expires_at, token_hash=hash_of(token), mailed=True)


async def invite(system: System, count: int = 1, *, first: bool = True) -> list[MemberInvited]:
    """Record invitations, of an organization that is created with the first ones."""
    events = [invited(system, n) for n in range(count)]
    await record(system.log, *((TEAM,) if first else ()), on(ACME, *events))
    return events
