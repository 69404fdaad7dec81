"""The places of a user's sessions: claims, of which each session holds one."""

from domain.base import PLATFORM, UserId
from domain.identity.session.state import SESSIONS_MAX
from eventstore.claim import ClaimKey

SESSION_PLACE = "session place"


def session_places(user_id: UserId) -> list[ClaimKey]:
    """Return the claims on the places, in order."""
    places = (place.to_bytes() for place in range(SESSIONS_MAX))
    return [ClaimKey(PLATFORM, SESSION_PLACE, user_id, place) for place in places]
