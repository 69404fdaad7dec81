"""The second factor: each code works once."""

from hypothesis import given as forall
from hypothesis import strategies as st

from domain.base import NotFound
from domain.identity.user.errors import AccountDeactivated
from domain.identity.user.events import UserDeactivated, UserRegistered
from domain.identity.user.state import User
from domain.identity.user.totp import (
    RecoveryCodesRenewed,
    RecoveryCodeUsed,
    SecondProof,
    Totp,
    TotpAlreadyEnabled,
    TotpDisabled,
    TotpEnabled,
    TotpEvent,
    TotpNotEnabled,
    TotpUsed,
    WrongCode,
)
from tests.domain.spec import QUICK, check_refused, events_of, given

ANA = given(User(), UserRegistered(email="ana@example.com", name="Ana"))
ENABLED = given(ANA, TotpEnabled(step=5, recovery=("a", "b")))


def test_an_authenticator_is_set_up_once() -> None:
    assert ANA.enable_totp(5, ("a", "b")) == [TotpEnabled(step=5, recovery=("a", "b"))]
    assert ENABLED.totp == Totp(5, ("a", "b"))
    check_refused(TotpAlreadyEnabled, lambda: ENABLED.enable_totp(6, ()))
    check_refused(AccountDeactivated, lambda: given(ANA, UserDeactivated()).enable_totp(5, ()))
    check_refused(NotFound, lambda: User().enable_totp(5, ()))


def test_a_code_works_once_and_none_before_it() -> None:
    for spent in (4, 5):
        check_refused(WrongCode, lambda spent=spent: ENABLED.use_second_factor(SecondProof(spent)))  # type: ignore[misc]  # bound now

    [used] = ENABLED.use_second_factor(SecondProof(step=6))

    assert used == TotpUsed(step=6)
    after = given(ENABLED, used)
    assert after.totp == Totp(6, ("a", "b"))
    check_refused(WrongCode, lambda: after.use_second_factor(SecondProof(step=6)))


def test_a_recovery_code_works_once() -> None:
    [used] = ENABLED.use_second_factor(SecondProof(recovery="a"))

    assert used == RecoveryCodeUsed(code_hash="a")
    after = given(ENABLED, used)
    assert after.totp == Totp(5, ("b",))
    check_refused(WrongCode, lambda: after.use_second_factor(SecondProof(recovery="a")))
    check_refused(WrongCode, lambda: after.use_second_factor(SecondProof()))


def test_new_recovery_codes_replace_the_old_ones() -> None:
    events = ENABLED.renew_recovery_codes(SecondProof(step=6), ("c",))

    assert events == [TotpUsed(step=6), RecoveryCodesRenewed(recovery=("c",))]
    assert given(ENABLED, *events).totp == Totp(6, ("c",))


def test_it_is_turned_off_by_a_code() -> None:
    events = ENABLED.disable_totp(SecondProof(recovery="b"))

    assert events == [RecoveryCodeUsed(code_hash="b"), TotpDisabled()]
    assert given(ENABLED, *events) == ANA
    check_refused(TotpNotEnabled, lambda: ANA.disable_totp(SecondProof(step=6)))


@QUICK
@forall(st.lists(events_of(TotpEvent), max_size=12))
def test_folding_the_second_factor_never_raises(events: list[TotpEvent]) -> None:
    assert isinstance(given(ANA, *events), User)
