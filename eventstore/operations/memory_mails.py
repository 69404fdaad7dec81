"""Mails in memory, for unit tests, and the leases of everything that is kept there."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import attrgetter

from msgspec.structs import replace

from eventstore.operations.columns import moment
from eventstore.operations.records import LogCursor, Mail


class MemoryMails:
    """The part of the port about mails, as dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self._mails: dict[str, Mail] = {}
        self._log_cursors: dict[str, LogCursor] = {}

    async def log_cursor(self, cursor: str) -> LogCursor | None:
        return self._log_cursors.get(cursor)

    async def keep_mails(self, cursor: LogCursor, mails: Sequence[Mail]) -> None:
        for mail in mails:
            self._mails.setdefault(mail.id, replace(mail))
        self._log_cursors[cursor.id] = cursor

    async def take_mail(self, owner: str, lease_s: float, now: datetime) -> Mail | None:
        for mail in sorted(self._mails.values(), key=attrgetter("next_at")):
            if mail.open and mail.next_at <= now and is_free(mail.until, lease_s):
                mail.owner, mail.until = owner, machine_time() + timedelta(seconds=lease_s)
                mail.fence += 1
                return replace(mail)
        return None

    async def end_mail(self, mail: Mail) -> bool:
        known = self._mails.get(mail.id)
        if known is None or (known.owner, known.fence) != (mail.owner, mail.fence):
            return False
        self._mails[mail.id] = replace(mail, owner="", until=None)
        return True

    async def mails(self, limit: int) -> list[Mail]:
        by_id = sorted(self._mails.values(), key=attrgetter("id"))
        newest = sorted(by_id, key=attrgetter("created_at"), reverse=True)
        return [replace(mail) for mail in newest[:limit]]

    def _prune_mails(self, before: datetime, limit: int) -> int:
        ended = [
            each.id
            for each in self._mails.values()
            if not each.open and each.ended_at is not None and each.ended_at < before
        ][:limit]
        for name in ended:
            del self._mails[name]
        return len(ended)


def machine_time() -> datetime:
    """Return the time of the machine, in whole microseconds."""
    return moment(time.time_ns() // 1_000)


def is_free(until: datetime | None, lease_s: float) -> bool:
    """Return whether a lease is over, or longer than any that is given."""
    at = machine_time()
    return until is None or until <= at or until > at + timedelta(seconds=2 * lease_s)
