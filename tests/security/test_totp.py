"""Codes of authenticators, by the test vectors of RFC 6238, and recovery codes."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from security.totp import (
    PERIOD,
    RECOVERY_CODES,
    new_recovery_codes,
    new_totp_secret,
    recovery_hash,
    step_of,
    totp_uri,
)

RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
ANA, BEN = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("at", "code"),
    [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (2 * 10**9, "279037")],
)
def test_codes_are_those_of_the_standard(at: int, code: str) -> None:
    now = datetime.fromtimestamp(at, UTC)

    assert step_of(RFC_SECRET, code, now) == at // 30
    assert step_of(RFC_SECRET, code, now + PERIOD) == at // 30
    assert step_of(RFC_SECRET, code, now - PERIOD) == at // 30
    assert step_of(RFC_SECRET, code, now + 2 * PERIOD) is None


@pytest.mark.parametrize("code", ["", "000000", "abcdef", "2870820"])
def test_another_code_is_wrong(code: str) -> None:
    assert step_of(RFC_SECRET, code, datetime.fromtimestamp(59, UTC)) is None


def test_secrets_and_recovery_codes_differ_and_are_long() -> None:
    assert len({new_totp_secret() for _ in range(50)}) == 50
    assert len(new_totp_secret()) == 32
    codes = new_recovery_codes()
    assert len(set(codes)) == RECOVERY_CODES
    assert {len(code) for code in codes} == {19}


def test_a_recovery_code_can_be_typed_in_any_way_by_its_owner_only() -> None:
    [code, other, *_] = new_recovery_codes()
    known = recovery_hash(b"k", ANA, code)

    assert recovery_hash(b"k", ANA, f" {code.upper().replace('-', ' ')}") == known
    assert recovery_hash(b"k", ANA, other) != known
    assert recovery_hash(b"k", BEN, code) != known
    assert recovery_hash(b"other", ANA, code) != known


def test_the_uri_names_product_and_account() -> None:
    uri = totp_uri(RFC_SECRET, "ana@example.com")

    assert uri.startswith("otpauth://totp/Trackrecord:ana%40example.com?secret=")
    assert "issuer=Trackrecord" in uri
