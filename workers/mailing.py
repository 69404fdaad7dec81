"""The mail worker: sends what the outbox holds, at least once, to a mail server or a mailbox."""

import asyncio
import logging
from email.message import EmailMessage

import msgspec

from eventstore.counters import MAIL_DRIVER, counters_of
from eventstore.operations.crew import Owns, everything, new_member
from eventstore.operations.records import Mail, MailStatus
from mail.letter import message_of
from mail.letters import letter_of
from mail.mailbox import Mailbox
from mail.outbox import Outbox, ended, event_of, put_off
from mail.smtp import MailNotSent, MailRefused, MailServer, mail_server
from runtime.ending import end
from runtime.outages import StoreOutage
from runtime.setting import AppEnv
from runtime.system import System

MAIL_LEASE_S = 60.0
"""How long a worker may take for one mail before another one sends it again."""

UNREADABLE = "this version of Trackrecord cannot read the event"
"""The error of a mail whose event, or whose receiver's, cannot be read."""

_SWEEP_S = 1.0
_GRACE_S = 8.0
"""How long the mail in progress may take when the process stops; it is sent again otherwise."""
_ERROR_CHARS_MAX = 500
_logger = logging.getLogger(__name__)


class Mailing:
    """Sends mails together with the workers of other processes."""

    def __init__(
        self,
        system: System,
        *,
        server: MailServer | None = None,
        lease_s: float = MAIL_LEASE_S,
        owns: Owns = everything,
    ) -> None:
        settings = system.settings
        self._system, self._lease_s = system, lease_s
        self.worker = new_member()
        self._server = server or (mail_server(settings.smtp_url) if settings.smtp_url else None)
        self._mailbox = Mailbox(settings.data_dir)
        self._stopping = False
        self._outbox = Outbox(system, owns)

    @property
    def can_send(self) -> bool:
        """Whether there is somewhere to send: a server or, in development, the mailbox."""
        return self._server is not None or (self._system.settings.app_env is AppEnv.DEVELOPMENT)

    async def run(self) -> None:
        """Send until cancelled, then finish the mail in progress and write down its outcome."""
        wait = self._system.wakeups.listener()
        while self.can_send:
            try:
                await self._send_until_cancelled()
            except StoreOutage as error:
                _logger.warning("mails wait: %s", error)
                self._outbox.doubt()
                await asyncio.sleep(_SWEEP_S)
            await wait(_SWEEP_S)

    async def _send_until_cancelled(self) -> None:
        sending = asyncio.create_task(self.send_due())
        try:
            await asyncio.shield(sending)
        finally:
            self._stopping = not sending.done()
            await asyncio.wait([sending], timeout=_GRACE_S)
            await end(sending)

    async def send_due(self) -> None:
        """Send every mail that is due now and that no other worker is sending."""
        await self._outbox.fill()
        operations, clock = self._system.operations, self._system.clock
        while not self._stopping:
            mail = await operations.take_mail(self.worker, self._lease_s, clock())
            if mail is None:
                return
            outcome = await self._sent(mail)
            if not await operations.end_mail(outcome):
                _logger.warning("mail %s was taken over; it may arrive twice", mail.id)

    async def _sent(self, mail: Mail) -> Mail:
        """Send one mail and return it with its outcome."""
        clock = self._system.clock
        try:
            recorded = await event_of(self._system, mail)
            letter = None if recorded is None else await letter_of(self._system, recorded)
        except (msgspec.MsgspecError, KeyError) as error:  # this mail alone cannot be written
            _logger.warning("mail %s cannot be written: %r", mail.id, error)
            return ended(mail, MailStatus.FAILED, clock(), UNREADABLE)
        except MailNotSent as error:  # what it tells of cannot be read now
            return put_off(mail, clock(), str(error)[:_ERROR_CHARS_MAX])
        if letter is None:
            return ended(mail, MailStatus.OBSOLETE, clock())
        if mail.tries:
            counters_of(MAIL_DRIVER).retried()
        try:
            sender = self._system.settings.mail_from
            await self._send(mail, message_of(letter, sender, mail.id, mail.created_at))
        except MailNotSent as error:
            _logger.warning("mail %s is not sent yet: %s", mail.id, error)
            return put_off(mail, clock(), str(error)[:_ERROR_CHARS_MAX])
        except (MailRefused, ValueError) as error:
            _logger.warning("mail %s is refused: %s", mail.id, error)
            return ended(mail, MailStatus.FAILED, clock(), str(error)[:_ERROR_CHARS_MAX])
        return ended(mail, MailStatus.SENT, clock())

    async def _send(self, mail: Mail, message: EmailMessage) -> None:
        if self._server is None:
            await asyncio.to_thread(self._mailbox.keep, mail.id, message)
        else:
            await self._server.send(message)
