"""Mails to the security contacts of an organization, through a real SMTP server."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from domain.access import NewNetworkUsed, access_record
from domain.base import SessionId, WebhookId
from domain.hooks.webhook.events import DeliveryMode, WebhookCreated, WebhookSecretRotated
from domain.identity.api_key.events import ApiKeyCreated, ApiKeyRotated
from domain.identity.api_key.state import stream_of_key
from domain.identity.organization.events import OrganizationDeleted, PlanChanged
from domain.identity.organization.membership import MemberJoined, MemberRoleChanged, Role
from domain.identity.organization.settings import SettingsChanged
from domain.identity.plan import Plan
from mail.security_letter import TOLD_TO_CONTACTS
from runtime.system import System
from tests.commands.acme import TEAM, account
from tests.domain.spec import ACME, ANA, BEN, CLEO, DAN, DAY, NOW
from tests.mail.post_office import PostOffice, post_office
from tests.spec import Past, on, record
from tests.workers.inviting import sending
from tests.workers.stage import Stage
from workers.mailing import Mailing

pytestmark = pytest.mark.servers
HOOK, KEY = WebhookId(UUID(int=71)), stream_of_key("abc")
CONTACTS = SettingsChanged(security_contacts="sec@acme.example\nops@acme.example")
HERE = (
    account(ANA, "Ana"),
    account(BEN, "Ben"),
    account(CLEO, "Cleo"),
    account(DAN, "Dan"),
    TEAM,
)

MADE = ApiKeyCreated(
    name="CI",
    key_id="abc",
    hash="one",
    last4="wxyz",
    scopes=("task:read",),
    networks="",
    expires_at=NOW + DAY,
    created_by=BEN,
    created_at=NOW,
)
HOOKED = WebhookCreated(
    url="https://example.com", events=("*",), mode=DeliveryMode.ORDERED, from_seq=1
)
TO = "sec@acme.example, ops@acme.example"
ON_NETWORK = SessionId(UUID(int=72))

TOLD: list[tuple[Past, str]] = [
    (
        on(access_record(ACME, ANA), NewNetworkUsed(user_id=ANA, session_id=ON_NETWORK)),
        "An administrator logged in from a network",
    ),
    (
        on(ACME, MemberRoleChanged(user_id=CLEO, from_=Role.MEMBER, to=Role.ADMIN)),
        "A member, cleo@example.com, was made an administrator.",
    ),
    (
        on(ACME, MemberJoined(user_id=DAN, role=Role.ADMIN)),
        "Somebody, dan@example.com, joined as an administrator.",
    ),
    (
        on(ACME, PlanChanged(from_=Plan.FREE, to=Plan.BASIC)),
        "The plan was changed from FREE to BASIC.",
    ),
    (
        on(ACME, SettingsChanged(require_totp=True, session_max=3_600)),
        "Settings were changed: whether two-factor login is required, how long sessions live",
    ),
    (on(HOOK, HOOKED), "A webhook was created"),
    (
        on(HOOK, WebhookSecretRotated(secret_version=2, old_valid_until=NOW)),
        "The signing secret of a webhook was replaced.",
    ),
    (on(KEY, MADE), "An API key was created."),
    (
        on(
            KEY,
            ApiKeyRotated(
                hash="two",
                last4="zyxw",
                rotated_at=NOW,
                expires_at=NOW + DAY,
                old_valid_until=NOW,
            ),
        ),
        "An API key was replaced by a new one.",
    ),
    (on(ACME, OrganizationDeleted()), "The organization was moved to the trash."),
]

UNTOLD: list[Past] = [
    on(access_record(ACME, BEN), NewNetworkUsed(user_id=BEN, session_id=ON_NETWORK)),
    on(ACME, MemberRoleChanged(user_id=CLEO, from_=Role.MEMBER, to=Role.MANAGER)),
    on(ACME, MemberJoined(user_id=DAN, role=Role.MANAGER)),
]


@pytest.fixture
async def office() -> AsyncIterator[PostOffice]:
    async with post_office() as office:
        yield office


@pytest.fixture
def system(stage: Stage, office: PostOffice) -> System:
    stage.clock.ahead = NOW - datetime.now(UTC)  # when the test's events happened
    return replace(stage.system, settings=sending(stage.system.settings, office))


def texts(office: PostOffice) -> list[str]:
    return [" ".join(message.get_content().split()) for message in office.messages]


async def test_contacts_are_told_in_one_mail_of_what_an_attacker_would_do(
    system: System, office: PostOffice
) -> None:
    await record(system.log, *HERE, on(ACME, CONTACTS))
    for past, text in TOLD:
        await Mailing(system).send_due()
        office.messages.clear()
        await record(system.log, past)

        await Mailing(system).send_due()

        assert text in texts(office)[-1]
        assert {message["To"] for message in office.messages} == {TO}
        assert "It was done by" in texts(office)[-1]
        assert {message["Subject"] for message in office.messages} == {"Security of Acme"}
    assert {type(event) for past, _ in TOLD for event in past.events} == set(TOLD_TO_CONTACTS)


async def test_of_everything_else_nobody_is_told(system: System, office: PostOffice) -> None:
    await record(system.log, *HERE, on(ACME, CONTACTS))
    await Mailing(system).send_due()
    office.messages.clear()
    await record(system.log, *UNTOLD)

    await Mailing(system).send_due()

    assert office.messages == []


async def test_without_contacts_nobody_is_told(system: System, office: PostOffice) -> None:
    await record(system.log, *HERE, *(past for past, _ in TOLD if past.stream == ACME))

    await Mailing(system).send_due()

    assert office.messages == []


async def test_contacts_that_are_removed_are_told_once_more(
    system: System, office: PostOffice
) -> None:
    await record(system.log, *HERE, on(ACME, CONTACTS))
    await Mailing(system).send_due()
    office.messages.clear()
    removed = SettingsChanged(
        security_contacts="new@acme.example", former_contacts=str(CONTACTS.security_contacts)
    )
    await record(system.log, on(ACME, removed))

    await Mailing(system).send_due()

    [message] = office.messages
    assert message["To"] == f"new@acme.example, {TO}"
    assert "who gets mails like this one" in texts(office)[0]


async def test_what_happened_long_ago_is_no_news(
    stage: Stage, system: System, office: PostOffice
) -> None:
    await record(system.log, *HERE, on(ACME, CONTACTS))
    stage.clock.ahead += timedelta(days=2)

    await Mailing(system).send_due()

    assert office.messages == []
