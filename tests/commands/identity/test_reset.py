"""Stories of password resets: one token, once, for half an hour."""

from typing import Any
from uuid import UUID

import pytest

from commands.identity.user import PASSWORD, RequestPasswordReset, ResetPassword
from domain.base import NotFound
from domain.identity.user.address import EmailChanged
from domain.identity.user.errors import AccountDeactivated, ResetIsOver
from domain.identity.user.events import (
    EmailConfirmed,
    PasswordChanged,
    PasswordResetRequested,
    UserDeactivated,
)
from tests.commands.acme import account
from tests.domain.spec import ANA, DAN, HOUR, NOW, SECOND
from tests.spec import given, on

RESET, HASH, OTHER_HASH = UUID(int=61), "0" * 64, "1" * 64
EXPIRES_AT = NOW + HOUR
REQUESTED = PasswordResetRequested(reset_id=RESET, token_hash=HASH, expires_at=EXPIRES_AT)
ANAS = account(ANA, "Ana")
ASKED = RequestPasswordReset(user_id=ANA, reset_id=RESET, token_hash=HASH, expires_at=EXPIRES_AT)
CHOSEN = ResetPassword(user_id=ANA, token_hash=HASH, password_hash=b"hashed")


def test_a_request_holds_the_hash_of_its_token_only() -> None:
    given(ANAS).when(ASKED).then(on(ANA, REQUESTED))


def test_nobody_can_ask_for_an_account_that_is_closed_or_does_not_exist() -> None:
    given(ANAS, on(ANA, UserDeactivated())).when(ASKED).then_refused(AccountDeactivated)
    given().when(ASKED, by=DAN).then_refused(NotFound)


def test_the_token_changes_the_password_and_proves_the_address() -> None:
    done = given(ANAS, on(ANA, REQUESTED)).when(CHOSEN)

    done.then(on(ANA, PasswordChanged(), EmailConfirmed()))
    assert done.secrets[ANA] == {PASSWORD: b"hashed"}


def test_a_confirmed_address_is_not_confirmed_again() -> None:
    given(ANAS, on(ANA, EmailConfirmed(), REQUESTED)).when(CHOSEN).then(PasswordChanged())


@pytest.mark.parametrize(
    "past",
    [
        (),
        (REQUESTED, PasswordChanged()),
        (
            REQUESTED,
            PasswordResetRequested(reset_id=RESET, token_hash=OTHER_HASH, expires_at=EXPIRES_AT),
        ),
        (REQUESTED, UserDeactivated()),
        (REQUESTED, EmailChanged(from_="ana@example.com", to="ana@example.org")),
    ],
    ids=[
        "never requested",
        "password changed since",
        "newer request",
        "deactivated",
        "address changed since",
    ],
)
def test_any_other_token_is_over(past: Any) -> None:
    given(ANAS, on(ANA, *past)).when(CHOSEN).then_refused(ResetIsOver)


def test_a_token_expires() -> None:
    story = given(ANAS, on(ANA, REQUESTED))

    story.when(CHOSEN, now=EXPIRES_AT).then_refused(ResetIsOver)
    assert story.when(CHOSEN, now=EXPIRES_AT - SECOND).recorded
