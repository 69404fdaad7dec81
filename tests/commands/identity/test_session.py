"""Stories of the commands on sessions."""

from datetime import datetime
from typing import Any

import pytest
from msgspec.structs import replace

from commands.base import Command
from commands.identity.session import (
    LogIn,
    LogOut,
    RevokeSession,
    RotateRefreshToken,
    SwitchOrganization,
)
from domain.base import NotFound
from domain.identity.organization.membership import MemberDeactivated, Role
from domain.identity.session.errors import SessionExpired, SessionIsOver
from domain.identity.session.events import (
    RefreshTokenReuseDetected,
    RevocationCause,
    SessionEnded,
    SessionRevoked,
    SessionRotated,
    SessionSwitchedOrganization,
)
from domain.identity.session.state import (
    ABSOLUTE_LIFETIME,
    IDLE_LIFETIME,
    ROTATION_GRACE,
)
from domain.identity.user.errors import AccountDeactivated
from domain.identity.user.events import HomeOrganizationChanged, PasswordChanged, UserDeactivated
from tests.commands.acme import LAPTOP, PHONE, TEAM, account, founded, started
from tests.domain.spec import ACME, ANA, BEN, DAN, NOW, OTHER, SECOND
from tests.spec import given, on

ANAS = (account(ANA, "Ana"),)
STARTED = started(ANA)
HERE = (*ANAS, on(LAPTOP, STARTED))


def log_in(credentials: int = 0) -> LogIn:
    return LogIn(session_id=LAPTOP, user_id=ANA, nonce="n", credentials=credentials)


def rotate(presented: int) -> RotateRefreshToken:
    return RotateRefreshToken(session_id=LAPTOP, presented=presented)


def rotated(generation: int, at: datetime = NOW) -> SessionRotated:
    idle = min(at + IDLE_LIFETIME, STARTED.expires_at)
    return SessionRotated(generation=generation, rotated_at=at, idle_expires_at=idle)


class TestLogIn:
    def test_a_login_starts_a_session(self) -> None:
        given(*ANAS).when(log_in(), org_id=None).then(on(LAPTOP, STARTED))

    def test_the_same_login_again_records_nothing(self) -> None:
        given(*HERE).when(log_in()).then()

    def test_a_deactivated_account_cannot_log_in(self) -> None:
        closed = on(ANA, UserDeactivated())
        given(*ANAS, closed).when(log_in()).then_refused(AccountDeactivated)

    def test_a_login_is_refused_if_the_password_changed_since_it_was_verified(self) -> None:
        changed = on(ANA, PasswordChanged())
        given(*ANAS, changed).when(log_in(credentials=0)).then_refused(SessionIsOver)

    def test_a_session_remembers_the_password_that_it_began_under(self) -> None:
        changed = on(ANA, PasswordChanged())
        began = replace(STARTED, credentials=1)
        given(*ANAS, changed).when(log_in(credentials=1), org_id=None).then(on(LAPTOP, began))

    def test_a_session_starts_in_the_home_organization(self) -> None:
        home = on(ANA, HomeOrganizationChanged(organization_id=ACME))
        there = replace(STARTED, organization_id=ACME)
        given(*ANAS, home).when(log_in(), org_id=None).then(on(LAPTOP, there))

    def test_an_unregistered_user_cannot_log_in(self) -> None:
        given().when(log_in()).then_refused(NotFound)


