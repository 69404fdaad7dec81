"""The events that are sent by mail, and the letter for each.

A letter is written when it is sent, from the event and the newest state: an invitation that is
over by then is not sent. The token in it is computed again; its hash must be the one in the event.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from domain.base import Event, NotFound
from domain.catalog import tag_of
from domain.identity.organization.membership import MemberInvited
from domain.identity.organization.state import Organization
from eventstore.recorded import ERASED, Recorded
from mail.letter import Letter
from runtime.system import System
from security.mail_tokens import MailPurpose, hash_of

Write = Callable[[System, Recorded], Awaitable[Letter | None]]


async def letter_of(system: System, recorded: Recorded) -> Letter | None:
    """Return the letter about an event; None if nobody needs it any more."""
    letter = await _LETTERS[type(recorded.event)](system, recorded)
    return None if letter is None or letter.to == ERASED else letter


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
    token = system.keys.mail_tokens.mint(
        MailPurpose.INVITATION, org_id, event.invitation_id, event.expires_at
    )
    if hash_of(token) != event.token_hash:
        return None  # computed with another key, so it would not be accepted
    name = organization.name
    return Letter(
        to=event.email,
        subject=f"You are invited to {name}",
        text=(
            f"You are invited to join {name} on Trackrecord as {event.role}.\n\n"
            f"Open this link to accept, by {event.expires_at:%d %B %Y}:\n\n"
            f"{system.settings.app_url}/invitation#{token}\n\n"
            "If you do not know who invites you, ignore this mail.\n"
        ),
    )


_LETTERS: Mapping[type[Event], Write] = {MemberInvited: _invitation}

MAIL_TAGS = tuple(tag_of(event) for event in _LETTERS)
"""The tags of the events that are sent by mail."""
