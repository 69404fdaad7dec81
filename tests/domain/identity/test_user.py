"""An account: created, deactivated and reactivated."""

from hypothesis import given as forall
from hypothesis import strategies as st

from domain.base import NotFound, OrgId
from domain.identity.user import (
    AccountDeactivated,
    ActiveOrganizationChanged,
    LoginFailed,
    PasswordChanged,
    User,
    UserDeactivated,
    UserEvent,
    UserProfileChanged,
    UserReactivated,
    UserRegistered,
)
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
    assert ANA_USER.change_name("Anna") == [UserProfileChanged(name="Anna")]
    assert ANA_USER.change_name("Ana") == []
    assert given(ANA_USER, UserProfileChanged(name="Anna")).name == "Anna"


def test_the_active_organization_follows_the_user() -> None:
    event = ActiveOrganizationChanged(organization_id=ACME)

    assert ANA_USER.activate_organization(ACME) == [event]
    assert given(ANA_USER, event).organization_id == ACME
    assert given(ANA_USER, event).activate_organization(ACME) == []
    assert given(ANA_USER, event).activate_organization(OTHER) != []


def test_a_deactivated_account_refuses_changes() -> None:
    check_refused(
        AccountDeactivated,
        CLOSED.change_password,
        lambda: CLOSED.change_name("Anna"),
        lambda: CLOSED.activate_organization(ACME),
    )


def test_a_deactivated_account_can_still_lose_its_organization() -> None:
    member = given(User(), REGISTERED, ActiveOrganizationChanged(organization_id=ACME))
    closed = given(member, UserDeactivated())

    assert closed.activate_organization(None) == [ActiveOrganizationChanged(organization_id=None)]


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
        lambda: User().change_name("Ana"),
        lambda: User().activate_organization(None),
    )


@QUICK
@forall(st.lists(events_of(UserEvent), max_size=12))
def test_folding_never_raises(events: list[UserEvent]) -> None:
    assert isinstance(given(User(), *events), User)


def _step(name: str, organization: OrgId | None) -> st.SearchStrategy[Decision]:
    return st.sampled_from(
        [
            lambda user: user.register(REGISTERED),
            lambda user: user.change_name(name),
            lambda user: user.activate_organization(organization),
            lambda user: user.deactivate(name),
            lambda user: user.reactivate(),
        ]
    )


STEPS = st.tuples(st.sampled_from("ab"), st.sampled_from([*map(OrgId, IDS), None])).flatmap(
    lambda drawn: _step(*drawn)
)


@QUICK
@forall(st.lists(STEPS, max_size=12))
def test_repeating_a_decision_records_nothing(steps: list[Decision]) -> None:
    check_repeating_records_nothing(User(), steps)
