"""Challenges of the second step of a login."""

from datetime import timedelta
from uuid import UUID

import pytest

from security.challenge import CHALLENGE_LIFETIME, Challenge, mint_challenge, read_challenge
from tests.domain.spec import NOW, SECOND

KEY = b"k" * 32
ANAS = Challenge(UUID(int=1), 3)
TOKEN = mint_challenge(KEY, ANAS, NOW)


def test_a_challenge_is_good_for_five_minutes() -> None:
    assert timedelta(minutes=5) == CHALLENGE_LIFETIME
    assert read_challenge(KEY, TOKEN, NOW + CHALLENGE_LIFETIME - SECOND) == ANAS
    assert read_challenge(KEY, TOKEN, NOW + CHALLENGE_LIFETIME) is None


@pytest.mark.parametrize(
    "token",
    [
        "",
        "lc1",
        TOKEN[:-1] + ("A" if TOKEN[-1] != "A" else "B"),
        TOKEN.replace(UUID(int=1).hex, UUID(int=2).hex),
        TOKEN.replace(".3.", ".4."),
        TOKEN + ".",
    ],
)
def test_a_changed_challenge_is_none(token: str) -> None:
    assert read_challenge(KEY, token, NOW) is None


def test_a_challenge_of_another_deployment_is_none() -> None:
    assert read_challenge(b"x" * 32, TOKEN, NOW) is None
