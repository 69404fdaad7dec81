"""The token of a known device: of one account, for ninety days, and not to be forged."""

from datetime import timedelta

import pytest

from security.known_device import DEVICE_LIFETIME, device_of, mint_device
from tests.domain.spec import NOW

KEY, ANA, BEN = b"k" * 32, b"a" * 32, b"b" * 32
TOKEN = mint_device(KEY, ANA, NOW)


def test_a_device_is_known_to_its_account_for_ninety_days() -> None:
    device = device_of(KEY, TOKEN, ANA, NOW)

    assert device is not None
    assert timedelta(days=90) == DEVICE_LIFETIME
    assert device_of(KEY, TOKEN, ANA, NOW + DEVICE_LIFETIME - timedelta(seconds=1)) == device
    assert device_of(KEY, TOKEN, ANA, NOW + DEVICE_LIFETIME) is None


def test_a_device_keeps_its_id_and_two_devices_differ() -> None:
    device = device_of(KEY, TOKEN, ANA, NOW)

    again = mint_device(KEY, ANA, NOW + DEVICE_LIFETIME / 2, device)

    assert device_of(KEY, again, ANA, NOW + DEVICE_LIFETIME) == device
    assert device_of(KEY, mint_device(KEY, ANA, NOW), ANA, NOW) != device


def test_a_device_is_unknown_to_other_accounts_and_keys() -> None:
    assert device_of(KEY, TOKEN, BEN, NOW) is None
    assert device_of(b"x" * 32, TOKEN, ANA, NOW) is None


@pytest.mark.parametrize("part", [1, 2, 3])
def test_a_changed_token_is_refused(part: int) -> None:
    parts = TOKEN.split(".")
    parts[part] = parts[part][:-2] + ("00" if parts[part][-2:] != "00" else "11")

    assert device_of(KEY, ".".join(parts), ANA, NOW) is None


@pytest.mark.parametrize(
    "token",
    ["", "kd1", "kd1...", "x" * 4_000, TOKEN + "A", TOKEN + "\n"],
    ids=["empty", "no parts", "empty parts", "too long", "one letter more", "with a newline"],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    assert device_of(KEY, token, ANA, NOW) is None
