"""The address of an account, proved by a token that only its mailbox gets."""

from datetime import timedelta
from uuid import UUID

from msgspec.structs import replace

from domain.identity.user.address import EmailChanged, EmailProofIsOver, EmailProofRequested
from domain.identity.user.errors import AccountDeactivated
from domain.identity.user.events import (
    EmailConfirmed,
    PasswordChanged,
    UserDeactivated,
    UserRegistered,
)
from domain.identity.user.state import User
from tests.domain.spec import HOUR, NOW, SECOND, check_refused, given

OLD, NEW = "ana@example.com", "ana@new.example.com"
ANA = given(User(), UserRegistered(email=OLD, name="Ana"))
OWN = EmailProofRequested(
    proof_id=UUID(int=9), email=OLD, token_hash="0" * 64, expires_at=NOW + HOUR
)
OTHER = replace(OWN, email=NEW, token_hash="1" * 64)
LAST = NOW + HOUR - SECOND


def test_the_own_address_is_confirmed_once() -> None:
    assert ANA.request_email_proof(OWN) == [OWN]
    asked = given(ANA, OWN)

    assert asked.prove_email("0" * 64, LAST) == [EmailConfirmed()]

    confirmed = given(asked, EmailConfirmed())
    check_refused(EmailProofIsOver, lambda: confirmed.prove_email("0" * 64, NOW))
    assert confirmed.request_email_proof(OWN) == []


def test_a_proved_address_replaces_the_old_one_and_is_confirmed() -> None:
    asked = given(ANA, EmailConfirmed(), OTHER)
    assert (asked.email, asked.email_confirmed) == (OLD, True)

    [changed] = asked.prove_email("1" * 64, LAST)

    assert changed == EmailChanged(from_=OLD, to=NEW)
    after = given(asked, changed)
    assert (after.email, after.email_confirmed, after.proof) == (NEW, True, None)
    check_refused(EmailProofIsOver, lambda: after.prove_email("1" * 64, NOW))


def test_a_token_is_over_if_it_is_old_replaced_or_the_password_was_changed() -> None:
    asked = given(ANA, OWN)
    check_refused(
        EmailProofIsOver,
        lambda: ANA.prove_email("0" * 64, NOW),
        lambda: asked.prove_email("1" * 64, NOW),
        lambda: asked.prove_email("0" * 64, NOW + HOUR),
        lambda: given(asked, OTHER).prove_email("0" * 64, NOW),
        lambda: given(asked, PasswordChanged()).prove_email("0" * 64, NOW),
    )
    closed = given(asked, UserDeactivated())
    check_refused(AccountDeactivated, lambda: closed.prove_email("0" * 64, NOW))
    check_refused(AccountDeactivated, lambda: closed.request_email_proof(OWN))


def test_a_confirmation_by_other_means_leaves_a_change_open() -> None:
    asked = given(ANA, OTHER, EmailConfirmed())

    assert asked.prove_email("1" * 64, NOW + timedelta(minutes=1))
