"""Sealed values open with their own key for their own purpose, and are noise otherwise."""

import hashlib
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.sealing import (
    MasterKey,
    SealBroken,
    Sealer,
    Sealers,
    claim_id,
    commitment,
    new_data_key,
    new_salt,
    pepper_hash,
)

MASTER = MasterKey("a master secret for these tests, long")
NEXT = MasterKey("the master secret after the rotation!")
SEALER = Sealer(new_data_key())
ANA, BEN = uuid4(), uuid4()
PEPPER = b"p" * 32


@given(plain=st.binary(max_size=300), aad=st.binary(max_size=50))
def test_what_was_sealed_opens_again(plain: bytes, aad: bytes) -> None:
    assert SEALER.open(SEALER.seal(plain, aad), aad) == plain


@given(plain=st.binary(max_size=50), bit=st.integers(min_value=0))
def test_one_flipped_bit_breaks_the_seal(plain: bytes, bit: int) -> None:
    blob = bytearray(SEALER.seal(plain, b"name"))
    blob[bit // 8 % len(blob)] ^= 1 << bit % 8

    with pytest.raises(SealBroken):
        SEALER.open(bytes(blob), b"name")


@given(st.binary(max_size=60))
def test_nothing_at_random_opens(blob: bytes) -> None:
    with pytest.raises(SealBroken):
        SEALER.open(blob, b"")
    with pytest.raises(SealBroken):
        MASTER.unwrap(blob, ANA)
    with pytest.raises(SealBroken):
        Sealers(MASTER).of(blob, ANA)


def test_a_value_opens_for_no_other_purpose_and_with_no_other_key() -> None:
    blob = SEALER.seal(b"ana@example.test", b"email")

    with pytest.raises(SealBroken):
        SEALER.open(blob, b"name")
    with pytest.raises(SealBroken):
        Sealer(new_data_key()).open(blob, b"email")


def test_the_same_value_never_looks_the_same_twice() -> None:
    assert len({SEALER.seal(b"same", b"") for _ in range(50)}) == 50


@pytest.mark.parametrize("key", [b"", b"k" * 16, b"k" * 33])
def test_a_data_key_has_32_bytes(key: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer(key)


class TestMasterKey:
    @given(subject=st.uuids())
    def test_a_wrapped_key_unwraps_for_its_subject(self, subject: UUID) -> None:
        data_key = new_data_key()

        assert MASTER.unwrap(MASTER.wrap(data_key, subject), subject) == data_key

    def test_it_unwraps_for_no_other_subject_and_under_no_other_master(self) -> None:
        wrapped = MASTER.wrap(new_data_key(), ANA)

        with pytest.raises(SealBroken):
            MASTER.unwrap(wrapped, BEN)
        with pytest.raises(SealBroken):
            NEXT.unwrap(wrapped, ANA)

    @given(bit=st.integers(min_value=0))
    def test_one_flipped_bit_breaks_it(self, bit: int) -> None:
        wrapped = bytearray(MASTER.wrap(new_data_key(), ANA))
        wrapped[bit // 8 % len(wrapped)] ^= 1 << bit % 8

        with pytest.raises(SealBroken):
            MASTER.unwrap(bytes(wrapped), ANA)

    def test_the_same_secret_gives_the_same_key_after_a_restart(self) -> None:
        again = MasterKey("a master secret for these tests, long")
        data_key = new_data_key()

        assert again.unwrap(MASTER.wrap(data_key, ANA), ANA) == data_key
        assert again.key_id != NEXT.key_id

    def test_a_short_secret_makes_no_key(self) -> None:
        with pytest.raises(ValueError, match="32 bytes"):
            MasterKey("short")


class TestSealers:
    def test_one_sealer_is_kept_for_a_subject(self) -> None:
        sealers = Sealers(MASTER)
        wrapped = sealers.new(ANA)

        assert sealers.of(wrapped, ANA) is sealers.of(wrapped, ANA)

    def test_another_wrapped_key_of_the_subject_gets_another_sealer(self) -> None:
        sealers = Sealers(MASTER)
        blob = sealers.of(sealers.new(ANA), ANA).seal(b"x", b"")

        with pytest.raises(SealBroken):
            sealers.of(sealers.new(ANA), ANA).open(blob, b"")

    def test_a_remembered_sealer_is_not_given_to_another_subject(self) -> None:
        sealers = Sealers(MASTER)
        wrapped = sealers.new(ANA)
        sealers.of(wrapped, ANA)

        with pytest.raises(SealBroken):
            sealers.of(wrapped, BEN)

    def test_a_rotated_master_key_still_unwraps_and_wraps_no_more(self) -> None:
        old = Sealers(MASTER)
        wrapped = old.new(ANA)
        blob = old.of(wrapped, ANA).seal(b"x", b"")
        rotated = Sealers(NEXT, MASTER)

        assert rotated.of(wrapped, ANA).open(blob, b"") == b"x"
        NEXT.unwrap(rotated.new(BEN), BEN)
        with pytest.raises(SealBroken):
            Sealers(NEXT).of(wrapped, ANA)

    def test_the_least_recently_used_is_dropped_and_made_anew_when_asked(self) -> None:
        sealers = Sealers(MASTER, size_max=2)
        keys = {subject: sealers.new(subject) for subject in (uuid4(), uuid4(), uuid4())}
        first, second, third = keys
        kept = sealers.of(keys[first], first)
        dropped = sealers.of(keys[second], second)
        sealers.of(keys[first], first)
        sealers.of(keys[third], third)

        assert sealers.of(keys[first], first) is kept
        assert sealers.of(keys[second], second) is not dropped

    def test_a_forgotten_sealer_is_gone_from_memory(self) -> None:
        sealers = Sealers(MASTER)
        wrapped = sealers.new(ANA)
        before = sealers.of(wrapped, ANA)

        sealers.forget(ANA)
        sealers.forget(BEN)

        assert sealers.of(wrapped, ANA) is not before


def test_a_commitment_is_the_sha256_of_salt_and_value() -> None:
    salt = new_salt()

    assert commitment(salt, b"v") == "sha256:" + hashlib.sha256(salt + b"v").hexdigest()
    assert commitment(salt, b"v") != commitment(new_salt(), b"v")
    with pytest.raises(ValueError, match="16 bytes"):
        commitment(salt + b"v", b"")


def test_a_pepper_hash_tells_kinds_values_and_peppers_apart() -> None:
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


def test_the_id_of_a_claim_never_changes() -> None:
    # A golden value: another id for the same e-mail would let it be registered twice.
    golden = UUID("fee5b86e-0974-5998-933a-cbb919fc676f")

    assert claim_id(PEPPER, "email", "ana@example.test") == golden
