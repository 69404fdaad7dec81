"""Stories of the commands on an inbox."""

from datetime import timedelta

import pytest

from commands.base import Command, NotForApiKeys
from commands.handler import CommandHandler
from commands.planning.inbox import (
    READ_ON,
    ArchiveNotice,
    NoteDueDigest,
    ReadInbox,
    SnoozeNotice,
    SwitchDigest,
    read_up_to,
)
from domain.base import PLATFORM, NotFound
from domain.permission import Permission
from domain.planning.inbox import (
    DIGEST_EVERY,
    INBOX_READ_EVERY,
    DigestDue,
    DigestSwitched,
    Inbox,
    InboxRead,
    NoticeArchived,
    NoticeSnoozed,
    SnoozeOutOfRange,
    stream_of_inbox,
)
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from tests.commands.acme import ACCOUNTS, HERE
from tests.domain.spec import ACME, CLEO, DAN, NOW
from tests.spec import context, given, on, opened, record

INBOX = stream_of_inbox(CLEO, ACME)
ON = on(
    INBOX,
    DigestSwitched(user_id=CLEO, organization_id=ACME, on=True, at=NOW),
    org_id=PLATFORM,
)
READ = on(INBOX, InboxRead(up_to_seq=3, at=NOW - INBOX_READ_EVERY), org_id=PLATFORM)


class TestReadInbox:
    def test_a_member_reads_on(self) -> None:
        noted = on(INBOX, InboxRead(up_to_seq=5, at=NOW), org_id=PLATFORM)
        given(*HERE, READ).when(ReadInbox(up_to_seq=5), by=CLEO).then(noted)

    def test_what_was_read_is_not_recorded_again(self) -> None:
        given(*HERE, READ).when(ReadInbox(up_to_seq=3), by=CLEO).then()

    async def test_what_is_read_within_a_minute_is_kept_beside_the_log(self) -> None:
        async with opened(MemoryStore()) as log:
            await record(log, *ACCOUNTS, *HERE)
            assert await _read(log, 5, 0) == (5, 1)
            assert await _read(log, 9, 30) == (9, 1)
            assert await log.secret(INBOX, PLATFORM, READ_ON) == b"9"
            assert await _read(log, 8, 60) == (9, 2)
            assert await _read(log, 12, 119) == (12, 2)
            assert await _read(log, 13, 120) == (13, 3)


async def _read(log: EventLog, up_to: int, after_s: int) -> tuple[int, int]:
    """Read on, and return how far the inbox is read and how many events it has."""
    handler = CommandHandler(log)
    now = NOW + timedelta(seconds=after_s)
    await handler.handle(ReadInbox(up_to_seq=up_to), context(CLEO, now=now))
    [loaded] = await handler.states.all_fresh([(Inbox, INBOX)], PLATFORM)
    return await read_up_to(log, INBOX, loaded.state), loaded.version


class TestArchiveNotice:
    def test_a_member_puts_a_notice_away_once(self) -> None:
        archived = on(INBOX, NoticeArchived(notice="3"), org_id=PLATFORM)
        given(*HERE).when(ArchiveNotice(notice="3"), by=CLEO).then(archived)
        given(*HERE, archived).when(ArchiveNotice(notice="3"), by=CLEO).then()


class TestSnoozeNotice:
    def test_a_member_puts_a_notice_away_until_a_time_ahead(self) -> None:
        until = NOW + INBOX_READ_EVERY
        snoozed = on(INBOX, NoticeSnoozed(notice="3", until=until), org_id=PLATFORM)
        asked = SnoozeNotice(notice="3", until=until)
        given(*HERE).when(asked, by=CLEO).then(snoozed)
        given(*HERE, snoozed).when(asked, by=CLEO).then()
        given(*HERE).when(asked, by=CLEO, now=until).then_refused(SnoozeOutOfRange)


class TestDigest:
    def test_a_member_turns_it_on_and_off(self) -> None:
        off = DigestSwitched(user_id=CLEO, organization_id=ACME, on=False, at=NOW)
        given(*HERE).when(SwitchDigest(on=True), by=CLEO).then(ON)
        given(*HERE, ON).when(SwitchDigest(on=True), by=CLEO).then()
        given(*HERE, ON).when(SwitchDigest(on=False), by=CLEO).then(off)

    def test_it_is_noted_when_it_is_due(self) -> None:
        later, asked = NOW + DIGEST_EVERY, NoteDueDigest(inbox_id=INBOX)
        due = on(INBOX, DigestDue(user_id=CLEO, organization_id=ACME, at=later), org_id=PLATFORM)
        given(*HERE, ON).when(asked, now=later, org_id=None).then(due)
        given(*HERE, ON).when(asked, now=NOW, org_id=None).then()
        given(*HERE).when(asked, now=later, org_id=None).then()


EVERY = [
    ReadInbox(up_to_seq=1),
    ArchiveNotice(notice="1"),
    SnoozeNotice(notice="1", until=None),
    SwitchDigest(on=True),
]


@pytest.mark.parametrize("asked", EVERY, ids=lambda one: type(one).__name__)
class TestEveryInboxCommand:
    def test_strangers_have_no_inbox_here(self, asked: Command) -> None:
        given(*HERE).when(asked, by=DAN).then_refused(NotFound)

    def test_no_api_key_reads_for_a_person(self, asked: Command) -> None:
        scopes = frozenset({Permission.TASK_READ})
        given(*HERE).when(asked, by=CLEO, scopes=scopes).then_refused(NotForApiKeys)
