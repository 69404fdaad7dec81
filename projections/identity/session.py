"""Sessions as their user sees them: one document a login."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from pymongo import ASCENDING, IndexModel

from domain.base import SessionId, UserId
from domain.identity.session import Session, SessionEvent, SessionRotated, SessionStarted
from eventstore.recorded import Recorded
from projections.base import Fields, Projection, View, tags_of
from projections.engine.find import ReadModels

_encode = msgspec.json.Encoder().encode


class SeenSession(Struct, frozen=True):
    """A session, and the times that only its events' envelopes tell."""

    session: Session
    started_at: datetime
    last_used_at: datetime


class SessionView(View, frozen=True, kw_only=True):
    """A login as the API shows it; nothing here helps to use it."""

    id: SessionId
    started_at: datetime
    last_used_at: datetime
    expires_at: datetime | None
    ended: bool


class Sessions(Projection[SeenSession]):
    """The logins of a user that are not over."""

    name = "sessions"
    tags = tags_of(SessionEvent)
    state = SeenSession
    indexes = (
        IndexModel(
            [
                ("user", ASCENDING),
                ("deleted", ASCENDING),
                ("credentials", ASCENDING),
                ("expires", ASCENDING),
            ]
        ),
    )

    def fold(self, key: str, state: SeenSession | None, recorded: Recorded) -> SeenSession:
        event = recorded.event
        before = state or SeenSession(Session(), recorded.at, recorded.at)
        used = isinstance(event, SessionStarted | SessionRotated)
        return SeenSession(
            before.session.evolve(event),  # type: ignore[arg-type]  # by the tags it wants
            before.started_at,
            recorded.at if used else before.last_used_at,
        )

    def render(self, key: str, state: SeenSession, recorded: Recorded) -> bytes:
        view = SessionView(
            id=SessionId(recorded.stream_id),
            started_at=state.started_at,
            last_used_at=state.last_used_at,
            expires_at=_expires_at(state.session),
            ended=state.session.ended,
        )
        return _encode(view)

    def fields(self, key: str, state: SeenSession, recorded: Recorded) -> Fields:
        return {
            "org": str(recorded.org_id),
            "user": str(state.session.user_id),
            "deleted": state.session.ended,
            "credentials": state.session.credentials,
            "expires": _expires_at(state.session),
        }


def _expires_at(session: Session) -> datetime | None:
    ends = [end for end in (session.expires_at, session.idle_expires_at) if end is not None]
    return min(ends, default=None)


SESSIONS_MAX = 100


async def sessions_of(
    models: ReadModels, user_id: UserId, credentials: int, now: datetime
) -> list[bytes]:
    """Return the live sessions of a user, those that end last first.

    *credentials* is how often the password was changed: a change ends what began before.
    """
    where: dict[str, Any] = {
        "user": str(user_id),
        "deleted": False,
        "credentials": credentials,
        "expires": {"$gt": now},
    }
    found = await models.page("sessions", where, ("expires", -1), SESSIONS_MAX)
    return [one["json"] for one in found]
