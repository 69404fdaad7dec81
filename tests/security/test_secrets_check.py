"""Guessable secrets are refused; random ones never are."""

import base64
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.secrets_check import weakness_of


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ("", "shorter"),
        ("secret", "shorter"),
        ("x" * 31, "shorter"),
        ("a" * 64, "repeats"),
        ("changeme" * 8, "repeats"),
        ("0123456789abcdef" * 2, "repeats"),
        ("dev-secret-" * 4 + "dev", "repeats"),
        ("abababababababababababababababababababc", "distinct"),
        ("abcdefghijklmnopqrstuvwxyz0123456789", "sequence"),
        ("98765432109876543210zyxwvutsrqponml", "sequence"),
        ("your-very-long-secret-key-change-me-in-production", "sample"),
        ("please-change-this-jwt-access-token-secret", "sample"),
        ("INSECURE_development_secret_do_not_use", "sample"),
        ("SuperSecretJWTKeyForDevelopment123!", "sample"),
    ],
)
def test_a_guessable_secret_is_refused_with_its_reason(secret: str, why: str) -> None:
    reason = weakness_of(secret)

    assert reason is not None
    assert why in reason
    assert not secret or secret not in reason


def test_random_secrets_in_common_encodings_are_accepted() -> None:
    for _ in range(500):
        raw = secrets.token_bytes(32)
        assert weakness_of(raw.hex()) is None
        assert weakness_of(base64.b64encode(raw).decode()) is None
        assert weakness_of(secrets.token_urlsafe(32)) is None
        assert weakness_of(secrets.token_hex(16)) is None


@given(st.text())
def test_the_check_accepts_any_text_without_errors(secret: str) -> None:
    weakness_of(secret)