class TestRotateRefreshToken:
    def test_a_rotation_makes_the_next_generation_current(self) -> None:
        later = NOW + IDLE_LIFETIME - SECOND
        given(*HERE).when(rotate(0), now=later).then(on(LAPTOP, rotated(1, later)))

    def test_a_rotation_does_not_extend_the_session_beyond_its_end(self) -> None:
        history = [rotated(n, NOW + n * (IDLE_LIFETIME - SECOND)) for n in (1, 2, 3, 4)]
        last = history[-1].rotated_at + SECOND
        story = given(*HERE, on(LAPTOP, *history)).when(rotate(4), now=last)
        story.then(rotated(5, last))
        assert rotated(5, last).idle_expires_at == STARTED.expires_at

    def test_the_previous_token_is_accepted_for_a_while(self) -> None:
        in_grace = NOW + ROTATION_GRACE
        given(*HERE, on(LAPTOP, rotated(1))).when(rotate(0), now=in_grace).then()

    def test_the_previous_token_ends_the_session_after_the_grace(self) -> None:
        late = NOW + ROTATION_GRACE + SECOND
        given(*HERE, on(LAPTOP, rotated(1))).when(rotate(0), now=late).then(
            RefreshTokenReuseDetected(generation=0),
            SessionRevoked(by=None, cause=RevocationCause.REUSE),
        )

    @pytest.mark.parametrize("presented", [0, 3], ids=["too old", "never given"])
    def test_any_other_generation_ends_the_session(self, presented: int) -> None:
        spent = on(LAPTOP, rotated(1), rotated(2))
        given(*HERE, spent).when(rotate(presented)).then(
            RefreshTokenReuseDetected(generation=presented),
            SessionRevoked(by=None, cause=RevocationCause.REUSE),
        )

    @pytest.mark.parametrize("later", [IDLE_LIFETIME, ABSOLUTE_LIFETIME])
    def test_an_expired_session_cannot_be_rotated(self, later: object) -> None:
        story = given(*HERE).when(rotate(0), now=NOW + later)  # type: ignore[operator]  # a timedelta or None
        story.then_refused(SessionExpired)

    @pytest.mark.parametrize(
        "past",
        [
            on(LAPTOP, SessionEnded()),
            on(LAPTOP, SessionRevoked(by=ANA, cause=RevocationCause.BY_USER)),
            on(ANA, PasswordChanged()),
            on(ANA, UserDeactivated()),
        ],
        ids=["ended", "revoked", "password changed", "deactivated"],
    )
    def test_an_ended_session_cannot_be_rotated(self, past: object) -> None:
        given(*HERE, past).when(rotate(0)).then_refused(SessionIsOver)  # type: ignore[arg-type]  # what is given is checked at run time

    def test_an_unknown_session_cannot_be_rotated(self) -> None:
        given(*ANAS).when(rotate(0)).then_refused(SessionIsOver)


class TestSwitchOrganization:
    theirs = founded(OTHER, "other", dan=(DAN, Role.ADMIN), ana=(ANA, Role.MEMBER))
    here = (*HERE, TEAM, theirs, on(PHONE, started(ANA, place=1)))
    asked = SwitchOrganization(organization_id=OTHER)
    switched = on(LAPTOP, SessionSwitchedOrganization(to=OTHER))
    home = on(ANA, HomeOrganizationChanged(organization_id=OTHER))

    def test_only_this_session_works_in_the_other_organization(self) -> None:
        story = given(*self.here).when(self.asked, org_id=OTHER, session_id=LAPTOP)
        story.then(self.switched, self.home)

    def test_switching_to_the_same_organization_records_nothing(self) -> None:
        past = given(*self.here, self.switched, self.home)
        past.when(self.asked, org_id=OTHER, session_id=LAPTOP).then()

    def test_a_session_that_is_over_does_not_switch(self) -> None:
        past = given(*self.here, on(LAPTOP, SessionEnded()))
        past.when(self.asked, org_id=OTHER, session_id=LAPTOP).then_refused(SessionIsOver)

    def test_an_organization_of_others_does_not_exist(self) -> None:
        past = given(*HERE, founded(OTHER, "other", dan=(DAN, Role.ADMIN)))
        past.when(self.asked, org_id=OTHER, session_id=LAPTOP).then_refused(NotFound)

    def test_a_suspended_member_cannot_switch_there(self) -> None:
        past = given(*self.here, on(OTHER, MemberDeactivated(user_id=ANA), org_id=OTHER))
        past.when(self.asked, org_id=OTHER, session_id=LAPTOP).then_refused(NotFound)


class TestLogOut:
    asked = LogOut(session_id=LAPTOP)

    def test_a_logout_is_recorded_once(self) -> None:
        ended = SessionEnded()
        given(*HERE).when(self.asked).then(on(LAPTOP, ended))
        given(*HERE, on(LAPTOP, ended)).when(self.asked).then()

    def test_logging_out_of_an_unknown_session_is_not_found(self) -> None:
        given(*ANAS).when(self.asked).then_refused(NotFound)


class TestRevokeSession:
    asked = RevokeSession(session_id=LAPTOP)

    def test_a_revocation_is_recorded_once(self) -> None:
        revoked = SessionRevoked(by=ANA, cause=RevocationCause.BY_USER)
        given(*HERE).when(self.asked).then(revoked)
        given(*HERE, on(LAPTOP, revoked)).when(self.asked).then()

    def test_another_users_session_is_not_found(self) -> None:
        given(*HERE).when(self.asked, by=BEN).then_refused(NotFound)


@pytest.mark.parametrize("kind", [RotateRefreshToken, LogOut, RevokeSession])
def test_a_session_is_not_found_by_the_id_of_another_resource(kind: type[Command]) -> None:
    fields: dict[str, Any] = {"session_id": ANA}
    if kind is RotateRefreshToken:
        fields["presented"] = 0
    given(*HERE).when(kind(**fields)).then_refused(NotFound)
