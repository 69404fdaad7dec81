"""An account: created, deactivated and reactivated."""

from hypothesis import given as forall
from hypothesis import strategies as st

from domain.base import NotFound, OrgId
from domain.identity.user.erasure import UserErased, UserErasureRequested
from domain.identity.user.errors import AccountDeactivated
from domain.identity.user.events import (
    HomeOrganizationChanged,
    LoginFailed,
    PasswordChanged,
    UserDeactivated,
    UserEvent,
    UserProfileChanged,
    UserReactivated,
    UserRegistered,
)
from domain.identity.user.state import User
from tests.domain.spec import (
    ACME,
    IDS,
    OTHER,
    QUICK,
    Decision,
    check_refused,
    check_repeating_records_nothing,
    events_of,
    given,
)

REGISTERED = UserRegistered(email="ana@example.com", name="Ana")
ANA_USER = given(User(), REGISTERED)
CLOSED = given(ANA_USER, UserDeactivated())


def test_registration_creates_an_active_account_without_an_organization() -> None:
    assert User().register(REGISTERED) == [REGISTERED]
    assert User(registered=True, email="ana@example.com", name="Ana", active=True) == ANA_USER


def test_registering_again_records_nothing() -> None:
    assert ANA_USER.register(REGISTERED) == []


def test_every_password_change_is_recorded() -> None:
    assert ANA_USER.change_password() == [PasswordChanged()]
    assert given(ANA_USER, PasswordChanged()).change_password() == [PasswordChanged()]
    assert given(ANA_USER, PasswordChanged(), PasswordChanged()).credentials == 2


def test_a_new_name_is_recorded_and_the_same_name_is_not() -> None:
    anna = UserProfileChanged(name="Anna")

    assert ANA_USER.change_profile(anna) == [anna]
    assert ANA_USER.change_profile(UserProfileChanged(name="Ana")) == []
    assert given(ANA_USER, anna).name == "Anna"


def test_a_time_zone_is_set_and_given_up_without_the_name() -> None:
    berlin, none = (UserProfileChanged(time_zone=zone) for zone in ("Europe/Berlin", None))
    there = given(ANA_USER, berlin)

    assert ANA_USER.change_profile(berlin) == [berlin]
    assert (there.name, there.time_zone) == ("Ana", "Europe/Berlin")
    assert there.change_profile(berlin) == ANA_USER.change_profile(none) == []
    assert there.change_profile(none) == [none]
    assert given(there, none) == ANA_USER


def test_an_account_that_is_being_erased_is_nobodys_and_only_gets_erased() -> None:
    closed = given(given(ANA_USER, UserProfileChanged(time_zone="UTC")), UserErasureRequested())

    assert ANA_USER.request_erasure() == [UserErasureRequested()]
    assert "Ana" not in repr(closed)
    assert "ana@" not in repr(closed)
    assert closed.finish_erasure() == [UserErased()]
    assert given(closed, UserErased()).finish_erasure() == []
    check_refused(
        NotFound,
        closed.request_erasure,
        closed.change_password,
        closed.deactivate,
        closed.reactivate,
        closed.fail_login,
        ANA_USER.finish_erasure,
    )


def test_the_home_organization_is_the_one_chosen_last() -> None:
    event = HomeOrganizationChanged(organization_id=ACME)

    assert ANA_USER.make_home(ACME) == [event]
    assert given(ANA_USER, event).home_organization_id == ACME
    assert given(ANA_USER, event).make_home(ACME) == []
    assert given(ANA_USER, event).make_home(OTHER) != []


def test_a_deactivated_account_refuses_changes() -> None:
    check_refused(
        AccountDeactivated,
        CLOSED.change_password,
        lambda: CLOSED.change_profile(UserProfileChanged(name="Anna")),
        lambda: CLOSED.make_home(ACME),
    )


def test_deactivation_is_undone_by_reactivation() -> None:
    assert ANA_USER.deactivate("left us") == [UserDeactivated(reason="left us")]
    assert CLOSED.deactivate() == []
    assert CLOSED.reactivate() == [UserReactivated()]
    assert given(CLOSED, UserReactivated()) == ANA_USER
    assert ANA_USER.reactivate() == []


def test_failed_logins_are_recorded_for_active_and_deactivated_accounts() -> None:
    assert ANA_USER.fail_login() == CLOSED.fail_login() == [LoginFailed()]
    assert given(ANA_USER, LoginFailed()) == ANA_USER


def test_an_unknown_account_is_not_found() -> None:
    check_refused(
        NotFound,
        User().change_password,
        User().deactivate,
        User().reactivate,
        User().fail_login,
        lambda: User().change_profile(UserProfileChanged(name="Ana")),
        lambda: User().make_home(ACME),
    )


@QUICK
@forall(st.lists(events_of(UserEvent), max_size=12))
def test_folding_never_raises(events: list[UserEvent]) -> None:
    assert isinstance(given(User(), *events), User)


def _step(name: str, organization: OrgId) -> st.SearchStrategy[Decision]:
    return st.sampled_from(
        [
            lambda user: user.register(REGISTERED),
            lambda user: user.change_profile(UserProfileChanged(name=name)),
            lambda user: user.make_home(organization),
            lambda user: user.deactivate(name),
            lambda user: user.reactivate(),
        ]
    )


STEPS = st.tuples(st.sampled_from("ab"), st.sampled_from([*map(OrgId, IDS)])).flatmap(
    lambda drawn: _step(*drawn)
)


@QUICK
@forall(st.lists(STEPS, max_size=12))
def test_repeating_a_decision_records_nothing(steps: list[Decision]) -> None:
    check_repeating_records_nothing(User(), steps)
