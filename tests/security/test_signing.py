"""Webhook signatures, checked against published vectors and another library."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from security.signing import SECRET_BYTES, new_secret, sign


class Vector(msgspec.Struct):
    """One line of ``vectors/webhooks.json``."""

    scheme: str
    secret: str
    id: str
    body: str
    source: str
    timestamp: int = 0
    signature: str | None = None
    invalid_signature: str | None = None
    public: str | None = None


VECTORS = msgspec.json.decode(
    Path(__file__).with_name("vectors").joinpath("webhooks.json").read_bytes(), type=list[Vector]
)


@pytest.mark.parametrize("vector", [v for v in VECTORS if v.signature], ids=lambda v: v.scheme)
def test_signatures_equal_the_published_vectors(vector: Vector) -> None:
    headers = sign([vector.secret], vector.id, vector.timestamp, vector.body.encode())

    assert headers["webhook-signature"] == vector.signature


@pytest.mark.parametrize("vector", [v for v in VECTORS if v.public], ids=lambda v: v.scheme)
def test_the_published_public_key_verifies_our_asymmetric_signature(vector: Vector) -> None:
    headers = sign([vector.secret], vector.id, vector.timestamp, vector.body.encode())

    assert vector.public is not None
    public = base64.b64decode(vector.public.removeprefix("whpk_"))
    proof = base64.b64decode(headers["webhook-signature"].removeprefix("v1a,"))
    signed = f"{vector.id}.{vector.timestamp}.{vector.body}".encode()
    Ed25519PublicKey.from_public_bytes(public).verify(proof, signed)


@pytest.mark.parametrize("vector", [v for v in VECTORS if v.invalid_signature])
def test_a_wrong_published_signature_is_refused_by_us_and_the_library(vector: Vector) -> None:
    now = int(datetime.now(UTC).timestamp())
    headers = sign([vector.secret], vector.id, now, vector.body.encode())
    assert vector.invalid_signature is not None

    Webhook(vector.secret).verify(vector.body, headers)

    assert headers["webhook-signature"] != vector.invalid_signature
    with pytest.raises(WebhookVerificationError):
        Webhook(vector.secret).verify(
            vector.body, {**headers, "webhook-signature": vector.invalid_signature}
        )


def test_every_published_vector_is_tested() -> None:
    assert len(VECTORS) == 3
    assert all(v.signature or v.public or v.invalid_signature for v in VECTORS)


@given(body=st.dictionaries(st.text(), st.text() | st.integers()), old=st.booleans())
def test_a_receiver_with_either_valid_secret_accepts_us(body: dict[str, object], old: bool) -> None:
    secrets = [new_secret(), new_secret()]
    raw = json.dumps(body)
    now = int(datetime.now(UTC).timestamp())

    headers = sign(secrets, "msg_1", now, raw.encode())

    assert Webhook(secrets[old]).verify(raw, headers) == body
    assert set(headers) == {"webhook-id", "webhook-timestamp", "webhook-signature"}


@pytest.mark.parametrize("change", ["body", "id", "timestamp", "secret"])
def test_a_receiver_refuses_any_change(change: str) -> None:
    secret, now = new_secret(), int(datetime.now(UTC).timestamp())
    headers = sign([secret], "msg_1", now, b'{"a":1}')
    if change == "id":
        headers["webhook-id"] = "msg_2"
    if change == "timestamp":
        headers["webhook-timestamp"] = str(now + 1)

    receiver = Webhook(new_secret() if change == "secret" else secret)

    with pytest.raises(WebhookVerificationError):
        receiver.verify('{"a":2}' if change == "body" else '{"a":1}', headers)


def test_a_new_secret_is_32_random_bytes() -> None:
    secrets = {new_secret() for _ in range(20)}

    assert len(secrets) == 20
    assert {len(base64.b64decode(s.removeprefix("whsec_"))) for s in secrets} == {SECRET_BYTES}


@pytest.mark.parametrize("message_id", ["", "a.b", "a b", "a\r\nx: y", "é", "a" * 256])
def test_an_ambiguous_message_id_is_refused(
    message_id: str,
) -> None:
    with pytest.raises(ValueError, match="message id"):
        sign([new_secret()], message_id, 0, b"")


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "whsec_c2hvcnQ=", "whsec_" + "!" * 44, "plain", "whsec_" + "QUFB" * 30, "whsk_"],
)
def test_a_malformed_secret_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="webhook secret"):
        sign([secret], "msg_1", 0, b"")


def test_nothing_is_sent_unsigned() -> None:
    with pytest.raises(ValueError, match="there is no secret to sign with"):
        sign([], "msg_1", 0, b"")
