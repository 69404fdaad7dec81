"""Mails of a real system through a real SMTP server: at least once, under the event's id."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
from msgspec.structs import replace

from domain.catalog import tag_of
from domain.identity.organization.membership import InvitationRevoked, MemberJoined
from domain.identity.user.events import PasswordResetRequested
from eventstore.counters import MAIL_DRIVER, counters_of
from eventstore.operations.records import Mail, MailStatus
from mail.mailbox import Mailbox
from mail.outbox import PAUSES
from runtime.setting import AppEnv, SmtpUrl
from runtime.settings import Settings
from runtime.system import System
from security.mail_tokens import hash_of
from tests.commands.acme import TEAM
from tests.domain.spec import ACME
from tests.mail.post_office import PostOffice, post_office
from tests.spec import on, record
from tests.workers.inviting import invite, invited, sending
from tests.workers.stage import Stage, garble
from workers.mailing import Mailing

pytestmark = pytest.mark.servers
WEEK = timedelta(days=7)
PATIENCE_S = 20.0


@pytest.fixture
async def office() -> AsyncIterator[PostOffice]:
    async with post_office() as office:
        yield office


@pytest.fixture
def system(stage: Stage, office: PostOffice) -> System:
    return replace(stage.system, settings=sending(stage.system.settings, office))


async def mails(system: System) -> list[Mail]:
    """Return the rows of the outbox, but for members: nobody is told of those without contacts."""
    found = await system.operations.mails(99)
    return [mail for mail in found if mail.type != tag_of(MemberJoined)]


async def statuses(system: System) -> list[MailStatus]:
    return [mail.status for mail in await mails(system)]


async def test_an_invitation_is_mailed_once_under_its_events_id(
    system: System, office: PostOffice
) -> None:
    [event] = await invite(system)

    await Mailing(system).send_due()
    await Mailing(system).send_due()

    [message] = office.messages
    [mail] = await mails(system)
    assert mail.status is MailStatus.SENT
    assert message["Message-ID"] == f"<{mail.id}@example.com>"
    assert message["To"] == event.email
    token = message.get_content().partition("/invitation#")[2].split()[0]
    assert hash_of(token) == event.token_hash
    assert "Acme" in message["Subject"]


async def test_two_workers_share_the_mails(system: System, office: PostOffice) -> None:
    await invite(system, 12)

    await asyncio.gather(*(Mailing(system).send_due() for _ in range(2)))

    assert len(office.messages) == len({message["To"] for message in office.messages}) == 12


async def test_what_is_over_before_it_is_sent_is_not_sent(
    stage: Stage, system: System, office: PostOffice
) -> None:
    first, _ = await invite(system, 2)
    await record(system.log, on(ACME, InvitationRevoked(invitation_id=first.invitation_id)))
    office.answers = ["451 Later"]
    await Mailing(system).send_due()
    stage.clock.ahead += WEEK

    await Mailing(system).send_due()

    assert office.messages == []
    assert await statuses(system) == [MailStatus.OBSOLETE] * 2


async def test_a_refusal_for_now_is_tried_again_after_a_pause(
    stage: Stage, system: System, office: PostOffice
) -> None:
    await invite(system)
    office.answers = ["451 Later", "421 Busy"]
    retries = counters_of(MAIL_DRIVER).retries

    for pause in (timedelta(0), *PAUSES[:2]):
        assert office.messages == []
        stage.clock.ahead += pause
        await Mailing(system).send_due()

    assert len(office.messages) == 1
    [mail] = await mails(system)
    assert (mail.status, mail.tries) == (MailStatus.SENT, 2)
    assert counters_of(MAIL_DRIVER).retries == retries + 2


async def test_a_refusal_for_good_ends_the_mail_and_others_go_on(
    system: System, office: PostOffice
) -> None:
    await invite(system, 2)
    office.answers = ["550 No such user"]

    await Mailing(system).send_due()

    assert len(office.messages) == 1
    assert sorted(await statuses(system)) == [MailStatus.FAILED, MailStatus.SENT]


NAMED = b'{"metadata":{"stream":"01900000-0000-7000-8000-000000000001"},"event":{"resetId":7}}'


@pytest.mark.parametrize(
    ("state", "unsent"), [(b"no JSON at all", []), (b"{}", []), (NAMED, [MailStatus.FAILED])]
)
async def test_an_event_that_cannot_be_read_holds_up_no_other_mail(
    system: System, office: PostOffice, state: bytes, unsent: list[MailStatus]
) -> None:
    """What has an id gets a row that says so; what has none can have none."""
    await invite(system)
    await garble(system, uuid4(), 1, tag_of(PasswordResetRequested), state)
    await Mailing(system).send_due()
    await record(system.log, on(ACME, invited(system, 1)))

    await Mailing(system).send_due()

    assert len(office.messages) == 2
    assert sorted(await statuses(system)) == sorted([*unsent, *[MailStatus.SENT] * 2])


async def test_a_server_that_was_away_gets_the_mail_later(stage: Stage, system: System) -> None:
    await invite(system)
    away = replace(
        system, settings=replace(system.settings, smtp_url=SmtpUrl("smtp://127.0.0.1:1"))
    )
    await Mailing(away).send_due()
    assert await statuses(system) == [MailStatus.PENDING]
    stage.clock.ahead += PAUSES[0]

    await Mailing(system).send_due()

    assert await statuses(system) == [MailStatus.SENT]


async def test_a_mail_that_never_gets_through_is_given_up(stage: Stage, system: System) -> None:
    await invite(system)
    away = replace(
        system, settings=replace(system.settings, smtp_url=SmtpUrl("smtp://127.0.0.1:1"))
    )

    for pause in (*PAUSES, timedelta(0)):
        await Mailing(away).send_due()
        stage.clock.ahead += pause

    assert await statuses(system) == [MailStatus.FAILED]


async def test_a_link_that_the_inviter_got_is_not_mailed_as_well(
    system: System, office: PostOffice
) -> None:
    event = replace(invited(system), mailed=False)
    await record(system.log, TEAM, on(ACME, event))

    await Mailing(system).send_due()

    assert office.messages == []


async def test_a_development_system_keeps_its_mails_in_a_mailbox(stage: Stage) -> None:
    settings = replace(stage.system.settings, app_env=AppEnv.DEVELOPMENT)
    system = replace(stage.system, settings=settings)
    [event] = await invite(system)

    await Mailing(system).send_due()
    await Mailing(system).send_due()

    [kept] = Mailbox(settings.data_dir).newest()
    assert (kept.to, kept.subject) == (event.email, "You are invited to Acme")
    assert Mailbox(settings.data_dir).one(kept.id) == kept


async def test_nothing_is_kept_or_sent_without_a_server_outside_development(stage: Stage) -> None:
    assert not Mailing(stage.system).can_send


async def test_a_worker_that_stops_finishes_the_mail_in_progress_and_begins_no_other(
    system: System, office: PostOffice
) -> None:
    await invite(system, 3)
    running = asyncio.create_task(Mailing(system).run())

    def stop() -> None:
        running.cancel()

    office.on_message = stop

    with contextlib.suppress(asyncio.CancelledError):
        await running

    assert len(office.messages) == 1
    assert sorted(await statuses(system)) == [MailStatus.PENDING] * 2 + [MailStatus.SENT]
    assert await system.operations.at_work(60) == 0


async def test_a_worker_killed_after_sending_sends_again_under_the_same_id(
    system: System, settings: Settings, office: PostOffice
) -> None:
    await invite(system)
    worker = await _lone_mailer(system)
    office.on_message = lambda: os.kill(worker.pid, signal.SIGKILL)

    async with asyncio.timeout(PATIENCE_S):
        await worker.wait()
    office.on_message = None
    [mail] = await mails(system)
    assert mail.status is MailStatus.PENDING

    async with asyncio.timeout(PATIENCE_S):
        while await statuses(system) != [MailStatus.SENT]:
            await Mailing(system, lease_s=1.0).send_due()
            await asyncio.sleep(0.05)
    first, second = office.messages
    assert first["Message-ID"] == second["Message-ID"]
    assert first.as_bytes() == second.as_bytes()


async def _lone_mailer(system: System) -> asyncio.subprocess.Process:
    settings = system.settings
    environment = {
        **os.environ,
        "APP_ENV": "test",
        "DATA_DIR": str(settings.data_dir),
        "EVENTS_URL": settings.events_url,
        "SMTP_URL": settings.smtp_url,
        "MAIL_FROM": settings.mail_from,
        "MASTER_KEY": settings.master_key,
        "LOG_SECRET": settings.log_secret,
        "JWT_ACCESS_SECRET": settings.jwt_access_secret,
        "JWT_REFRESH_SECRET": settings.jwt_refresh_secret,
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.workers.lone_mailer", env=environment
    )
