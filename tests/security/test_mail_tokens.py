"""Tokens in mails: bound to their purpose, owner, subject and expiry, and only known by a hash."""

from datetime import timedelta

import pytest

from security.mail_tokens import MailPurpose, MailTokens, hash_of, is_token, read_mail_token
from tests.domain.spec import ACME, INVITATION, NOW, OTHER

TOKENS = MailTokens(b"k" * 32)
TOKEN = TOKENS.mint(MailPurpose.INVITATION, ACME, INVITATION, NOW)


def test_a_token_names_its_owner_and_subject() -> None:
    presented = read_mail_token(TOKEN)

    assert presented is not None
    assert (presented.owner, presented.subject) == (ACME, INVITATION)
    assert is_token(hash_of(TOKEN), presented)


def test_the_same_invitation_always_has_the_same_token() -> None:
    assert TOKENS.mint(MailPurpose.INVITATION, ACME, INVITATION, NOW) == TOKEN


@pytest.mark.parametrize(
    "other",
    [
        MailTokens(b"l" * 32).mint(MailPurpose.INVITATION, ACME, INVITATION, NOW),
        TOKENS.mint(MailPurpose.INVITATION, OTHER, INVITATION, NOW),
        TOKENS.mint(MailPurpose.INVITATION, ACME, ACME, NOW),
        TOKENS.mint(MailPurpose.INVITATION, ACME, INVITATION, NOW + timedelta(microseconds=1)),
    ],
    ids=["key", "owner", "subject", "expiry"],
)
def test_a_token_depends_on_everything_that_it_is_for(other: str) -> None:
    presented = read_mail_token(other)

    assert presented is not None
    assert not is_token(hash_of(TOKEN), presented)


@pytest.mark.parametrize("text", ["", "x", TOKEN[:-1], f"{TOKEN}A", TOKEN[:-1] + "=", "ü" * 86])
def test_a_malformed_token_is_none(text: str) -> None:
    assert read_mail_token(text) is None
