"""Sessions as their user sees them: one document per login."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar

import msgspec
from msgspec import Struct

from domain.base import OrgId, SessionId, UserId
from domain.identity.session.events import SessionEvent, SessionRotated, SessionStarted
from domain.identity.session.state import Session
from eventstore.recorded import Recorded
from projections.base import Projection, View, tags_of
from projections.engine.find import ReadModels
from projections.engine.query import ListSlice, Query
from projections.shape import Index, Kind, Value

LISTED_MAX = 100
"""Sessions that are listed: those of a person, and some in each organization with a provider."""

_encode = msgspec.json.Encoder().encode


class SeenSession(Struct, frozen=True, kw_only=True):
    """A session without its token secrets, and when it was used."""

    user_id: UserId | None = None
    organization_id: OrgId | None = None
    credentials: int = 0
    expires_at: datetime | None = None
    idle_expires_at: datetime | None = None
    ended: bool = False
    started_at: datetime
    last_used_at: datetime


class SessionView(View, frozen=True, kw_only=True):
    """A session as the API shows it, without anything that would help to use it."""

    id: SessionId
    organization_id: OrgId | None
    started_at: datetime
    last_used_at: datetime
    expires_at: datetime | None


class Sessions(Projection[SeenSession]):
    """The live sessions of a user."""

    name = "sessions"
    version = 2
    tags = tags_of(SessionEvent)
    state = SeenSession
    more: ClassVar[Mapping[str, Kind]] = {"ends_at": Kind.TEXT}
    indexes = (Index(("user_id", "deleted", "credentials"), "ends_at"),)

    def fold(self, key: str, state: SeenSession | None, recorded: Recorded) -> SeenSession:
        before = state or SeenSession(started_at=recorded.at, last_used_at=recorded.at)
        session = Session(
            user_id=before.user_id,
            organization_id=before.organization_id,
            credentials=before.credentials,
            expires_at=before.expires_at,
            idle_expires_at=before.idle_expires_at,
            ended=before.ended,
        ).evolve(recorded.event)  # type: ignore[arg-type]  # only the tags of sessions arrive
        used = isinstance(recorded.event, SessionStarted | SessionRotated)
        return SeenSession(
            user_id=session.user_id,
            organization_id=session.organization_id,
            credentials=session.credentials,
            expires_at=session.expires_at,
            idle_expires_at=session.idle_expires_at,
            ended=session.ended,
            started_at=before.started_at,
            last_used_at=recorded.at if used else before.last_used_at,
        )

    def render(self, key: str, state: SeenSession, recorded: Recorded) -> bytes:
        view = SessionView(
            id=SessionId(recorded.stream_id),
            organization_id=state.organization_id,
            started_at=state.started_at,
            last_used_at=state.last_used_at,
            expires_at=_ends_at(state),
        )
        return _encode(view)

    def deleted(self, state: SeenSession) -> bool:
        return state.ended

    def fields(self, state: SeenSession) -> Mapping[str, Value]:
        ends_at = _ends_at(state)
        return {"ends_at": None if ends_at is None else _sortable(ends_at)}


def _ends_at(session: SeenSession) -> datetime | None:
    ends = [end for end in (session.expires_at, session.idle_expires_at) if end is not None]
    return min(ends, default=None)


def _sortable(at: datetime) -> str:
    """Return a time with a fixed length, so that the texts sort by time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


async def sessions_of(
    models: ReadModels, user_id: UserId, credentials: int, now: datetime
) -> ListSlice:
    """Return the live sessions of a user; those that end last come first.

    *credentials* is how often the password was changed; a change ends all earlier sessions.
    """
    query = Query(
        model="sessions",
        where={"user_id": str(user_id), "deleted": False, "credentials": credentials},
        sort="ends_at",
        descending=True,
        limit=LISTED_MAX,
        above=_sortable(now),
    )
    [found] = await models.pages(query)
    return found
