"""A real SMTP server for tests, which refuses as it is told."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP

from mail.smtp import Encryption, MailServer
from tests.listening import stop


class PostOffice:
    """The messages that arrived, and how the next ones are answered."""

    def __init__(self, step_s: float = 0.0, *, answers_goodbye: bool = True) -> None:
        self._step_s, self._answers_goodbye = step_s, answers_goodbye
        self.messages: list[EmailMessage] = []
        self.answers: list[str] = []
        """Answers to the next messages, instead of taking them; an empty one takes it."""
        self.on_sender: Callable[[], None] | None = None
        self.on_message: Callable[[], None] | None = None
        self.port = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Take a message, or refuse it."""
        answer = self.answers.pop(0) if self.answers else ""
        if answer:
            return answer
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        if self.on_message is not None:
            self.on_message()
        return "250 Taken"

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Accept a sender, after a while."""
        await asyncio.sleep(self._step_s)
        if self.on_sender is not None:
            self.on_sender()
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Accept a recipient, after a while."""
        await asyncio.sleep(self._step_s)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_QUIT(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Say goodbye, or never."""
        if not self._answers_goodbye:
            await asyncio.Event().wait()
        return "221 Bye"

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def server(self, encryption: Encryption, trust: ssl.SSLContext | None = None) -> MailServer:
        """Return how a client reaches this server."""
        return MailServer(host="localhost", port=self.port, encryption=encryption, trust=trust)


@asynccontextmanager
async def post_office(
    *,
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
    step_s: float = 0.0,
    answers_goodbye: bool = True,
) -> AsyncGenerator[PostOffice]:
    """Serve on a free port for as long as a block lasts; ``step_s`` is how long a step takes."""
    office, loop = PostOffice(step_s, answers_goodbye=answers_goodbye), asyncio.get_running_loop()
    protocols: list[SMTP] = []

    def protocol() -> SMTP:
        protocols.append(SMTP(office, hostname="localhost", tls_context=starttls, loop=loop))
        return protocols[-1]

    serving = await loop.create_server(protocol, "127.0.0.1", 0, ssl=tls)
    office.port = serving.sockets[0].getsockname()[1]
    try:
        yield office
    finally:
        await stop(serving)
        for each in protocols:
            if each.transport is not None:
                each.transport.close()
