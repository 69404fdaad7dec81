"""The outbox: the events themselves, and a row for each that is not yet sent.

A worker searches the log for events to send and adds a row for each, under the event's id.
Repeating this writes nothing twice, and a rebuild of the read models does not affect it.
"""

import logging
from datetime import datetime, timedelta

from msgspec.structs import replace

from eventstore.operations.crew import Owns, everything
from eventstore.operations.records import Mail, MailStatus
from eventstore.recorded import Recorded, Row, event_id, recorded_time
from mail.letters import MAIL_TAGS
from runtime.log_reader import LogReader
from runtime.system import System

_logger = logging.getLogger(__name__)

PAUSES = tuple(
    timedelta(minutes=minutes) for minutes in (0.5, 1, 5, 15, 30, 60, 120, 240, 480, 720)
)
"""The pause after each failure; a mail that fails once more has failed for good."""


class Outbox:
    """Fills the outbox for one worker."""

    def __init__(self, system: System, owns: Owns = everything) -> None:
        self._operations = system.operations
        self._reader = LogReader(system, "mail", MAIL_TAGS, owns)
        self.doubt = self._reader.doubt

    async def fill(self) -> None:
        """Add a row for every event that must be sent by mail and has none yet."""
        async for found in self._reader.new():
            mails = [mail for row in found.rows if (mail := _mail(row, found.part)) is not None]
            await self._operations.keep_mails(found.end, mails)


def _mail(row: Row, part: int) -> Mail | None:
    """Return the row for an event; None if it has no id that can be read."""
    name = event_id(row)
    if name is None:
        _logger.error("event %d of partition %d cannot be read, nor mailed", row.position, part)
        return None
    at = recorded_time(row.recorded_at)
    return Mail(
        id=str(name),
        org=str(row.org_id),
        part=part,
        position=row.position,
        type=row.tag,
        created_at=at,
        next_at=at,
    )


async def event_of(system: System, mail: Mail) -> Recorded | None:
    """Return the event of a mail; None if the log no longer has it at its place."""
    rows = await system.log.tail_rows(mail.position - 1, 1, part=mail.part)
    if not rows or str(event_id(rows[0])) != mail.id:
        return None
    [recorded] = await system.log.decoded(rows)
    return recorded


def ended(mail: Mail, status: MailStatus, now: datetime, error: str | None = None) -> Mail:
    """Return *mail* with its outcome."""
    return replace(mail, status=status, open=False, ended_at=now, last_error=error)


def put_off(mail: Mail, now: datetime, error: str) -> Mail:
    """Return *mail* to be tried again later, or failed after the last pause."""
    tries = mail.tries + 1
    if tries > len(PAUSES):
        return ended(replace(mail, tries=tries), MailStatus.FAILED, now, error)
    return replace(mail, tries=tries, next_at=now + PAUSES[tries - 1], last_error=error)
