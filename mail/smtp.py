"""The SMTP client: one connection per mail, encrypted except on this machine."""

import ipaddress
import ssl
from email.message import EmailMessage
from enum import Enum
from urllib.parse import unquote, urlsplit

import aiosmtplib
from msgspec import Struct

SEND_DEADLINE_S = 20.0
"""How long one mail may take; shorter than its lease."""

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

    async def send(self, message: EmailMessage) -> None:
        """Hand over *message*; it may have arrived although this raises.

        :raises MailRefused: it is refused for good (5xx).
        :raises MailNotSent: there was no answer, or a refusal for now (4xx).
        """
        context = self.trust or ssl.create_default_context()
        encrypted = self.encryption is not Encryption.NONE
        try:
            await aiosmtplib.send(
                message,
                hostname=self.host,
                port=self.port,
                username=self.user,
                password=self.password,
                use_tls=self.encryption is Encryption.TLS,
                start_tls=self.encryption is Encryption.STARTTLS,
                tls_context=context if encrypted else None,
                timeout=SEND_DEADLINE_S,
            )
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
