"""The SMTP client: one connection per mail, encrypted except on this machine."""

import asyncio
import contextlib
import ipaddress
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from enum import Enum
from urllib.parse import unquote, urlsplit

import aiosmtplib
from msgspec import Struct

from eventstore.counters import MAIL_DRIVER, counters_of

SEND_DEADLINE_S = 20.0
"""How long one mail may take in all; shorter than its lease."""

_GOODBYE_S = 1.0
_PERMANENT = 500


class Encryption(Enum):
    """How a connection is encrypted."""

    NONE = "none"  # to this machine only
    STARTTLS = "starttls"  # required: never in the clear if the server does not offer it
    TLS = "tls"  # from the first byte


class MailRefused(Exception):
    """The mail server refused this mail for good."""


class MailNotSent(Exception):
    """The mail server does not answer, or refuses for now."""


class MailServer(Struct, frozen=True, kw_only=True):
    """A mail server, from ``smtp://user:password@host:587`` or ``smtps://…``."""

    host: str
    port: int
    encryption: Encryption
    user: str | None = None
    password: str | None = None
    trust: ssl.SSLContext | None = None
    """Whom to trust, if not the authorities of this machine."""
    deadline_s: float = SEND_DEADLINE_S

    async def send(self, message: EmailMessage) -> None:
        """Hand over *message*; it may have arrived although this raises.

        :raises MailRefused: it is refused for good (5xx).
        :raises MailNotSent: there was no answer, or a refusal for now (4xx).
        """
        try:
            with counters_of(MAIL_DRIVER).timed("send"):
                async with asyncio.timeout(self.deadline_s), self._connected() as client:
                    await client.send_message(message)
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = [refusal.code for refusal in error.recipients]
            raise _as_refusal(min(codes, default=0), str(error)) from error
        except aiosmtplib.SMTPAuthenticationError as error:
            # This affects every mail, so an operator has to fix it.
            raise MailNotSent(str(error)) from error
        except aiosmtplib.SMTPResponseException as error:
            raise _as_refusal(error.code, str(error)) from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise MailNotSent(f"{type(error).__name__}: {error}") from error

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[aiosmtplib.SMTP]:
        """Connect, encrypt and log in; close the connection afterwards."""
        encrypted = self.encryption is not Encryption.NONE
        context = self.trust or ssl.create_default_context()
        client = aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            username=self.user,
            password=self.password,
            use_tls=self.encryption is Encryption.TLS,
            start_tls=self.encryption is Encryption.STARTTLS,
            tls_context=context if encrypted else None,
            timeout=None,  # its `wait_for` would let a step that ends at our deadline swallow that
        )
        try:
            await client.connect()
            counters_of(MAIL_DRIVER).connection_created()
            try:
                yield client
                # By now the mail is taken, so how the server says goodbye is of no interest.
                with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                    async with asyncio.timeout(_GOODBYE_S):
                        await client.quit()
            finally:
                counters_of(MAIL_DRIVER).connection_closed()
        finally:
            client.close()


def mail_server(url: str) -> MailServer:
    """Return the server at *url*, which the settings have checked.

    Mails are sent unencrypted only to this machine.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    implicit = parts.scheme == "smtps"
    plain = Encryption.NONE if _is_loopback(host) else Encryption.STARTTLS
    return MailServer(
        host=host,
        port=parts.port or (465 if implicit else 587),
        encryption=Encryption.TLS if implicit else plain,
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )


def _as_refusal(code: int, said: str) -> Exception:
    return MailRefused(said) if code >= _PERMANENT else MailNotSent(said)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
