"""Refresh tokens: always computed the same, and only with our key."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.refresh import GENERATION_MAX, authentic, mint, parse

KEY, NONCE, FAMILY = b"k" * 32, b"n" * 16, UUID(int=0xFA)
OTHER_FAMILY = UUID(int=0xFB)
TOKEN = mint(KEY, FAMILY, 7, NONCE)
MAC = TOKEN.rpartition(".")[2]


@given(family=st.uuids(), generation=st.integers(0, GENERATION_MAX), nonce=st.binary(max_size=32))
def test_a_minted_token_is_parsed_and_authentic(
    family: UUID, generation: int, nonce: bytes
) -> None:
    minted = mint(KEY, family, generation, nonce)
    token = parse(minted)

    assert token is not None
    assert (token.family, token.generation) == (family, generation)
    assert authentic(KEY, token, nonce)
    assert mint(KEY, family, generation, nonce) == minted


def test_a_token_is_not_authentic_with_another_key_or_nonce() -> None:
    token = parse(TOKEN)

    assert token is not None
    assert authentic(KEY, token, NONCE)
    assert not authentic(bytes(32), token, NONCE)
    assert not authentic(KEY, token, bytes(16))


@pytest.mark.parametrize(
    "place", [f"{OTHER_FAMILY}.7", f"{FAMILY}.8", f"{FAMILY}.6", f"{FAMILY}.77"]
)
def test_a_token_relabelled_for_another_family_or_generation_is_not_authentic(place: str) -> None:
    relabelled = parse(f"rt1.{place}.{MAC}")

    assert relabelled is not None
    assert not authentic(KEY, relabelled, NONCE)


@given(at=st.integers(0, len(TOKEN) - 1), put=st.characters())
def test_a_changed_token_is_malformed_or_not_authentic(at: int, put: str) -> None:
    changed = TOKEN[:at] + put + TOKEN[at + 1 :]
    token = parse(changed)

    assert changed == TOKEN or token is None or not authentic(KEY, token, NONCE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rt1...",
        f"rt2.{FAMILY}.7.{MAC}",
        f"rt1.{str(FAMILY).upper()}x.7.{MAC}",
        f"rt1.{FAMILY.hex}.7.{MAC}",
        f"rt1.{FAMILY}.07.{MAC}",
        f"rt1.{FAMILY}.-7.{MAC}",
        f"rt1.{FAMILY}.\u0667.{MAC}",
        f"rt1.{FAMILY}.{GENERATION_MAX + 1}.{MAC}",
        f"rt1.{FAMILY}.7.{MAC}=",
        f"rt1.{FAMILY}.7.{MAC[:-1]}",
        f"rt1.{FAMILY}.7.{MAC[:-1]}{chr(ord(MAC[-1]) + 1)}",
        f"{TOKEN}\n",
        f" {TOKEN}",
        "a" * 1_000_000,
    ],
)
def test_only_the_exact_spelling_is_a_refresh_token(text: str) -> None:
    assert parse(text) is None


@given(st.text())
def test_random_text_is_refused_without_other_errors(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize("generation", [-1, GENERATION_MAX + 1])
def test_a_generation_outside_its_range_is_refused(generation: int) -> None:
    with pytest.raises(ValueError, match="32-bit"):
        mint(KEY, FAMILY, generation, NONCE)
