"""A letter, and the message (RFC 5322) that it is sent as."""

from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from msgspec import Struct

NEWS_KEPT = timedelta(days=1)
"""What happened longer ago is no news: it is not mailed when a server was away so long."""


class Letter(Struct, frozen=True):
    """A mail to one person, or to several who may know of each other: addresses, subject, text."""

    to: tuple[str, ...]
    subject: str
    text: str


def message_of(letter: Letter, sender: str, event_id: str, at: datetime) -> EmailMessage:
    """Return the message of *letter*: the same at every attempt, also its Message-ID.

    The id is derived from the id of the event, so that a mailbox shows a message that was sent
    twice only once.

    :raises ValueError: the address cannot be that of a mailbox.
    """
    _, address = parseaddr(sender)
    message = EmailMessage()
    message["From"] = sender
    message["To"] = [_address(to) for to in letter.to]
    message["Subject"] = " ".join(letter.subject.split())
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{event_id}@{address.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday notice answers
    message.set_content(letter.text)
    return message


def _address(address: str) -> Address:
    # Not parsed as a header: an address with a comma in it must not become two.
    local, _, domain = address.rpartition("@")
    if not local or not domain or not address.isprintable():
        raise ValueError("not an e-mail address")
    return Address(username=local, domain=domain)
