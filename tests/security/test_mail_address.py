"""What can be an e-mail address, and the one form of each."""

import pytest

from security.mail_address import canonical_address, is_address


@pytest.mark.parametrize(
    "email",
    [
        "ana@example.com",
        "Ana.B+tag@EXAMPLE.com.",
        "ana@bücher.example",
        "ana@xn--bcher-kva.example",
        "用户@例子.example",
        "o'neill_{x}@a-b.example.co.uk",
        " ana@example.com ",
        "1@1.example",
    ],
)
def test_an_address_is_taken(email: str) -> None:
    assert is_address(email)


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ana",
        "@example.com",
        "ana@",
        "ana@localhost",
        "ana@example..com",
        "ana@.example.com",
        "ana@-example.com",
        "ana@exam ple.com",
        "ana@127.0.0.1",
        "ana@[127.0.0.1]",
        "ana@[IPv6:::1]",
        '"ana"@example.com',
        "\uff02ana\uff02@example.com",
        '"a@b"@example.com',
        "a@b@example.com",
        "a..b@example.com",
        ".a@example.com",
        "a.@example.com",
        "a b@example.com",
        "a\u00a0b@example.com",
        "a\nb@example.com",
        "a\u200bb@example.com",
        "Ana <ana@example.com>",
        "ana@example.com,ben@example.com",
        "ana(comment)@example.com",
        "ana@exa_mple.com",
    ],
)
def test_what_is_no_address_or_another_spelling_of_one_is_refused(email: str) -> None:
    assert not is_address(email)


@pytest.mark.parametrize(
    "email", ["ana@bücher.example.", "\uff21\uff2e\uff21@xn--BCHER-kva.example"]
)
def test_spellings_of_one_address_have_one_form(email: str) -> None:
    assert canonical_address(email) == "ana@xn--bcher-kva.example"
