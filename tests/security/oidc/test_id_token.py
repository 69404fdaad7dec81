"""ID tokens: those of the provider for this login are accepted, and no others."""

import base64
import hmac
import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from security.oidc.id_token import (
    ALGORITHMS,
    Expected,
    IdTokenRefused,
    UnknownKey,
    auth_time,
    provider_keys,
    verified_claims,
)
from tests.domain.spec import NOW

AT = int(NOW.timestamp())
ISSUER, CLIENT, NONCE = "https://id.example.com", "us", "nonce-of-the-login"
EXPECTED = Expected(ISSUER, CLIENT, NONCE)
KEY = ECKey.generate_key("P-256", parameters={"kid": "k"})
RSA = RSAKey.generate_key(2048, parameters={"kid": "r"})
ED = OKPKey.generate_key("Ed25519", parameters={"kid": "e"})
STRANGER = ECKey.generate_key("P-256", parameters={"kid": "k"})
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": CLIENT,
    "sub": "dan",
    "iat": AT,
    "exp": AT + 300,
    "nonce": NONCE,
}


def published(*keys: Any) -> KeySet:
    return provider_keys(json.dumps(KeySet([*keys]).as_dict(private=False)).encode())


KEYS = published(KEY, RSA, ED)


def token(key: Any = KEY, alg: str = "ES256", header: Any = None, **changes: Any) -> str:
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    head = {"alg": alg, "kid": key.kid} if header is None else header
    return jwt.encode(head, claims, key, algorithms=[alg])


def unsigned(header: dict[str, Any], signature: str = "") -> str:
    parts = [json.dumps(part).encode() for part in (header, CLAIMS)]
    encoded = [base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, signature])


@pytest.mark.parametrize(
    ("key", "alg"), [(KEY, "ES256"), (RSA, "RS256"), (RSA, "PS512"), (ED, "Ed25519")]
)
def test_a_token_of_the_provider_is_accepted(key: Any, alg: str) -> None:
    assert verified_claims(token(key, alg), KEYS, EXPECTED, NOW)["sub"] == "dan"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example.net"},
        {"iss": ISSUER + "/"},
        {"iss": None},
        {"aud": "another client"},
        {"aud": ["another client"]},
        {"aud": [CLIENT, "another client"]},  # without azp
        {"aud": [CLIENT, "another client"], "azp": "another client"},
        {"aud": None},
        {"azp": "another client"},
        {"sub": None},
        {"sub": 5},
        {"exp": AT - 6},
        {"exp": str(AT + 300)},
        {"exp": None},
        {"iat": AT + 60},
        {"iat": None},
        {"nbf": AT + 60},
        {"nonce": "of another login"},
        {"nonce": None},
        {"nonce": ""},
    ],
    ids=str,
)
def test_a_token_for_something_else_is_refused(changes: Any) -> None:
    with pytest.raises(IdTokenRefused):
        verified_claims(token(**changes), KEYS, EXPECTED, NOW)


def test_two_audiences_are_accepted_if_we_are_the_one_that_asked() -> None:
    verified_claims(token(aud=[CLIENT, "another"], azp=CLIENT), KEYS, EXPECTED, NOW)


def test_the_clocks_may_differ_by_five_seconds() -> None:
    verified_claims(token(exp=AT - 4), KEYS, EXPECTED, NOW)


def test_a_token_that_names_another_access_token_is_refused() -> None:
    expected = Expected(ISSUER, CLIENT, NONCE, "the access token")
    with pytest.raises(IdTokenRefused):
        verified_claims(token(at_hash="AAAA"), KEYS, expected, NOW)


@pytest.mark.parametrize(
    "forged",
    [
        unsigned({"alg": "none"}),
        unsigned({"alg": "none", "kid": "k"}),
        unsigned({"alg": "None", "kid": "k"}, "AAAA"),
        unsigned({"kid": "k"}),
        unsigned({"alg": "ES256", "kid": "k"}),
        unsigned({"alg": "ES256", "kid": "k"}, "AAAA"),
        token()[:-4] + "AAAA",
        token(STRANGER),
        "",
        ".",
        "..",
        "a.b.c",
        "a.b.c.d.e",
        "Zürich",
        "[" * 100_000,
    ],
)
def test_a_forged_token_is_refused(forged: str) -> None:
    with pytest.raises(IdTokenRefused):
        verified_claims(forged, KEYS, EXPECTED, NOW)


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_the_public_key_is_no_shared_secret(alg: str) -> None:
    said = unsigned({"alg": alg, "kid": "r"}).rstrip(".")
    mac = hmac.digest(RSA.as_pem(private=False), said.encode(), f"sha{alg[2:]}")
    forged = f"{said}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"

    with pytest.raises(IdTokenRefused):
        verified_claims(forged, KEYS, EXPECTED, NOW)
    assert not [name for name in ALGORITHMS if name.startswith("HS") or name == "none"]


def test_a_key_in_the_token_proves_nothing() -> None:
    header = {"alg": "ES256", "jwk": STRANGER.as_dict(private=False)}
    with pytest.raises(IdTokenRefused):
        verified_claims(token(STRANGER, header=header), published(KEY), EXPECTED, NOW)


def test_a_key_that_is_not_known_is_told_apart() -> None:
    with pytest.raises(UnknownKey):
        verified_claims(token(), published(RSA), EXPECTED, NOW)
    with pytest.raises(UnknownKey):
        verified_claims(token(header={"alg": "ES256"}), KEYS, EXPECTED, NOW)


def test_the_only_key_needs_no_name() -> None:
    verified_claims(token(header={"alg": "ES256"}), published(KEY), EXPECTED, NOW)


def test_keys_that_sign_nothing_are_left_out() -> None:
    document = {
        "keys": [
            {"kty": "oct", "k": "c2VjcmV0", "kid": "k"},
            {**STRANGER.as_dict(private=False), "use": "enc"},
            {"kty": "ML-DSA", "kid": "future"},
            KEY.as_dict(private=False),
        ]
    }
    keys = provider_keys(json.dumps(document).encode())
    verified_claims(token(), keys, EXPECTED, NOW)
    assert len(keys.keys) == 1


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys": []}',
        b'{"keys": [1]}',
        b'{"keys": [{"kty": "EC"}]}',
        b'{"keys": [{"kty": "RSA", "n": 5, "e": 1}]}',
        b'{"keys": ' + b"[" * 100_000,
        b"\xff",
    ],
)
def test_what_is_no_key_set_is_refused(document: bytes) -> None:
    with pytest.raises(IdTokenRefused):
        provider_keys(document)


@pytest.mark.parametrize("at", [None, "now", True, -1, float("nan")])
def test_an_odd_auth_time_is_none(at: Any) -> None:
    assert auth_time({"auth_time": at}, NOW) is None


def test_the_person_was_asked_when_the_provider_says_but_never_later_than_now() -> None:
    found = auth_time({"auth_time": AT - 60}, NOW)
    assert found is not None
    assert (NOW - found).total_seconds() == 60
    assert auth_time({"auth_time": AT + 9_999}, NOW) == NOW
