"""Forged access tokens are refused as ``InvalidToken`` without any other error."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from security.tokens import AccessTokens, InvalidToken, KeyRing, TokenExpired

RING = KeyRing("the only secret of these tests, long enough")
TOKENS = AccessTokens(RING, issuer="https://issuer.test", audience="api")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
HEADER: dict[str, object] = {"alg": "EdDSA", "typ": "at+jwt", "kid": RING.kid}
CLAIMS: dict[str, object] = {
    "iss": "https://issuer.test",
    "aud": "api",
    "sub": str(UUID(int=0xF)),
    "sid": str(UUID(int=0xF)),
    "org": str(UUID(int=0xF)),
    "iat": NOW_S,
    "nbf": NOW_S,
    "exp": NOW_S + 900,
    "jti": str(UUID(int=0xF)),
}
NOT_TEXT: list[object] = [None, 1, ["x"], {}, True]
NOT_NUMBERS: list[object] = [None, True, NOW_S + 0.5, [NOW_S], {}, -1, 2**53 + 1, 1e300]
STRANGER = Ed25519PrivateKey.generate()
RAW, PEM = (
    RING.signing_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw),
    RING.signing_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
)


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def raw_token(
    header: bytes,
    payload: bytes,
    sign: Callable[[bytes], bytes] = RING.signing_key.sign,
) -> str:
    signed = f"{b64(header)}.{b64(payload)}"
    return f"{signed}.{b64(sign(signed.encode()))}"


def token(
    header: dict[str, object] | None = None,
    claims: dict[str, object] | None = None,
    sign: Callable[[bytes], bytes] = RING.signing_key.sign,
) -> str:
    """Return a token signed with our own key, or with *sign*."""
    return raw_token(
        json.dumps(HEADER if header is None else header).encode(),
        json.dumps(CLAIMS if claims is None else claims).encode(),
        sign,
    )


def hs256(key: bytes) -> Callable[[bytes], bytes]:
    return lambda signed: hmac.digest(key, signed, hashlib.sha256)


GOOD = token()
HEAD, BODY, SIGNATURE = GOOD.split(".")


def forged_headers() -> Iterator[tuple[str, str]]:
    for alg in ("none", "None", "nOnE", ""):
        unsigned = token({**HEADER, "alg": alg}).rpartition(".")[0]
        yield f"alg {alg!r} without signature", f"{unsigned}."
        yield f"alg {alg!r} with our signature", token({**HEADER, "alg": alg})
    for name, key in (("raw", RAW), ("pem", PEM), ("kid", RING.kid.encode()), ("empty", b"")):
        header: dict[str, object] = {**HEADER, "alg": "HS256"}
        yield f"HS256 with the public key as secret, {name}", token(header, sign=hs256(key))
    for alg in ("Ed25519", "ES256", "RS256", "eddsa", "HS512"):
        yield f"alg {alg}", token({**HEADER, "alg": alg})
    public = b64(STRANGER.public_key().public_bytes_raw())
    own_jwk = {"kty": "OKP", "crv": "Ed25519", "x": public}
    extras: dict[str, object] = {
        "jku": "https://evil.test/jwks.json",
        "jwk": own_jwk,
        "x5u": "https://evil.test/cert.pem",
        "x5c": ["MIIB"],
        "crit": ["exp"],
        "b64": False,
        "zip": "DEF",
        "cty": "JWT",
    }
    for name, value in extras.items():
        yield f"extra header {name}", token({**HEADER, name: value})
        yield f"extra header {name}, own key", token({**HEADER, name: value}, sign=STRANGER.sign)
    yield "b64 false and crit", token({**HEADER, "b64": False, "crit": ["b64"]})
    for name in HEADER:
        yield f"no {name}", token({key: HEADER[key] for key in HEADER if key != name})
        for value in NOT_TEXT:
            yield f"{name} is {value!r}", token({**HEADER, name: value})
    for typ in ("JWT", "at+JWT", "application/at+jwt", "rt+jwt", "refresh", ""):
        yield f"typ {typ!r}", token({**HEADER, "typ": typ})
    for kid in ("", "0", RING.kid + "x", "../../dev/null", "' OR 1=1 --", "\x00", "a" * 1000):
        yield f"kid {kid[:20]!r}", token({**HEADER, "kid": kid})
    yield "another key", token(sign=STRANGER.sign)


def forged_claims() -> Iterator[tuple[str, str]]:
    for name in CLAIMS:
        yield f"no {name}", token(claims={key: CLAIMS[key] for key in CLAIMS if key != name})
    for name in ("iss", "aud", "sub", "sid", "jti"):
        for value in (*NOT_TEXT, [CLAIMS[name]], "", "other"):
            yield f"{name} is {value!r}", token(claims={**CLAIMS, name: value})
    for value in (*NOT_TEXT[1:], "", "other", False):
        yield f"org is {value!r}", token(claims={**CLAIMS, "org": value})
    for name in ("iat", "nbf", "exp"):
        for value in (str(CLAIMS[name]), *NOT_NUMBERS):
            yield f"{name} is {value!r}", token(claims={**CLAIMS, name: value})
    yield "aud is a list with ours", token(claims={**CLAIMS, "aud": ["api", "other"]})
    yield "issuer with a slash", token(claims={**CLAIMS, "iss": "https://issuer.test/"})
    yield "lives too long", token(claims={**CLAIMS, "exp": NOW_S + 901})
    yield "ends before it begins", token(claims={**CLAIMS, "exp": NOW_S - 1})
    yield "ends as it begins", token(claims={**CLAIMS, "exp": NOW_S})
    yield "future iat", token(claims={**CLAIMS, "iat": NOW_S + 6})
    yield "future nbf", token(claims={**CLAIMS, "nbf": NOW_S + 6})
    later = {"iat": NOW_S + 6, "nbf": NOW_S + 6}
    yield "future iat and nbf", token(claims={**CLAIMS, **later})
    old = {"iat": NOW_S - 1000, "nbf": NOW_S - 1000, "exp": NOW_S - 100}
    yield "expired", token(claims={**CLAIMS, **old})
    yield "unknown claim", token(claims={**CLAIMS, "role": "ADMIN"})
    head = json.dumps(HEADER).encode()
    for payload in (b"", b"null", b"[]", b"1", b'"x"', b"{", b"\xff\xfe", b"[" * 500, b"NaN"):
        yield f"payload {payload[:8]!r}", raw_token(head, payload)
    huge = json.dumps(CLAIMS).replace(f'"exp": {NOW_S + 900}', '"exp": ' + "9" * 900).encode()
    yield "exp of 900 digits", raw_token(head, huge)


def forged_spellings() -> Iterator[tuple[str, str]]:
    for text in ("", ".", "..", "...", "a.b.c", "null", "Bearer x", "\x00", "\ud800", "💥.💥.💥"):
        yield f"nonsense {text!r}", text
    yield "two segments", f"{HEAD}.{BODY}"
    yield "four segments", f"{GOOD}.{SIGNATURE}"
    yield "detached payload", f"{HEAD}..{SIGNATURE}"
    yield "no signature", f"{HEAD}.{BODY}."
    yield "truncated", GOOD[:-1]
    yield "half", GOOD[: len(GOOD) // 2]
    yield "leading space", f" {GOOD}"
    yield "trailing newline", f"{GOOD}\n"
    yield "padded signature", f"{GOOD}=="
    yield "padded header", f"{HEAD}=.{BODY}.{SIGNATURE}"
    yield "junk in the signature", f"{HEAD}.{BODY}.!{SIGNATURE}"
    yield "junk in the header", f"!{HEAD}.{BODY}.{SIGNATURE}"
    yield "spare bits of the signature", GOOD[:-1] + chr(ord(GOOD[-1]) + 1)
    yield "zero signature", f"{HEAD}.{BODY}.{b64(bytes(64))}"
    yield "non-ASCII", f"{HEAD}.{BODY}é.{SIGNATURE}"
    yield "lone surrogate", f"{HEAD}.{BODY}\ud800.{SIGNATURE}"
    yield "fullwidth", f"{HEAD}.{BODY}.\uff21{SIGNATURE}"
    yield "huge", "a" * 1_000_000
    yield "huge body", f"{HEAD}.{'A' * 100_000}.{SIGNATURE}"
    for header in (b"[" * 900, b'{"alg":' * 150, b"\xff", b"", b"null", b"[]", b"{}", b"{" * 900):
        yield f"header {header[:8]!r}", raw_token(header, json.dumps(CLAIMS).encode())


FORGERIES = [*forged_headers(), *forged_claims(), *forged_spellings()]


def test_the_forger_can_make_a_valid_token() -> None:
    assert str(TOKENS.verify(GOOD, NOW).sub) == CLAIMS["sub"]


@pytest.mark.parametrize("forged", [f for _, f in FORGERIES], ids=[name for name, _ in FORGERIES])
def test_a_forged_token_is_refused(forged: str) -> None:
    with pytest.raises(InvalidToken):
        TOKENS.verify(forged, NOW)


def test_only_an_authentic_token_is_refused_as_expired() -> None:
    old = {**CLAIMS, "iat": NOW_S - 1000, "nbf": NOW_S - 1000, "exp": NOW_S - 100}

    with pytest.raises(TokenExpired):
        TOKENS.verify(token(claims=old), NOW)
    with pytest.raises(InvalidToken) as refusal:
        TOKENS.verify(token(claims=old, sign=STRANGER.sign), NOW)
    assert refusal.type is InvalidToken


@given(at=st.integers(0, len(GOOD) - 1), put=st.characters())
def test_a_token_with_any_changed_character_is_refused(at: int, put: str) -> None:
    changed = GOOD[:at] + put + GOOD[at + 1 :]

    if changed != GOOD:
        with pytest.raises(InvalidToken):
            TOKENS.verify(changed, NOW)


@given(st.text() | st.lists(st.binary(max_size=40).map(b64), max_size=4).map(".".join))
def test_random_text_is_refused_without_other_errors(text: str) -> None:
    with pytest.raises(InvalidToken):
        TOKENS.verify(text, NOW)
