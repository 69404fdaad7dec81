"""The daily mail about an inbox, through a real SMTP server: off at first, and once a day."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta

import pytest
from msgspec.structs import replace

from commands.planning.inbox import ReadInbox, SwitchDigest
from domain.base import PLATFORM
from domain.identity.organization.membership import LeaveCause, MemberLeft
from domain.planning.inbox import stream_of_inbox
from domain.work.task.events import TaskAssigned, TaskSchedule, TaskScheduled
from eventstore.operations.records import MailStatus
from eventstore.recorded import Actor, ActorKind
from mail.digest_due import is_morning_after, note_due_digests
from runtime.system import System
from tests.commands.acme import ACCOUNTS, COMMENT, HERE, comment
from tests.domain.spec import ACME, ANA, CLEO, DAY, TASK
from tests.mail.post_office import PostOffice, post_office
from tests.projections.spec import project_all
from tests.spec import context, on, record
from tests.workers.inviting import sending
from tests.workers.stage import Stage
from workers.housekeeping import JOB_KINDS, NOTE_DIGESTS
from workers.mailing import Mailing

pytestmark = pytest.mark.servers
ASSIGNED = on(TASK, TaskAssigned(user_id=CLEO))
BY_ANA = Actor(ActorKind.USER, ANA)


@pytest.fixture
async def office() -> AsyncIterator[PostOffice]:
    async with post_office() as office:
        yield office


@pytest.fixture
async def system(stage: Stage, office: PostOffice) -> System:
    """Return a system in which Ana assigned a task to Cleo, who turned the daily mail on."""
    system = replace(stage.system, settings=sending(stage.system.settings, office))
    await record(system.log, *ACCOUNTS, *HERE)
    await record(system.log, ASSIGNED, on(COMMENT, comment()), by=BY_ANA)
    await switch(system, on=True)
    await project(system)
    return system


async def switch(system: System, *, on: bool) -> None:
    await system.commands.handle(SwitchDigest(on=on), context(CLEO, now=system.clock()))


async def project(system: System) -> None:
    await (await project_all(system.log, system.read_store)).release()


def next_noon(stage: Stage) -> None:
    """Let it be noon of the next day."""
    tomorrow = stage.clock().date() + DAY
    stage.clock.ahead += datetime.combine(tomorrow, time(12), UTC) - stage.clock()


async def sent(system: System) -> int:
    """Let a worker do what is due; return how many digests it noted."""
    noted = await note_due_digests(system)
    await Mailing(system).send_due()
    return noted


async def test_whoever_turned_it_on_gets_a_mail_of_what_is_unread_once_a_day(
    stage: Stage, system: System, office: PostOffice
) -> None:
    assert await sent(system) == 0  # not on the day on which it was turned on
    next_noon(stage)

    assert [await sent(system), await sent(system)] == [1, 0]

    [message] = office.messages
    assert message["To"] == "cleo@example.com"
    assert message["Subject"] == "Your work in Acme"
    lines = [line for line in message.get_content().splitlines() if line.startswith("- ")]
    assert lines == [
        "- ENG-1 Oil it: it has a new comment",
        "- ENG-1 Oil it: it was assigned to you",
    ]
    next_noon(stage)
    assert await sent(system) == 1
    assert len(office.messages) == 2


async def test_a_task_that_is_due_soon_is_told_first(
    stage: Stage, system: System, office: PostOffice
) -> None:
    next_noon(stage)
    due = TaskSchedule(due_date=stage.clock().date())
    await record(system.log, on(TASK, TaskScheduled(from_=TaskSchedule(), to=due)))
    await project(system)

    await sent(system)

    [message] = office.messages
    lines = [line for line in message.get_content().splitlines() if line.startswith("- ")]
    assert lines[0] == "- ENG-1 Oil it: it is due soon"


async def test_nobody_gets_a_mail_when_all_is_read_or_who_turned_it_off_or_left(
    stage: Stage, system: System, office: PostOffice
) -> None:
    head = await system.log.organization_head(ACME)
    reading = ReadInbox(up_to_seq=head)
    await system.commands.handle(reading, context(CLEO, now=system.clock()))
    next_noon(stage)
    assert await sent(system) == 1

    next_noon(stage)
    await note_due_digests(system)
    await switch(system, on=False)
    await sent(system)
    next_noon(stage)
    assert await sent(system) == 0

    await switch(system, on=True)
    next_noon(stage)
    await note_due_digests(system)
    left = MemberLeft(user_id=CLEO, cause=LeaveCause.REMOVED)
    await record(system.log, on(ACME, left, org_id=ACME))
    await sent(system)

    assert office.messages == []
    found = await system.operations.mails(99)
    told = [mail.status for mail in found if mail.type == "inbox.digest_due"]
    assert told == [MailStatus.OBSOLETE] * 3


async def test_a_digest_waits_for_the_read_models(stage: Stage, office: PostOffice) -> None:
    system = replace(stage.system, settings=sending(stage.system.settings, office))
    await record(system.log, *ACCOUNTS, *HERE)
    await record(system.log, ASSIGNED, by=BY_ANA)
    await switch(system, on=True)
    next_noon(stage)

    await sent(system)

    assert office.messages == []  # there are no read models yet
    await project(system)
    stage.clock.ahead += timedelta(minutes=1)
    await Mailing(system).send_due()
    assert len(office.messages) == 1


async def test_only_inboxes_with_a_daily_mail_are_looked_at(system: System) -> None:
    inbox = stream_of_inbox(CLEO, ACME)

    assert await system.log.claimed(PLATFORM, "daily digest", PLATFORM) == [inbox]
    await switch(system, on=False)
    assert await system.log.claimed(PLATFORM, "daily digest", PLATFORM) == []
    assert NOTE_DIGESTS in JOB_KINDS


def test_the_morning_is_that_of_the_organization() -> None:
    before = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)
    at_six = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)

    assert not is_morning_after(before, at_six, "UTC")
    assert is_morning_after(before, at_six, "Europe/Berlin")
    assert not is_morning_after(at_six, at_six + timedelta(hours=5), "UTC")
