"""What the events of inboxes reserve: a claim says which ones have a daily mail."""

from uuid import UUID

from commands.happening import Happening, Reservations, Rule
from domain.base import PLATFORM, Event
from domain.planning.inbox import DigestSwitched
from eventstore.claim import ClaimChange, ClaimKey

DIGEST = "daily digest"


def digest_claim(inbox_id: UUID) -> ClaimKey:
    """Return the claim that an inbox holds while it has a daily mail."""
    return ClaimKey(PLATFORM, DIGEST, PLATFORM, inbox_id.bytes)


def _switched(happened: Happening, reserved: Reservations) -> None:
    claim = digest_claim(happened.stream)
    off = not happened.event.on
    reserved.claims.append(ClaimChange(claim, happened.stream, release=off))


INBOX_RULES: dict[type[Event], Rule] = {DigestSwitched: _switched}
"""The rule of the event that turns the daily mail on and off."""
