"""The places of a user's sessions: claims, of which each session holds one.

Sessions that began through the identity provider of an organization have places of their own there:
its administrators, who choose the provider, cannot use up those of the person.
"""

from uuid import UUID, uuid5

from domain.base import PLATFORM, OrgId, UserId
from domain.identity.session.errors import SessionPlaceTaken
from domain.identity.session.events import SessionStarted
from domain.identity.session.state import SESSIONS_MAX, Session
from eventstore.claim import ClaimChange, ClaimKey

SESSION_PLACE = "session place"


def session_places(user_id: UserId, confined_to: OrgId | None = None) -> list[ClaimKey]:
    """Return the claims on the places, in order; of those *confined_to* an organization, if one."""
    whose = user_id if confined_to is None else uuid5(user_id, confined_to.hex)
    places = (place.to_bytes() for place in range(SESSIONS_MAX))
    return [ClaimKey(PLATFORM, SESSION_PLACE, whose, place) for place in places]


def take_place(started: SessionStarted, session_id: UUID) -> ClaimChange:
    """Return the change that gives a new session its place."""
    confined_to = None if started.issuer is None else started.organization_id
    place = session_places(started.user_id, confined_to)[started.place]
    return ClaimChange(place, session_id, SessionPlaceTaken())


def leave_place(session: Session, session_id: UUID) -> ClaimChange:
    """Return the change that frees the place of a session that ends."""
    assert session.user_id is not None  # noqa: S101  it was started
    place = session_places(session.user_id, session.confined_to)[session.place]
    return ClaimChange(place, session_id, release=True)
