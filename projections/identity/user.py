"""Users as their fellow members see them: one document per account."""

from uuid import UUID

import msgspec

from domain.base import UserId
from domain.identity.user.address import EmailProofRequested
from domain.identity.user.events import (
    LoginFailed,
    NewNetworkSeen,
    PasswordResetRequested,
    UserEvent,
)
from domain.identity.user.state import User
from domain.identity.user.totp import TotpEvent
from eventstore.recorded import Recorded
from projections.base import AggregateProjection, View, tags_of

_UNSHOWN = tags_of(
    LoginFailed, NewNetworkSeen, EmailProofRequested, PasswordResetRequested, TotpEvent
)
_encode = msgspec.json.Encoder().encode


class UserView(View, frozen=True, kw_only=True):
    """A user as the API shows them to fellow members."""

    id: UserId
    email: str
    name: str
    active: bool


def render_user(user_id: UUID, user: User) -> bytes:
    """Return the JSON of *user*."""
    view = UserView(id=UserId(user_id), email=user.email, name=user.name, active=user.active)
    return _encode(view)


class Users(AggregateProjection[User]):
    """Users by id, for the names of members; nothing of how they log in is shown."""

    name = "users"
    version = 6
    tags = tuple(sorted(set(tags_of(UserEvent)) - set(_UNSHOWN)))
    state = User
    left_out = frozenset(
        {"reset", "home_organization_id", "proof", "totp", "time_zone", "erasing", "erased"}
    )

    def render(self, key: str, state: User, recorded: Recorded) -> bytes:
        return render_user(recorded.stream_id, state)
