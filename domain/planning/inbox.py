"""Inbox: how far somebody has read what concerns them in an organization, and what they put away.

What is in it is never stored: it follows from the events of tasks (``projections/planning``). So
these events are the person's own. They are events of the platform: no webhook, reader of live
events or page of the audit log of the organization has them.

Invariants
    1. What was read stays read. It is recorded at most once in ``INBOX_READ_EVERY``; in between,
       the command keeps it next to the log (``commands/planning/inbox.py``).
    2. The newest ``ARCHIVED_MAX`` notices that were archived stay away.
    3. A notice that is snoozed stays away until a time, and comes first from then on. At most
       ``SNOOZED_MAX`` are: one more takes the place of the one that came back first. A notice is
       either snoozed or archived.
    4. A mail about what is unread is off until its owner turns it on, and then due once a day.
    5. Setting something to the value it has records no event.
"""

from datetime import datetime, timedelta
from typing import Annotated, ClassVar, assert_never, get_args
from uuid import UUID, uuid5

from immutables import Map
from msgspec import Struct
from msgspec.structs import replace

from domain.base import DomainError, Event, OrgId, Refusal, UserId
from domain.patterned import patterned

INBOX_READ_EVERY = timedelta(minutes=1)
"""How often it is recorded at most that somebody has read on."""
DIGEST_EVERY = timedelta(hours=12)
"""How long after one digest the next can be due; a worker waits for the morning of the next day."""
ARCHIVED_MAX = 10_000
"""Archived notices of one inbox that are kept."""
SNOOZED_MAX = 50
"""Notices of one inbox that are snoozed at most."""
SNOOZE_MAX = timedelta(days=366)
"""How long a notice is snoozed at most."""
NoticeId = Annotated[
    str,
    patterned(r"^(\d{1,16}|due:[0-9a-f-]{36}:[0-9TZ:.-]{10,32})$", "the `id` of a notice"),
]
"""The sequence number of an event, or a task and when it is due."""


def stream_of_inbox(user_id: UserId, org_id: OrgId) -> UUID:
    """Return the id of somebody's inbox in an organization."""
    return uuid5(user_id, f"inbox in {org_id}")


# Events ---------------------------------------------------------------------


class InboxRead(Event, frozen=True, kw_only=True, tag="inbox.read"):
    """Somebody has read what happened in the organization up to an event with this number."""

    sets = ("read_up_to", "read_at")
    up_to_seq: int
    at: datetime


class NoticeArchived(Event, frozen=True, kw_only=True, tag="inbox.notice_archived"):
    """Somebody put a notice away, which their inbox does not show any more."""

    sets = ("archived",)
    notice: str


class NoticeSnoozed(Event, frozen=True, kw_only=True, tag="inbox.notice_snoozed"):
    """Somebody put a notice away until a time; without one, it is shown again at once."""

    notice: str
    until: datetime | None

    def field_keys(self) -> tuple[str, ...]:
        return (f"snoozed:{self.notice}",)


class DigestSwitched(Event, frozen=True, kw_only=True, tag="inbox.digest_switched"):
    """Somebody turned the daily mail about their inbox in an organization on or off."""

    sets = ("user_id", "organization_id", "digest", "digest_at")
    user_id: UserId
    organization_id: OrgId
    on: bool
    at: datetime


class DigestDue(Event, frozen=True, kw_only=True, tag="inbox.digest_due"):
    """The daily mail about somebody's inbox in an organization was due."""

    sets = ("digest_at",)
    user_id: UserId
    organization_id: OrgId
    at: datetime


InboxEvent = InboxRead | NoticeArchived | NoticeSnoozed | DigestSwitched | DigestDue


# State ----------------------------------------------------------------------


