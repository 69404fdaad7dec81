"""The cookie that binds a login through a provider to one browser."""

from datetime import timedelta
from uuid import UUID

import pytest

from security.oidc.attempt import (
    ATTEMPT_LIFETIME,
    SsoAttempt,
    new_state,
    nonce_of,
    read_attempt,
    sign_attempt,
    verifier_of,
)
from tests.domain.spec import NOW, SECOND

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
ATTEMPT = SsoAttempt(
    state="state-of-the-login",
    organization=UUID(int=1),
    configuration=UUID(int=2),
    session=UUID(int=3),
    return_to="https://app.example.com/",
    expires_at=int((NOW + ATTEMPT_LIFETIME).timestamp()),
)
COOKIE = sign_attempt(KEY, ATTEMPT)


def test_a_cookie_says_what_was_signed() -> None:
    assert read_attempt(KEY, COOKIE, ATTEMPT.state, NOW) == ATTEMPT
    assert ATTEMPT.began_at == int(NOW.timestamp())


@pytest.mark.parametrize("state", ["", "another", ATTEMPT.state + "x", "Zürich"])
def test_another_state_is_another_login(state: str) -> None:
    assert read_attempt(KEY, COOKIE, state, NOW) is None


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "sa1",
        "sa1..",
        COOKIE[:-1],
        COOKIE + "A",
        COOKIE.replace("sa1.", "sa2.", 1),
        COOKIE[:20] + "A" + COOKIE[21:],
        f"{COOKIE}.more",
        "sa1.Zürich.ü",
    ],
)
def test_a_forged_cookie_is_none(cookie: str) -> None:
    assert read_attempt(KEY, cookie, ATTEMPT.state, NOW) is None


def test_a_cookie_of_another_deployment_is_none() -> None:
    assert read_attempt(OTHER_KEY, COOKIE, ATTEMPT.state, NOW) is None


@pytest.mark.parametrize(
    ("after", "open_"), [(ATTEMPT_LIFETIME - SECOND, True), (ATTEMPT_LIFETIME, False)]
)
def test_a_login_takes_ten_minutes_at_most(after: timedelta, open_: bool) -> None:
    found = read_attempt(KEY, COOKIE, ATTEMPT.state, NOW + after)
    assert (found is not None) is open_


def test_nonce_and_verifier_are_different_for_each_login_and_secret() -> None:
    one, other = new_state(), new_state()
    derived = {
        f(key, s) for f in (nonce_of, verifier_of) for key in (KEY, OTHER_KEY) for s in (one, other)
    }
    assert len(derived) == 8
    assert len(verifier_of(KEY, one)) == 43  # RFC 7636, section 4.1 asks for 43 to 128
