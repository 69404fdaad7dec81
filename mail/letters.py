"""The events that are sent by mail, and the letter for each.

A letter is written when it is sent, from the event and the newest state: an invitation that is
over by then is not sent. The token in it is computed again; its hash must be the one in the event.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from commands.reservations import email_claim
from domain.base import ERASED, DomainError, Event, NotFound
from domain.catalog import tag_of
from domain.identity.organization.membership import MemberInvited
from domain.identity.organization.state import Organization
from domain.identity.user.address import EmailChanged, EmailProofRequested
from domain.identity.user.events import NewNetworkSeen, PasswordChanged, PasswordResetRequested
from domain.identity.user.state import User
from domain.identity.user.totp import TotpDisabled, TotpEnabled
from domain.planning.inbox import DigestDue
from eventstore.recorded import Recorded
from mail.digest_letter import digest_letter
from mail.letter import NEWS_KEPT, Letter
from mail.security_letter import TOLD_TO_CONTACTS, security_letter
from runtime.system import System
from security.mail_tokens import MailPurpose, hash_of

RESET_LIFETIME = timedelta(minutes=30)
"""How long the token in a letter resets a password; the letter says so."""

Write = Callable[[System, Recorded], Awaitable[Letter | None]]


async def letter_of(system: System, recorded: Recorded) -> Letter | None:
    """Return the letter about an event; None if nobody needs it any more."""
    letter = await _LETTERS[type(recorded.event)](system, recorded)
    return None if letter is None or ERASED in letter.to else letter


async def _invitation(system: System, recorded: Recorded) -> Letter | None:
    event: Any = recorded.event
    org_id = recorded.org_id
    try:
        organization = await system.commands.states.fresh(Organization, org_id, org_id)
    except NotFound:
        return None
    open_ = event.invitation_id in organization.invitations and not organization.deleted
    if not open_ or event.expires_at <= system.clock():
        return None
    if system.settings.smtp_url and not event.mailed:
        return None  # whoever invited has the link
    token = _token(system, MailPurpose.INVITATION, recorded, event.invitation_id)
    if token is None:
        return None
    name = organization.name
    return Letter(
        to=(event.email,),
        subject=f"You are invited to {name}",
        text=(
            f"You are invited to join {name} on Trackrecord as {event.role}.\n\n"
            f"Open this link to accept, by {event.expires_at:%d %B %Y}:\n\n"
            f"{system.settings.app_url}/invitation#{token}\n\n"
            "If you do not know who invites you, ignore this mail.\n"
        ),
    )


async def _reset(system: System, recorded: Recorded) -> Letter | None:
    event: Any = recorded.event
    user = await system.commands.states.fresh(User, recorded.stream_id)
    try:
        user.refuse_unless_resettable(event.token_hash, system.clock())
    except DomainError:
        return None
    token = _token(system, MailPurpose.PASSWORD_RESET, recorded, event.reset_id)
    if token is None:
        return None
    return Letter(
        to=(user.email,),
        subject="Choose a new password",
        text=(
            "Somebody asked for a new password for your Trackrecord account.\n\n"
            "Open this link within half an hour to choose one. All your sessions will end:\n\n"
            f"{system.settings.app_url}/reset-password#{token}\n\n"
            "If it was not you, ignore this mail: nothing has changed.\n"
        ),
    )


def _token(
    system: System, purpose: MailPurpose, recorded: Recorded, request_id: UUID
) -> str | None:
    """Return the token of a request again; None if it was made with another key."""
    event: Any = recorded.event
    # The stream of an invitation is its organization, that of the others the account.
    token = system.keys.mail_tokens.mint(purpose, recorded.stream_id, request_id, event.expires_at)
    return token if hash_of(token) == event.token_hash else None


async def _password_changed(system: System, recorded: Recorded) -> Letter | None:
    if recorded.at + NEWS_KEPT < system.clock():
        return None
    user = await system.commands.states.fresh(User, recorded.stream_id)
    return Letter(
        to=(user.email,),
        subject="Your password was changed",
        text=(
            f"The password of your Trackrecord account was changed at {recorded.at:%H:%M} UTC on"
            f" {recorded.at:%d %B %Y}, and all your sessions ended.\n\n"
            "If it was not you, choose a new one now with `forgot password`.\n"
        ),
    )


async def _email_proof(system: System, recorded: Recorded) -> Letter | None:
    event: Any = recorded.event
    user_id = recorded.stream_id
    user = await system.commands.states.fresh(User, user_id)
    try:
        user.provable(event.token_hash, system.clock())
    except DomainError:
        return None
    holder = await system.log.holder(email_claim(system.log.keys.fingerprint, event.email))
    if holder not in (None, user_id):
        return None  # somebody else's account: its owner has asked for nothing
    token = _token(system, MailPurpose.EMAIL, recorded, event.proof_id)
    if token is None:
        return None
    return Letter(
        to=(event.email,),
        subject="Confirm your e-mail address",
        text=(
            "Open this link within an hour to confirm that this address is yours, and to use it"
            " for your Trackrecord account from now on:\n\n"
            f"{system.settings.app_url}/confirm-email#{token}\n\n"
            "If you have not asked for it, ignore this mail.\n"
        ),
    )


async def _email_changed(system: System, recorded: Recorded) -> Letter | None:
    event: Any = recorded.event
    if recorded.at + NEWS_KEPT < system.clock():
        return None
    return Letter(
        to=(event.from_,),
        subject="Your e-mail address was changed",
        text=(
            f"Your Trackrecord account has another e-mail address since {recorded.at:%H:%M} UTC on"
            f" {recorded.at:%d %B %Y}. This address no longer belongs to it.\n\n"
            "If it was not you, tell an administrator of your organization at once.\n"
        ),
    )


async def _new_network(system: System, recorded: Recorded) -> Letter | None:
    event: Any = recorded.event
    if recorded.at + NEWS_KEPT < system.clock():
        return None
    user = await system.commands.states.fresh(User, recorded.stream_id)
    return Letter(
        to=(user.email,),
        subject="A login from a new network",
        text=(
            f"Somebody logged in to your Trackrecord account at {recorded.at:%H:%M} UTC on"
            f" {recorded.at:%d %B %Y} with {event.device}, from {event.network}, for the first time"
            " from there.\n\n"
            "If it was not you, change your password: all your sessions end.\n"
        ),
    )


async def _second_factor(system: System, recorded: Recorded) -> Letter | None:
    if recorded.at + NEWS_KEPT < system.clock():
        return None
    user = await system.commands.states.fresh(User, recorded.stream_id)
    turned = "on" if isinstance(recorded.event, TotpEnabled) else "off"
    return Letter(
        to=(user.email,),
        subject=f"Two-factor login was turned {turned}",
        text=(
            f"Two-factor login of your Trackrecord account was turned {turned} at"
            f" {recorded.at:%H:%M} UTC on {recorded.at:%d %B %Y}.\n\n"
            "If it was not you, change your password: all your sessions end.\n"
        ),
    )


_LETTERS: Mapping[type[Event], Write] = {
    MemberInvited: _invitation,
    PasswordResetRequested: _reset,
    PasswordChanged: _password_changed,
    EmailProofRequested: _email_proof,
    EmailChanged: _email_changed,
    NewNetworkSeen: _new_network,
    TotpEnabled: _second_factor,
    TotpDisabled: _second_factor,
    DigestDue: digest_letter,
    **dict.fromkeys(TOLD_TO_CONTACTS, security_letter),
}

MAIL_TAGS = tuple(tag_of(event) for event in _LETTERS)
"""The tags of the events that are sent by mail."""
