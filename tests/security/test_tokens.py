"""Access tokens that we issued are valid until they expire."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from security.base64url import from_base64url, to_base64url
from security.tokens import (
    LEEWAY,
    LIFETIME_MAX,
    AccessTokens,
    InvalidToken,
    KeyRing,
    TokenExpired,
    thumbprint,
)

CURRENT = "the first secret of these tests, long enough"
NEXT = "the second secret of these tests, long enough"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANA, SESSION, ACME = UUID(int=0xA), UUID(int=0x5), UUID(int=0xACE)


def tokens(current: str = CURRENT, previous: str | None = None) -> AccessTokens:
    ring = KeyRing(current, previous)
    return AccessTokens(ring, issuer="https://issuer.test", audience="api")


TOKENS = tokens()


@given(user=st.uuids(), session=st.uuids(), org=st.none() | st.uuids())
def test_a_token_contains_the_claims_it_was_issued_for(
    user: UUID, session: UUID, org: UUID | None
) -> None:
    claims = TOKENS.verify(TOKENS.issue(user, session, org, NOW), NOW)

    assert (claims.sub, claims.sid, claims.org) == (user, session, org)
    assert claims.iat == NOW.timestamp()
    assert claims.exp - claims.iat == LIFETIME_MAX.total_seconds()


def test_two_tokens_never_share_an_id() -> None:
    issued = [TOKENS.issue(ANA, SESSION, ACME, NOW) for _ in range(20)]

    assert len({TOKENS.verify(token, NOW).jti for token in issued}) == 20


def test_another_library_reads_our_token_with_the_published_key() -> None:
    token = TOKENS.issue(ANA, SESSION, ACME, datetime.now(UTC))
    published = jwt.PyJWKSet.from_dict(KeyRing(CURRENT).jwks())

    kid = jwt.get_unverified_header(token)["kid"]
    claims = jwt.decode(
        token,
        published[kid],
        algorithms=["EdDSA"],
        audience="api",
        issuer="https://issuer.test",
        options={"strict_aud": True, "require": ["sub", "sid", "org", "iat", "nbf", "exp", "jti"]},
    )

    assert claims["sub"] == str(ANA)


def test_a_token_is_valid_until_the_leeway_after_its_expiry_even_if_cached() -> None:
    end = NOW + timedelta(minutes=3) + LEEWAY
    token = TOKENS.issue(ANA, SESSION, None, NOW, timedelta(minutes=3))

    TOKENS.verify(token, end - timedelta(milliseconds=1))

    with pytest.raises(TokenExpired):
        TOKENS.verify(token, end)
    with pytest.raises(TokenExpired):
        tokens().verify(token, end)


def test_a_token_from_the_future_is_not_valid_yet_even_if_cached() -> None:
    token = TOKENS.issue(ANA, SESSION, None, NOW + LEEWAY)

    TOKENS.verify(token, NOW)

    with pytest.raises(InvalidToken):
        TOKENS.verify(token, NOW - timedelta(seconds=1))


@pytest.mark.parametrize("ttl", [timedelta(0), -LIFETIME_MAX, LIFETIME_MAX + timedelta(seconds=1)])
def test_a_lifetime_outside_its_range_is_refused(ttl: timedelta) -> None:
    with pytest.raises(ValueError, match="lives"):
        TOKENS.issue(ANA, SESSION, None, NOW, ttl)


def test_a_flood_of_forged_tokens_does_not_push_out_valid_ones() -> None:
    small = AccessTokens(
        KeyRing(CURRENT), issuer="https://issuer.test", audience="api", cache_size=1
    )
    token = small.issue(ANA, SESSION, ACME, NOW)
    first = small.verify(token, NOW)

    for n in range(50):
        with pytest.raises(InvalidToken):
            small.verify(f"{token}{n}", NOW)

    assert small.verify(token, NOW) is first


class TestRotation:
    def test_tokens_of_the_previous_key_are_accepted_while_it_is_in_the_ring(self) -> None:
        old = tokens(CURRENT).issue(ANA, SESSION, ACME, NOW)

        assert tokens(NEXT, CURRENT).verify(old, NOW).sub == ANA

    def test_only_the_current_key_signs(self) -> None:
        fresh = tokens(NEXT, CURRENT).issue(ANA, SESSION, ACME, NOW)

        assert jwt.get_unverified_header(fresh)["kid"] == KeyRing(NEXT).kid

    def test_a_retired_key_is_refused_at_once(self) -> None:
        old = tokens(CURRENT).issue(ANA, SESSION, ACME, NOW)

        with pytest.raises(InvalidToken):
            tokens(NEXT).verify(old, NOW)

    def test_both_public_keys_are_published_and_no_private_ones(self) -> None:
        keys = KeyRing(NEXT, CURRENT).jwks()["keys"]

        assert [key["kid"] for key in keys] == [KeyRing(NEXT).kid, KeyRing(CURRENT).kid]
        assert all(set(key) == {"kty", "crv", "x", "kid", "use", "alg"} for key in keys)

    def test_an_upcoming_key_is_published_and_accepted_but_signs_nothing(self) -> None:
        before = KeyRing(CURRENT, upcoming=NEXT)
        ahead = tokens(NEXT, CURRENT).issue(ANA, SESSION, ACME, NOW)  # by a process ahead of us

        verifier = AccessTokens(before, issuer="https://issuer.test", audience="api")

        assert verifier.verify(ahead, NOW).sub == ANA
        assert before.kid == KeyRing(CURRENT).kid
        assert [key["kid"] for key in before.jwks()["keys"]] == [
            KeyRing(CURRENT).kid,
            KeyRing(NEXT).kid,
        ]

    def test_a_short_secret_is_refused(self) -> None:
        with pytest.raises(ValueError, match="32 bytes"):
            KeyRing("short")


def test_the_key_id_is_the_thumbprint_of_rfc_8037_appendix_a_3() -> None:
    x = from_base64url("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")

    print_of_key = thumbprint(Ed25519PublicKey.from_public_bytes(x))

    assert print_of_key == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@given(st.binary(max_size=70))
def test_base64url_accepts_only_the_canonical_spelling(raw: bytes) -> None:
    text = to_base64url(raw)

    assert from_base64url(text) == raw
    for other in (text + "=", text + "\n", "!" + text, text + "A"):
        try:
            assert from_base64url(other) != raw
        except ValueError:
            continue
