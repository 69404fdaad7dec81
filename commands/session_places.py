"""The places of a user's sessions: claims, of which each session holds one."""

from uuid import UUID

from domain.base import PLATFORM, UserId
from domain.identity.session.errors import SessionPlaceTaken
from domain.identity.session.events import SessionStarted
from domain.identity.session.state import SESSIONS_MAX, Session
from eventstore.claim import ClaimChange, ClaimKey

SESSION_PLACE = "session place"


def session_places(user_id: UserId) -> list[ClaimKey]:
    """Return the claims on the places, in order."""
    places = (place.to_bytes() for place in range(SESSIONS_MAX))
    return [ClaimKey(PLATFORM, SESSION_PLACE, user_id, place) for place in places]


def take_place(started: SessionStarted, session_id: UUID) -> ClaimChange:
    """Return the change that gives a new session its place."""
    place = session_places(started.user_id)[started.place]
    return ClaimChange(place, session_id, SessionPlaceTaken())


def leave_place(session: Session, session_id: UUID) -> ClaimChange:
    """Return the change that frees the place of a session that ends."""
    assert session.user_id is not None  # noqa: S101  it was started
    place = session_places(session.user_id)[session.place]
    return ClaimChange(place, session_id, release=True)
