"""The places of a user's sessions: claims, of which each session holds one.

Sessions that began through the identity provider of an organization have places of their own there:
its administrators, who choose the provider, cannot use up those of the person.
"""

from uuid import uuid5

from commands.happening import Happening, Reservations, Rule
from domain.base import PLATFORM, Event, OrgId, UserId
from domain.identity.session.errors import SessionPlaceTaken
from domain.identity.session.events import SessionEnded, SessionRevoked, SessionStarted
from domain.identity.session.state import SESSIONS_MAX, Session
from eventstore.claim import ClaimChange, ClaimKey

SESSION_PLACE = "session place"


def session_places(user_id: UserId, confined_to: OrgId | None = None) -> list[ClaimKey]:
    """Return the claims on the places, in order; of those *confined_to* an organization, if one."""
    whose = user_id if confined_to is None else uuid5(user_id, confined_to.hex)
    places = (place.to_bytes() for place in range(SESSIONS_MAX))
    return [ClaimKey(PLATFORM, SESSION_PLACE, whose, place) for place in places]


def _started(happened: Happening, reserved: Reservations) -> None:
    event: SessionStarted = happened.event
    confined_to = None if event.issuer is None else event.organization_id
    place = session_places(event.user_id, confined_to)[event.place]
    reserved.claims.append(ClaimChange(place, happened.stream, SessionPlaceTaken()))


def _over(happened: Happening, reserved: Reservations) -> None:
    session: Session = happened.before
    assert session.user_id is not None  # noqa: S101  it was started
    place = session_places(session.user_id, session.confined_to)[session.place]
    reserved.claims.append(ClaimChange(place, happened.stream, release=True))


SESSION_RULES: dict[type[Event], Rule] = {
    SessionStarted: _started,
    SessionEnded: _over,
    SessionRevoked: _over,
}
"""The rule of each kind of event of sessions that takes a place or frees it."""