class Inbox(Struct, frozen=True, kw_only=True, gc=False):
    """What somebody has read and put away, with when that was last recorded."""

    platform: ClassVar[bool] = True
    folds: ClassVar[tuple[type[Event], ...]] = get_args(InboxEvent)

    read_up_to: int = 0
    read_at: datetime | None = None
    archived: tuple[str, ...] = ()
    snoozed: Map[str, datetime] = Map()
    """Until when each snoozed notice stays away."""
    user_id: UserId | None = None
    organization_id: OrgId | None = None
    digest: bool = False
    digest_at: datetime | None = None
    """When the last digest was due, or digests were turned on."""

    def evolve(self, event: InboxEvent) -> "Inbox":
        match event:
            case InboxRead():
                return replace(self, read_up_to=event.up_to_seq, read_at=event.at)
            case NoticeArchived():
                archived = (*self.archived, event.notice)[-ARCHIVED_MAX:]
                return replace(self, archived=archived, snoozed=self._awake(event.notice))
            case NoticeSnoozed():
                return self._snoozed(event)
            case DigestSwitched():
                return replace(
                    self,
                    user_id=event.user_id,
                    organization_id=event.organization_id,
                    digest=event.on,
                    digest_at=event.at,
                )
            case DigestDue():
                return replace(self, digest_at=event.at)
            case _:
                assert_never(event)

    def _snoozed(self, event: NoticeSnoozed) -> "Inbox":
        snoozed = self._awake(event.notice)
        if event.until is not None:
            if len(snoozed) >= SNOOZED_MAX:
                snoozed = snoozed.delete(min(snoozed, key=snoozed.__getitem__))
            snoozed = snoozed.set(event.notice, event.until)
        archived = tuple([each for each in self.archived if each != event.notice])
        return replace(self, archived=archived, snoozed=snoozed)

    def _awake(self, notice: str) -> Map[str, datetime]:
        return self.snoozed.delete(notice) if notice in self.snoozed else self.snoozed

    # Decisions: each returns the events to record; an empty list means that nothing changes.

    def is_to_be_noted(self, now: datetime) -> bool:
        """Return whether it can be recorded *now* that somebody has read on."""
        return self.read_at is None or now - self.read_at >= INBOX_READ_EVERY

    def read(self, up_to_seq: int, now: datetime) -> list[InboxEvent]:
        if up_to_seq <= self.read_up_to or not self.is_to_be_noted(now):
            return []
        return [InboxRead(up_to_seq=up_to_seq, at=now)]

    def archive(self, notice: str) -> list[InboxEvent]:
        return [] if notice in self.archived else [NoticeArchived(notice=notice)]

    def snooze(self, notice: str, until: datetime | None, now: datetime) -> list[InboxEvent]:
        """Put a notice away until a time, or show it again.

        :raises SnoozeOutOfRange: the time is not ahead, or too far.
        :raises TooManySnoozed: as many are snoozed as can be.
        """
        if until is not None and not now < until <= now + SNOOZE_MAX:
            raise SnoozeOutOfRange
        if self.snoozed.get(notice) == until and notice not in self.archived:
            return []
        full = notice not in self.snoozed and len(self.snoozed) >= SNOOZED_MAX
        if until is not None and full and min(self.snoozed.values()) > now:
            raise TooManySnoozed
        return [NoticeSnoozed(notice=notice, until=until)]

    def switch_digest(self, switched: DigestSwitched) -> list[InboxEvent]:
        return [] if switched.on is self.digest else [switched]

    def note_due_digest(self, now: datetime) -> list[InboxEvent]:
        """Note that the daily mail is due *now*, unless it was a short while ago."""
        user_id, org_id, before = self.user_id, self.organization_id, self.digest_at
        if not self.digest or user_id is None or org_id is None or before is None:
            return []
        if now - before < DIGEST_EVERY:
            return []
        return [DigestDue(user_id=user_id, organization_id=org_id, at=now)]


# Errors ---------------------------------------------------------------------


class SnoozeOutOfRange(DomainError):
    """A notice is snoozed until a time ahead, within 366 days."""

    code = "snooze_out_of_range"
    refusal = Refusal.INVALID


class TooManySnoozed(DomainError):
    """At most 50 notices are snoozed at once. Let one of them be shown again first."""

    code = "too_many_snoozed"
    refusal = Refusal.CONFLICT
