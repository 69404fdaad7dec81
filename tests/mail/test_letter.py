"""A letter as a message: no name or address in it can add a header or a recipient."""

import pytest

from mail.letter import Letter, message_of
from tests.domain.spec import NOW

SENDER = "Trackrecord <no-reply@example.com>"


def test_a_message_is_the_same_at_every_attempt() -> None:
    letter = Letter(("eve@example.com",), "Hello", "Hi\n")

    first, second = (message_of(letter, SENDER, "e1", NOW).as_bytes() for _ in range(2))

    assert first == second
    assert b"Message-ID: <e1@example.com>" in first


def test_a_name_with_a_line_break_adds_no_header() -> None:
    letter = Letter(("eve@example.com",), "Acme\r\nBcc: all@example.com", "Hi\n")

    message = message_of(letter, SENDER, "e1", NOW)

    assert message["Subject"] == "Acme Bcc: all@example.com"
    assert message["Bcc"] is None


def test_an_address_with_a_comma_is_one_address() -> None:
    letter = Letter(("a@example.com,b@example.com",), "Hello", "Hi\n")

    message = message_of(letter, SENDER, "e1", NOW)

    assert len(message["To"].addresses) == 1


@pytest.mark.parametrize("address", ["", "eve", "@example.com", "eve@", "a\n@example.com"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        message_of(Letter((address,), "Hello", "Hi\n"), SENDER, "e1", NOW)
