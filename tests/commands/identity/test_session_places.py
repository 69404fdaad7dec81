"""Stories of the places that the sessions of a user take, at most twenty."""

import asyncio
from uuid import UUID

import pytest
from msgspec.structs import replace

from commands.handler import CommandHandler
from commands.identity.session import (
    LogIn,
    RevokeOtherSessions,
)
from domain.base import NotFound, SessionId
from domain.identity.session.events import (
    RevocationCause,
    SessionEnded,
    SessionEvent,
    SessionRevoked,
)
from domain.identity.session.state import (
    ABSOLUTE_LIFETIME,
    SESSIONS_MAX,
    Session,
)
from domain.identity.user.events import PasswordChanged
from eventstore.identifiers import new_id
from eventstore.log import EventLog
from tests.commands.acme import LAPTOP, PHONE, account, started
from tests.domain.spec import ANA, BEN, NOW, SECOND
from tests.spec import context, given, on, record

ANAS = (account(ANA, "Ana"),)
STARTED = started(ANA)
HERE = (*ANAS, on(LAPTOP, STARTED))


def log_in(credentials: int = 0) -> LogIn:
    return LogIn(session_id=LAPTOP, user_id=ANA, nonce="n", credentials=credentials)


class TestSessionPlaces:
    """A user has at most as many sessions as there are places."""

    full = tuple(
        on(
            UUID(int=100 + n),
            started(ANA, place=n, expires_at=NOW + ABSOLUTE_LIFETIME - n * SECOND),
        )
        for n in range(SESSIONS_MAX)
    )
    oldest = UUID(int=100 + SESSIONS_MAX - 1)

    def test_a_login_takes_the_first_free_place(self) -> None:
        here = (*ANAS, *self.full[:2], *self.full[3:])
        given(*here).when(log_in(), org_id=None).then(on(LAPTOP, replace(STARTED, place=2)))

    def test_the_oldest_session_ends_if_there_is_no_place(self) -> None:
        given(*ANAS, *self.full).when(log_in(), org_id=None).then(
            on(self.oldest, SessionRevoked(by=None, cause=RevocationCause.TOO_MANY_SESSIONS)),
            on(LAPTOP, replace(STARTED, place=SESSIONS_MAX - 1)),
        )

    def test_a_session_that_is_over_makes_room_before_a_live_one(self) -> None:
        idle = on(
            UUID(int=100), started(ANA, idle_expires_at=NOW, expires_at=NOW + ABSOLUTE_LIFETIME)
        )
        given(*ANAS, idle, *self.full[1:]).when(log_in(), org_id=None).then(
            on(UUID(int=100), SessionRevoked(by=None, cause=RevocationCause.EXPIRED)),
            on(LAPTOP, STARTED),
        )

    def test_sessions_of_an_older_password_make_room(self) -> None:
        changed, asked = on(ANA, PasswordChanged()), log_in(credentials=1)
        story = given(*ANAS, changed, *self.full).when(asked, org_id=None)
        story.then(
            on(self.oldest, SessionRevoked(by=None, cause=RevocationCause.PASSWORD_CHANGED)),
            on(LAPTOP, replace(STARTED, credentials=1, place=SESSIONS_MAX - 1)),
        )

    @pytest.mark.parametrize(
        "over", [SessionEnded(), SessionRevoked(by=ANA, cause=RevocationCause.BY_USER)]
    )
    def test_a_session_that_ended_leaves_its_place(self, over: SessionEvent) -> None:
        here = (*ANAS, *self.full, on(UUID(int=105), over))
        given(*here).when(log_in(), org_id=None).then(on(LAPTOP, replace(STARTED, place=5)))

    def test_sessions_of_others_take_none_of_the_places(self) -> None:
        theirs = (account(BEN, "Ben"), on(PHONE, started(BEN)))
        given(*ANAS, *theirs).when(log_in(), org_id=None).then(on(LAPTOP, STARTED))

    async def test_two_processes_never_start_one_too_many(
        self, log: EventLog, handler: CommandHandler, elsewhere: CommandHandler
    ) -> None:
        await record(log, *ANAS)
        logins = [
            LogIn(session_id=SessionId(new_id()), user_id=ANA, nonce="n", credentials=0)
            for _ in range(3 * SESSIONS_MAX)
        ]

        await asyncio.gather(
            *(
                process.handle(login, context(ANA, org_id=None))
                for process, login in zip((handler, elsewhere) * len(logins), logins, strict=False)
            )
        )

        states = await handler.states.all_fresh([(Session, one.session_id) for one in logins])
        live = [found.state.place for found in states if found.state.is_live(NOW)]
        assert sorted(live) == list(range(SESSIONS_MAX))


class TestRevokeOtherSessions:
    asked = RevokeOtherSessions(session_id=LAPTOP)
    revoked = SessionRevoked(by=ANA, cause=RevocationCause.BY_USER)

    def test_all_sessions_but_one_end(self) -> None:
        third, theirs = UUID(int=63), on(UUID(int=64), started(BEN))
        more = (on(PHONE, started(ANA, place=1)), on(third, started(ANA, place=2)))
        given(*HERE, *more, account(BEN, "Ben"), theirs).when(self.asked).then(
            on(PHONE, self.revoked), on(third, self.revoked)
        )

    def test_nobody_ends_the_sessions_of_others(self) -> None:
        given(*HERE).when(self.asked, by=BEN).then_refused(NotFound)

    def test_a_single_session_stays(self) -> None:
        given(*HERE).when(self.asked).then()
