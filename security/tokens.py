"""Access tokens: JWTs (RFC 7519) of exactly one kind, signed with Ed25519.

A token leaves no choices to its sender: one algorithm, keys from our own ring selected by ``kid``,
the ``at+jwt`` type of RFC 9068, every claim required and of its exact type. A token says only who
logged in and until when it is valid; whether the session is still active is for the caller to
check.
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Literal, cast
from uuid import UUID, uuid4

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from jwt.api_jws import PyJWS

from security.base64url import from_base64url, to_base64url
from security.derivation import derive_key

ALGORITHM: Literal["EdDSA"] = "EdDSA"
TOKEN_TYPE: Literal["at+jwt"] = "at+jwt"  # noqa: S105 - a media type (RFC 9068, section 2.1)
TOKEN_CHARS_MAX = 2048
"""Ours have about 550; longer ones are not decoded."""

LIFETIME_MAX = timedelta(minutes=15)
LEEWAY = timedelta(seconds=5)
"""How far the clocks of two servers may differ."""

CACHE_SIZE = 10_000
"""Verified tokens kept in memory: about 14 MB, saves 0.1 to 0.3 ms per request."""

Seconds = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""A NumericDate (RFC 7519, section 2), whole and within JSON's exact integers."""


class InvalidToken(Exception):
    """This is not one of our access tokens, or it is not valid now."""


class TokenExpired(InvalidToken):
    """This is one of our access tokens, but it has expired."""


class AccessClaims(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The claims of an access token: the user, the session and the organization they act for."""

    iss: str
    aud: str
    sub: UUID  # the user
    sid: UUID  # the session
    org: UUID | None  # None before an organization is chosen
    gen: int = 0  # the generation of the refresh token issued with it
    iat: Seconds
    nbf: Seconds
    exp: Seconds
    jti: UUID

    def ends_at(self) -> datetime:
        """Return when we accept the token no longer."""
        return datetime.fromtimestamp(self.exp, UTC) + LEEWAY


class _Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole header. Any other member (jku, jwk, x5u, crit, b64, zip) is an attack."""

    alg: Literal["EdDSA"]
    typ: Literal["at+jwt"]
    kid: str


def thumbprint(public: Ed25519PublicKey) -> str:
    """Return the SHA-256 thumbprint (RFC 7638) of an Ed25519 key (RFC 8037, appendix A.3)."""
    x = to_base64url(public.public_bytes_raw())
    canonical = f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'
    return to_base64url(hashlib.sha256(canonical.encode("ascii")).digest())


class KeyRing:
    """The signing key and, during a rotation, its predecessor and its successor, which only verify.

    All are derived from configured secrets of at least 32 bytes. A ring never changes: to rotate
    or retire a key, build another ring. The successor is published before any process signs with
    it, so that processes and others who verify know it in time.
    """

    def __init__(
        self, current: str, previous: str | None = None, upcoming: str | None = None
    ) -> None:
        self.signing_key = self._private(current)
        self.kid = thumbprint(self.signing_key.public_key())
        secrets = [secret for secret in (current, upcoming, previous) if secret]
        publics = [self._private(secret).public_key() for secret in secrets]
        self._public = {thumbprint(public): public for public in publics}

    def public_key(self, kid: str) -> Ed25519PublicKey | None:
        """Return the key with that id; None if it is not, or no longer, ours."""
        return self._public.get(kid)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the public keys as a JWK Set (RFC 7517, section 5), the current one first."""
        return {
            "keys": [
                {
                    "kty": "OKP",
                    "crv": "Ed25519",
                    "x": to_base64url(public.public_bytes_raw()),
                    "kid": kid,
                    "use": "sig",
                    "alg": ALGORITHM,
                }
                for kid, public in self._public.items()
            ]
        }

    @staticmethod
    def _private(secret: str) -> Ed25519PrivateKey:
        seed = derive_key(secret, "trackrecord access token Ed25519 v1")
        return Ed25519PrivateKey.from_private_bytes(seed)


class AccessTokens:
    """Issues access tokens and verifies them."""

    def __init__(
        self,
        ring: KeyRing,
        *,
        issuer: str,
        audience: str,
        lifetime_max: timedelta = LIFETIME_MAX,
        cache_size: int = CACHE_SIZE,
    ) -> None:
        self._ring = ring
        self._issuer = issuer
        self._audience = audience
        self._lifetime_max_s = int(lifetime_max.total_seconds())
        self._leeway_s = LEEWAY.total_seconds()
        self._jws = PyJWS(algorithms=[ALGORITHM])
        self._headers = msgspec.json.Decoder(_Header)
        self._claims = msgspec.json.Decoder(AccessClaims)
        # Only what time cannot change is remembered, and refusals never are: forged tokens cannot
        # push good ones out.
        self._authentic: Callable[[str], AccessClaims] = lru_cache(cache_size)(self._authenticate)

    def issue(  # noqa: PLR0913, PLR0917 - what a token is about, and when
        self,
        user_id: UUID,
        session_id: UUID,
        org_id: UUID | None,
        now: datetime,
        ttl: timedelta = LIFETIME_MAX,
        generation: int = 0,
    ) -> str:
        """Return a token that is valid from *now* on for *ttl*, in whole seconds.

        *generation* is that of the refresh token that is issued with it.

        :raises ValueError: *ttl* is shorter than a second or longer than the maximum.
        """
        lifetime_s = int(ttl.total_seconds())
        if not 0 < lifetime_s <= self._lifetime_max_s:
            raise ValueError(f"an access token lives 1 to {self._lifetime_max_s} s")
        issued_at = int(now.timestamp())
        claims = AccessClaims(
            iss=self._issuer,
            aud=self._audience,
            sub=user_id,
            sid=session_id,
            org=org_id,
            gen=generation,
            iat=issued_at,
            nbf=issued_at,
            exp=issued_at + lifetime_s,
            jti=uuid4(),
        )
        headers = {"typ": TOKEN_TYPE, "kid": self._ring.kid}
        payload = msgspec.json.encode(claims)
        return self._jws.encode(payload, self._ring.signing_key, ALGORITHM, headers)

    def verify(self, token: str, now: datetime) -> AccessClaims:
        """Return the claims of *token*, if we issued it and it is valid at *now* (aware).

        :raises TokenExpired: it is ours and has expired.
        :raises InvalidToken: anything else is wrong with it.
        """
        if len(token) > TOKEN_CHARS_MAX:
            raise InvalidToken
        claims = self._authentic(token)
        at = now.timestamp()
        if at >= claims.exp + self._leeway_s:
            raise TokenExpired
        if at + self._leeway_s < claims.nbf:
            raise InvalidToken
        return claims

    def _authenticate(self, token: str) -> AccessClaims:
        """Return the claims of a token that we signed and would have issued in this form."""
        try:
            header = self._headers.decode(from_base64url(token.partition(".")[0]))
            key = self._ring.public_key(header.kid)
            if key is None:
                raise InvalidToken
            payload = cast("bytes", self._jws.decode(token, key, [ALGORITHM]))
            claims = self._claims.decode(payload)
        except (jwt.PyJWTError, ValueError):
            raise InvalidToken from None
        # PyJWT also reads a padded signature: a second spelling of one token.
        if "=" in token or not self._is_as_issued(claims):
            raise InvalidToken
        return claims

    def _is_as_issued(self, claims: AccessClaims) -> bool:
        return (
            claims.iss == self._issuer
            and claims.aud == self._audience
            and claims.nbf == claims.iat
            and 0 < claims.exp - claims.iat <= self._lifetime_max_s
        )
