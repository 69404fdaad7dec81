"""ID tokens of identity providers (OpenID Connect Core 1.0, section 3.1.3.7).

Slow to import; only logins through a provider need it.
"""

import warnings
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
from authlib.oidc.core.claims import CodeIDToken  # type: ignore[import-untyped]  # has no types
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError, SecurityWarning
from joserfc.jwk import KeySet, KeySetSerialization
from msgspec import Struct

LEEWAY_S = 5
"""How far the clocks of the provider and ours may differ."""

ALGORITHMS = (
    *(f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)),
    "Ed25519",
)
"""Only with a key pair: a signature by a shared key could be made with the provider's public one,
and ``none`` is no signature (RFC 8725, sections 2.1 and 3.1)."""

_PUBLIC = frozenset({"RSA", "EC", "OKP"})
_KEYS_MAX = 100


class IdTokenRefused(Exception):
    """The token is not one that this provider issued for this login; *reason* says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnknownKey(IdTokenRefused):
    """The token names a key that is not among the provider's; they may have changed."""


class Expected(Struct, frozen=True):
    """What the token has to say."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str | None = None


class _Keys(Struct, frozen=True):
    keys: list[dict[str, Any]]


def provider_keys(document: bytes) -> KeySet:
    """Return the public signing keys in a JWK set (RFC 7517).

    Keys of other kinds are left out: they verify nothing that a provider signs.

    :raises IdTokenRefused: it is none, or holds no such key.
    """
    try:
        given = msgspec.json.decode(document, type=_Keys).keys
        usable = [
            key for key in given if key.get("kty") in _PUBLIC and key.get("use", "sig") == "sig"
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # weak keys are the provider's choice
            read = KeySet.import_key_set(cast(KeySetSerialization, {"keys": usable[:_KEYS_MAX]}))
    except (msgspec.MsgspecError, RecursionError, JoseError, ValueError, TypeError, KeyError):
        raise IdTokenRefused("the provider's key set cannot be read") from None
    return read


def verified_claims(token: str, keys: KeySet, expected: Expected, now: datetime) -> dict[str, Any]:
    """Return the claims of an ID token that the provider issued for this login.

    :raises UnknownKey: its key is not among *keys*.
    :raises IdTokenRefused: it is forged, expired, or meant for another client or login.
    """
    try:
        decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            {
                "iss": {"essential": True, "value": expected.issuer},
                "aud": {"essential": True, "value": expected.client_id},
                "nonce": {"essential": True, "value": expected.nonce},
            },
            {
                "client_id": expected.client_id,
                "nonce": expected.nonce,
                "access_token": expected.access_token,
            },
        )
        claims.validate(int(now.timestamp()), LEEWAY_S)  # pyright: ignore[reportUnknownMemberType]  # has no types
    except InvalidKeyIdError:
        raise UnknownKey("its key is not among the provider's") from None
    except JoseError as error:
        raise IdTokenRefused(error.error) from None
    except (ValueError, TypeError, KeyError, RecursionError):
        raise IdTokenRefused("malformed") from None
    return dict(claims)


def auth_time(claims: dict[str, Any], now: datetime) -> datetime | None:
    """Return when the provider last asked the person who they are, if it says so; never later."""
    at = claims.get("auth_time")
    if not isinstance(at, int | float) or isinstance(at, bool) or not at >= 0:  # not a NaN either
        return None
    return datetime.fromtimestamp(min(at, now.timestamp()), UTC)
