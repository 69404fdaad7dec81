"""Encrypted values can be decrypted only with their key and for their purpose."""

import os
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.sealing import (
    DATA_KEY_BYTES,
    DataKeys,
    MasterKey,
    MasterKeys,
    SealBroken,
    StreamCipher,
    pepper_hash,
)


def new_data_key() -> bytes:
    return os.urandom(DATA_KEY_BYTES)


MASTER = MasterKey("a master secret for these tests, long")
NEXT = MasterKey("the master secret after the rotation!")
CIPHER = StreamCipher(new_data_key())
ANA, BEN = uuid4(), uuid4()
PEPPER = b"p" * 32


@given(plain=st.binary(max_size=300), aad=st.binary(max_size=50))
def test_a_sealed_value_can_be_opened(plain: bytes, aad: bytes) -> None:
    assert CIPHER.open(CIPHER.seal(plain, aad), aad) == plain


@given(plain=st.binary(max_size=50), bit=st.integers(min_value=0))
def test_a_sealed_value_with_a_flipped_bit_is_refused(plain: bytes, bit: int) -> None:
    blob = bytearray(CIPHER.seal(plain, b"name"))
    blob[bit // 8 % len(blob)] ^= 1 << bit % 8

    with pytest.raises(SealBroken):
        CIPHER.open(bytes(blob), b"name")


@given(st.binary(max_size=60))
def test_random_bytes_cannot_be_opened(blob: bytes) -> None:
    with pytest.raises(SealBroken):
        CIPHER.open(blob, b"")
    with pytest.raises(SealBroken):
        MASTER.unwrap(blob, ANA)
    with pytest.raises(SealBroken):
        DataKeys(MasterKeys(MASTER), PEPPER).open(blob, ANA)


def test_a_value_cannot_be_opened_for_another_purpose_or_with_another_key() -> None:
    blob = CIPHER.seal(b"ana@example.test", b"email")

    with pytest.raises(SealBroken):
        CIPHER.open(blob, b"name")
    with pytest.raises(SealBroken):
        StreamCipher(new_data_key()).open(blob, b"email")


def test_sealing_a_value_twice_gives_different_bytes() -> None:
    assert len({CIPHER.seal(b"same", b"") for _ in range(50)}) == 50


@pytest.mark.parametrize("key", [b"", b"k" * 16, b"k" * 33])
def test_a_data_key_has_32_bytes(key: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        StreamCipher(key)


class TestMasterKey:
    @given(subject=st.uuids())
    def test_a_wrapped_key_unwraps_for_its_subject(self, subject: UUID) -> None:
        data_key = new_data_key()

        assert MASTER.unwrap(MASTER.wrap(data_key, subject), subject) == data_key

    def test_a_key_cannot_be_unwrapped_for_another_subject_or_with_another_master_key(self) -> None:
        wrapped = MASTER.wrap(new_data_key(), ANA)

        with pytest.raises(SealBroken):
            MASTER.unwrap(wrapped, BEN)
        with pytest.raises(SealBroken):
            NEXT.unwrap(wrapped, ANA)

    @given(bit=st.integers(min_value=0))
    def test_a_wrapped_key_with_a_flipped_bit_is_refused(self, bit: int) -> None:
        wrapped = bytearray(MASTER.wrap(new_data_key(), ANA))
        wrapped[bit // 8 % len(wrapped)] ^= 1 << bit % 8

        with pytest.raises(SealBroken):
            MASTER.unwrap(bytes(wrapped), ANA)

    def test_the_same_secret_gives_the_same_key_after_a_restart(self) -> None:
        again = MasterKey("a master secret for these tests, long")
        data_key = new_data_key()

        assert again.unwrap(MASTER.wrap(data_key, ANA), ANA) == data_key
        assert again.key_id != NEXT.key_id

    def test_a_short_secret_is_refused(self) -> None:
        with pytest.raises(ValueError, match="32 bytes"):
            MasterKey("short")


class TestDataKeys:
    def test_a_new_data_key_can_be_opened_from_its_wrapped_form(self) -> None:
        keys = DataKeys(MasterKeys(MASTER), PEPPER)
        cipher, wrapped = keys.make(ANA)
        blob = cipher.seal(b"x", b"")

        assert keys.open(wrapped, ANA).open(blob, b"") == b"x"
        with pytest.raises(SealBroken):
            keys.open(wrapped, BEN)

    def test_two_data_keys_of_one_subject_differ(self) -> None:
        keys = DataKeys(MasterKeys(MASTER), PEPPER)
        (cipher, _), (_, other) = keys.make(ANA), keys.make(ANA)

        with pytest.raises(SealBroken):
            keys.open(other, ANA).open(cipher.seal(b"x", b""), b"")

    def test_a_rotated_master_key_still_unwraps_and_wraps_no_more(self) -> None:
        cipher, wrapped = DataKeys(MasterKeys(MASTER), PEPPER).make(ANA)
        blob = cipher.seal(b"x", b"")
        rotated = DataKeys(MasterKeys(NEXT, MASTER), PEPPER)

        assert rotated.open(wrapped, ANA).open(blob, b"") == b"x"
        NEXT.unwrap(rotated.make(BEN)[1], BEN)
        with pytest.raises(SealBroken):
            DataKeys(MasterKeys(NEXT), PEPPER).open(wrapped, ANA)

    def test_what_a_previous_master_key_wrapped_is_outdated(self) -> None:
        rotated = MasterKeys(NEXT, MASTER)
        old = MASTER.wrap(new_data_key(), ANA)

        assert rotated.is_outdated(old)
        assert not rotated.is_outdated(rotated.wrap(rotated.unwrap(old, ANA), ANA))
        assert not MasterKeys(NEXT).is_outdated(old)  # nobody here can unwrap it
        assert not rotated.is_outdated(b"$argon2id$v=19")

    def test_keys_and_nonces_come_from_the_given_random_source(self) -> None:
        asked: list[int] = []

        def source(count: int) -> bytes:
            asked.append(count)
            return os.urandom(count)

        cipher, _ = DataKeys(MasterKeys(MASTER), PEPPER, random=source).make(ANA)
        cipher.seal(b"x", b"")

        assert asked == [DATA_KEY_BYTES, 12, 12]  # the key, its wrapping, the sealed value


def test_a_pepper_hash_depends_on_kind_value_and_pepper() -> None:
    hashes = {
        pepper_hash(PEPPER, "email", "a@b.test"),
        pepper_hash(PEPPER, "subdomain", "a@b.test"),
        pepper_hash(PEPPER, "email", "A@b.test"),
        pepper_hash(b"q" * 32, "email", "a@b.test"),
    }

    assert len(hashes) == 4
    assert pepper_hash(PEPPER, "email", "a@b.test") in hashes
    with pytest.raises(ValueError, match="NUL"):
        pepper_hash(PEPPER, "email\0a", "b")


def test_an_address_is_found_again_by_its_fingerprint() -> None:
    # A golden value: another one for the same e-mail would let it be registered twice.
    golden = "d20a1b1e64601cd70e4760e91b37184b2e2009dbbf0b3bdcab15434313afb2f6"

    assert (
        DataKeys(MasterKeys(MASTER), PEPPER).fingerprint("email", "ana@example.test").hex()
        == golden
    )
