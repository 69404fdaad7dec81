"""A session and its refresh tokens: races, expiry and theft."""

from datetime import timedelta

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

from domain.base import NotFound
from domain.identity.session.errors import ReauthenticationRequired, SessionExpired, SessionIsOver
from domain.identity.session.events import (
    Factor,
    RefreshTokenReuseDetected,
    RevocationCause,
    SessionEnded,
    SessionEvent,
    SessionReauthenticated,
    SessionRevoked,
    SessionRotated,
    SessionStarted,
    SessionSwitchedOrganization,
)
from domain.identity.session.state import (
    ABSOLUTE_LIFETIME,
    CLOCK_SKEW,
    IDLE_LIFETIME,
    PROOF_LIFETIME,
    ROTATION_GRACE,
    NewSession,
    Session,
)
from tests.domain.spec import (
    ACME,
    ANA,
    BEN,
    DAY,
    HOUR,
    NOW,
    OTHER,
    QUICK,
    SECOND,
    check_refused,
    events_of,
    given,
)

LOGIN = NewSession(user_id=ANA, nonce="nonce")
STARTED = given(Session(), *Session().start(LOGIN, NOW))
ROTATED = given(STARTED, *STARTED.rotate(0, NOW + HOUR))
ROTATED_AT = NOW + HOUR
REUSE = SessionRevoked(by=None, cause=RevocationCause.REUSE)


def test_a_session_lives_at_most_seven_idle_days_and_thirty_days_in_all() -> None:
    assert Session().start(LOGIN, NOW) == [
        SessionStarted(
            user_id=ANA,
            nonce="nonce",
            started_at=NOW,
            expires_at=NOW + timedelta(days=30),
            idle_expires_at=NOW + timedelta(days=7),
        )
    ]


def test_a_session_works_in_one_organization_until_it_switches() -> None:
    started = given(
        Session(), *Session().start(NewSession(user_id=ANA, nonce="n", organization_id=ACME), NOW)
    )

    assert started.organization_id == ACME
    assert started.switch(ACME) == []
    assert started.switch(OTHER) == [SessionSwitchedOrganization(to=OTHER)]
    switched = given(started, *started.switch(OTHER))
    assert switched == replace(started, organization_id=OTHER)
    check_refused(SessionIsOver, lambda: given(started, SessionEnded()).switch(OTHER))
    check_refused(SessionIsOver, lambda: Session().switch(OTHER))


def test_a_proof_of_who_the_user_is_is_good_for_ten_minutes() -> None:
    later = NOW + PROOF_LIFETIME + SECOND
    STARTED.refuse_without_proof(NOW + PROOF_LIFETIME)
    check_refused(ReauthenticationRequired, lambda: STARTED.refuse_without_proof(later))
    check_refused(ReauthenticationRequired, lambda: Session().refuse_without_proof(NOW))

    [again] = STARTED.reauthenticate(Factor.PASSWORD, later)

    assert again == SessionReauthenticated(factor=Factor.PASSWORD, at=later)
    given(STARTED, again).refuse_without_proof(later + PROOF_LIFETIME)
    check_refused(SessionIsOver, lambda: Session().reauthenticate(Factor.PASSWORD, NOW))


def test_starting_a_session_again_records_nothing() -> None:
    assert STARTED.start(replace(LOGIN, nonce="other nonce"), NOW) == []


def test_the_current_token_rotates_to_the_next_generation() -> None:
    assert STARTED.rotate(0, NOW + HOUR) == [
        SessionRotated(
            generation=1, rotated_at=NOW + HOUR, idle_expires_at=NOW + HOUR + IDLE_LIFETIME
        )
    ]
    assert ROTATED.rotate(1, ROTATED_AT + DAY)[0] == SessionRotated(
        generation=2,
        rotated_at=ROTATED_AT + DAY,
        idle_expires_at=ROTATED_AT + DAY + IDLE_LIFETIME,
    )


@pytest.mark.parametrize("late", [-SECOND, timedelta(0), SECOND, 10 * SECOND])
def test_a_concurrent_refresh_gets_the_same_successor(late: timedelta) -> None:
    assert ROTATED.rotate(0, ROTATED_AT + late) == []


def test_sixteen_concurrent_refreshes_rotate_once_and_revoke_nothing() -> None:
    session, recorded = STARTED, []

    for _ in range(16):
        events = session.rotate(0, ROTATED_AT)
        session = given(session, *events)
        recorded += events

    assert [type(event) for event in recorded] == [SessionRotated]
    assert session.is_live(ROTATED_AT)


def test_a_clock_that_was_set_back_prolongs_no_grace_and_ends_no_session() -> None:
    early = ROTATED_AT - CLOCK_SKEW - timedelta(microseconds=1)

    with pytest.raises(SessionExpired):
        ROTATED.rotate(0, early)


def test_the_previous_token_after_the_grace_ends_the_session() -> None:
    late = ROTATED_AT + 10 * SECOND + timedelta(microseconds=1)

    events = ROTATED.rotate(0, late)

    assert events == [RefreshTokenReuseDetected(generation=0), REUSE]
    assert not given(ROTATED, *events).is_live(late)


def test_a_refresh_whose_response_was_lost_gets_the_same_successor_until_that_is_used() -> None:
    late = ROTATED_AT + DAY

    assert ROTATED.rotate(0, late, used=False) == []
    assert ROTATED.rotate(0, late, used=True) == [RefreshTokenReuseDetected(generation=0), REUSE]


