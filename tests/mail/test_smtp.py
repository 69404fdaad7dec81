"""The SMTP client against a real server: encryption, refusals, outages."""

import asyncio
from email.message import EmailMessage
from pathlib import Path

import pytest
from msgspec.structs import replace

from eventstore.counters import MAIL_DRIVER, counters_of
from mail.letter import Letter, message_of
from mail.smtp import (
    SEND_DEADLINE_S,
    Encryption,
    MailNotSent,
    MailRefused,
    MailServer,
    mail_server,
)
from tests.deliveries.authority import Authority
from tests.domain.spec import NOW
from tests.mail.post_office import post_office

pytestmark = pytest.mark.servers


def a_message() -> EmailMessage:
    letter = Letter(("eve@example.com",), "Hello", "Grüße\n")
    return message_of(letter, "Trackrecord <no-reply@example.com>", "e1", NOW)


async def test_a_message_arrives_on_this_machine() -> None:
    async with post_office() as office:
        await mail_server(office.url).send(a_message())

        [message] = office.messages
    assert message["To"] == "eve@example.com"
    assert message["Message-ID"] == "<e1@example.com>"
    assert message.get_content().rstrip() == "Grüße"


@pytest.mark.parametrize("encryption", [Encryption.STARTTLS, Encryption.TLS])
async def test_a_message_arrives_encrypted(tmp_path: Path, encryption: Encryption) -> None:
    authority = Authority(tmp_path)
    certified = authority.server("localhost")
    implicit = encryption is Encryption.TLS
    async with post_office(
        starttls=None if implicit else certified, tls=certified if implicit else None
    ) as office:
        await office.server(encryption, authority.client()).send(a_message())

        assert len(office.messages) == 1


async def test_nothing_is_sent_to_a_server_that_does_not_encrypt() -> None:
    async with post_office() as office:
        with pytest.raises(MailNotSent):
            await office.server(Encryption.STARTTLS).send(a_message())

        assert office.messages == []


async def test_nothing_is_sent_to_a_server_that_nobody_certified(tmp_path: Path) -> None:
    async with post_office(starttls=Authority(tmp_path).server("localhost")) as office:
        with pytest.raises(MailNotSent):
            await office.server(Encryption.STARTTLS).send(a_message())

        assert office.messages == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [("550 No such user", MailRefused), ("451 Try later", MailNotSent)],
)
async def test_a_refusal_is_for_good_or_for_now(answer: str, error: type[Exception]) -> None:
    async with post_office() as office:
        office.answers = [answer]
        with pytest.raises(error, match=answer[4:]):
            await mail_server(office.url).send(a_message())


async def test_a_server_that_is_away_is_an_outage() -> None:
    async with post_office() as office:
        url = office.url
    with pytest.raises(MailNotSent):
        await mail_server(url).send(a_message())


async def test_a_server_that_takes_a_while_for_each_step_gets_one_deadline_for_all() -> None:
    """Four steps that take most of the deadline each would outlast the lease of the mail."""
    patience_s = 1.0
    async with post_office(step_s=patience_s * 0.7) as office:
        server = replace(office.server(Encryption.NONE), deadline_s=patience_s)
        with pytest.raises(MailNotSent, match="TimeoutError"):
            await server.send(a_message())

        assert office.messages == []


async def test_a_step_that_ends_at_the_deadline_does_not_put_it_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The answer and the deadline come in the same turn of the loop, the answer first."""
    loop = asyncio.get_running_loop()
    now = loop.time
    async with post_office() as office:
        server = office.server(Encryption.NONE)
        office.on_sender = lambda: monkeypatch.setattr(
            loop, "time", lambda: now() + SEND_DEADLINE_S
        )
        with pytest.raises(MailNotSent, match="TimeoutError"):
            await server.send(a_message())

        assert office.messages == []


async def test_a_mail_that_was_taken_is_sent_even_if_the_server_never_says_goodbye() -> None:
    async with post_office(answers_goodbye=False) as office:
        await mail_server(office.url).send(a_message())

        assert len(office.messages) == 1


async def test_mails_and_connections_are_counted() -> None:
    counters = counters_of(MAIL_DRIVER)
    before = (counters.commands, counters.errors)
    opened, closed = counters.connections_created, counters.connections_closed
    async with post_office() as office:
        office.answers = ["", "451 Later"]
        await mail_server(office.url).send(a_message())
        with pytest.raises(MailNotSent):
            await mail_server(office.url).send(a_message())

    assert (counters.commands, counters.errors) == (before[0] + 2, before[1] + 1)
    assert counters.connections_created - opened == counters.connections_closed - closed == 2


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://127.0.0.1:25", ("127.0.0.1", 25, Encryption.NONE, None, None)),
        ("smtp://localhost", ("localhost", 587, Encryption.NONE, None, None)),
        ("smtp://mail.example.com", ("mail.example.com", 587, Encryption.STARTTLS, None, None)),
        ("smtps://a%40b:c%2Fd@mx.example", ("mx.example", 465, Encryption.TLS, "a@b", "c/d")),
    ],
)
def test_only_this_machine_gets_mails_in_the_clear(url: str, expected: tuple[object, ...]) -> None:
    found: MailServer = mail_server(url)

    assert (found.host, found.port, found.encryption, found.user, found.password) == expected
