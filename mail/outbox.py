"""The outbox: the events themselves, and a row for each that is not yet sent.

A worker searches the log for events to send and adds a row for each, under the event's id.
Repeating this writes nothing twice, and a rebuild of the read models does not affect it.
"""

import logging
import time
from datetime import datetime, timedelta

from msgspec.structs import replace

from eventstore.codec import event_id, mark_of
from eventstore.operations.records import Mail, MailCursor, MailStatus
from eventstore.recorded import Recorded, Row, recorded_time
from mail.letters import MAIL_TAGS
from runtime.system import System

_ROWS = 500
_CHECK_S = 60.0
"""How often the cursor is compared with the log, and moved if no mail has moved it."""

_logger = logging.getLogger(__name__)

PAUSES = tuple(
    timedelta(minutes=minutes) for minutes in (0.5, 1, 5, 15, 30, 60, 120, 240, 480, 720)
)
"""The pause after each failure; a mail that fails once more has failed for good."""


class Outbox:
    """Fills the outbox for one worker, which remembers how far it has read the log."""

    def __init__(self, system: System) -> None:
        self._log, self._operations = system.log, system.operations
        self._read: dict[int, int] = {}
        self._doubt_at = 0.0

    async def fill(self) -> None:
        """Add a row for every event that must be sent by mail and has none yet."""
        if time.monotonic() > self._doubt_at:
            self.doubt()
        for part in range(self._log.parts):
            if part in self._read:
                await self._follow(part)
            else:
                self._read[part] = await self._catch_up(part)

    def doubt(self) -> None:
        """Start again from the stored cursors: the log may have been set back."""
        self._read.clear()
        self._doubt_at = time.monotonic() + _CHECK_S

    async def _catch_up(self, part: int) -> int:
        """Search the log from the cursor on, move the cursor and return its position."""
        name = f"part {part}"
        cursor = await self._operations.mail_cursor(name)
        after = 0 if cursor is None else cursor.position
        if cursor is not None and await self._log.mark_at(after, part) != cursor.event_id:
            self._log.news.forget()
            after = 0  # the log was set back; existing rows are not written again
        end = await self._log.last_position(part)
        if end <= after:
            return after
        mails: list[Mail] = []
        while rows := await self._log.tail_rows(after, _ROWS, MAIL_TAGS, part):
            mails += _mails(rows, part)
            after = rows[-1].position
        end = max(end, after)
        moved = MailCursor(id=name, position=end, event_id=await self._log.mark_at(end, part))
        await self._operations.keep_mails(moved, mails)
        return end

    async def _follow(self, part: int) -> None:
        """Search what is new; the cursor moves with the next mail, or the next catching up."""
        after, last, mails = self._read[part], None, list[Mail]()
        while rows := await self._log.news.after(after, _ROWS, part):
            mails += _mails([row for row in rows if row.tag in MAIL_TAGS], part)
            last = rows[-1]
            after = last.position
            if len(rows) < _ROWS:
                break
        if mails and last is not None:
            name = f"part {part}"
            moved = MailCursor(id=name, position=after, event_id=mark_of(last))
            await self._operations.keep_mails(moved, mails)
        self._read[part] = after


def _mails(rows: list[Row], part: int) -> list[Mail]:
    return [mail for row in rows if (mail := _mail(row, part)) is not None]


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