@pytest.mark.parametrize("presented", [0, 3])
def test_only_the_previous_token_gets_an_unused_successor(presented: int) -> None:
    twice = given(ROTATED, *ROTATED.rotate(1, ROTATED_AT + SECOND))

    assert REUSE in twice.rotate(presented, ROTATED_AT + DAY, used=False)


def test_an_unused_successor_is_not_given_out_by_a_clock_that_was_set_back() -> None:
    with pytest.raises(SessionExpired):
        ROTATED.rotate(0, ROTATED_AT - CLOCK_SKEW - SECOND, used=False)


@pytest.mark.parametrize("presented", [0, 3, 4_294_967_295])
def test_an_older_or_a_future_token_ends_the_session_even_in_the_grace(presented: int) -> None:
    twice = given(ROTATED, *ROTATED.rotate(1, ROTATED_AT + SECOND))

    assert twice.rotate(presented, ROTATED_AT + SECOND) == [
        RefreshTokenReuseDetected(generation=presented),
        REUSE,
    ]


def test_an_idle_session_expires_to_the_microsecond() -> None:
    end = NOW + IDLE_LIFETIME

    assert STARTED.rotate(0, end - timedelta(microseconds=1)) != []
    with pytest.raises(SessionExpired):
        STARTED.rotate(0, end)


def test_a_deployment_may_choose_a_shorter_idle_time() -> None:
    [started] = Session().start(LOGIN, NOW, idle=HOUR)
    session = given(Session(), started)

    [rotated] = session.rotate(0, NOW + HOUR - SECOND, HOUR)
    session = given(session, rotated)

    assert session.idle_expires_at == NOW + 2 * HOUR - SECOND
    with pytest.raises(SessionExpired):
        session.rotate(1, NOW + 2 * HOUR - SECOND, HOUR)


def test_a_busy_session_expires_after_thirty_days() -> None:
    session, now = STARTED, NOW
    while now + DAY < NOW + ABSOLUTE_LIFETIME:
        now += DAY
        session = given(session, *session.rotate(session.generation, now))

    assert session.generation == 29
    assert session.idle_expires_at == session.expires_at == NOW + ABSOLUTE_LIFETIME
    with pytest.raises(SessionExpired):
        session.rotate(session.generation, NOW + ABSOLUTE_LIFETIME)


def test_an_expired_session_reports_no_reuse() -> None:
    with pytest.raises(SessionExpired):
        ROTATED.rotate(0, ROTATED_AT + IDLE_LIFETIME)


def test_logging_out_ends_the_session_once() -> None:
    ended = given(STARTED, *STARTED.end())

    assert STARTED.end() == [SessionEnded()]
    assert ended.end() == []
    assert ended.revoke(RevocationCause.BY_USER, by=ANA) == []
    assert not ended.is_live(NOW)


def test_a_revocation_records_the_actor_and_the_cause_only_once() -> None:
    event = SessionRevoked(by=BEN, cause=RevocationCause.BY_ADMIN)

    assert STARTED.revoke(RevocationCause.BY_ADMIN, by=BEN) == [event]
    assert given(STARTED, event).revoke(RevocationCause.BY_ADMIN, by=BEN) == []


@pytest.mark.parametrize("presented", [0, 1, 2])
def test_an_ended_session_refuses_every_token(presented: int) -> None:
    with pytest.raises(SessionIsOver):
        given(ROTATED, SessionEnded()).rotate(presented, ROTATED_AT)


def test_an_unknown_session_is_refused() -> None:
    with pytest.raises(SessionIsOver):
        Session().rotate(0, NOW)
    with pytest.raises(NotFound):
        Session().end()
    with pytest.raises(NotFound):
        Session().revoke(RevocationCause.BY_USER)
    assert not Session().is_live(NOW)


@QUICK
@forall(st.lists(events_of(SessionEvent), max_size=12))
def test_folding_never_raises(events: list[SessionEvent]) -> None:
    assert isinstance(given(Session(), *events), Session)


class Refreshing(RuleBasedStateMachine):
    """Clients, honest and not, refresh one session as time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.session, self.now = STARTED, NOW
        self.events: list[SessionEvent] = []

    @rule(wait=st.sampled_from([SECOND, ROTATION_GRACE, HOUR, DAY, 8 * DAY]))
    def time_goes_by(self, wait: timedelta) -> None:
        self.now += wait

    @rule(back=st.integers(-1, 3))
    def a_token_is_presented(self, back: int) -> None:
        presented = max(0, self.session.generation - back)
        for _ in range(2):
            try:
                events = self.session.rotate(presented, self.now)
            except (SessionExpired, SessionIsOver):
                events = []
            self.session = given(self.session, *events)
            self.events += events

    @rule()
    def the_user_logs_out(self) -> None:
        self.session = given(self.session, *self.session.end())
        assert self.session.end() == []

    @invariant()
    def each_generation_came_once_and_in_order(self) -> None:
        rotated = [e.generation for e in self.events if isinstance(e, SessionRotated)]
        assert rotated == list(range(1, self.session.generation + 1))

    @invariant()
    def reuse_is_detected_once_at_most_and_is_the_end(self) -> None:
        seen = [isinstance(e, RefreshTokenReuseDetected) for e in self.events]
        assert seen.count(True) <= 1
        assert self.session.ended or True not in seen

    @invariant()
    def no_idle_time_reaches_beyond_the_absolute_end(self) -> None:
        assert self.session.idle_expires_at is not None
        assert self.session.expires_at is not None
        assert self.session.idle_expires_at <= self.session.expires_at


test_refreshing_holds_its_invariants = Refreshing.TestCase
test_refreshing_holds_its_invariants.settings = QUICK
