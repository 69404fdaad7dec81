"""Mails about accounts, through a real SMTP server: links, and news of what happened."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from msgspec.structs import replace

from api.login.email_proof import PROOF_TOKEN_LIFETIME, proof_of
from domain.identity.user.address import EmailChanged
from domain.identity.user.events import (
    EmailConfirmed,
    NewNetworkSeen,
    PasswordChanged,
    PasswordResetRequested,
)
from domain.identity.user.totp import TotpDisabled, TotpEnabled, TotpUsed
from eventstore.operations.records import MailStatus
from runtime.setting import MailAddress, SmtpUrl
from runtime.system import System
from security.mail_tokens import MailPurpose, hash_of
from tests.commands.acme import account
from tests.domain.spec import ANA, BEN, NOW
from tests.mail.post_office import PostOffice, post_office
from tests.spec import on, record
from tests.workers.stage import Stage
from workers.mailing import Mailing

pytestmark = pytest.mark.servers
NEW = "ana@new.example.com"


@pytest.fixture
async def office() -> AsyncIterator[PostOffice]:
    async with post_office() as office:
        yield office


@pytest.fixture
def system(stage: Stage, office: PostOffice) -> System:
    settings = replace(
        stage.system.settings,
        smtp_url=SmtpUrl(office.url),
        mail_from=MailAddress("Trackrecord <no-reply@example.com>"),
    )
    return replace(stage.system, settings=settings)


async def statuses(system: System) -> list[MailStatus]:
    return [mail.status for mail in await system.operations.mails(99)]


async def test_the_token_of_a_reset_goes_to_the_accounts_address(
    system: System, office: PostOffice
) -> None:
    reset_id, expires_at = uuid4(), system.clock() + timedelta(minutes=30)
    token = system.keys.mail_tokens.mint(MailPurpose.PASSWORD_RESET, ANA, reset_id, expires_at)
    requested = PasswordResetRequested(
        reset_id=reset_id, token_hash=hash_of(token), expires_at=expires_at
    )
    await record(system.log, account(ANA, "Ana"), on(ANA, requested))
    await Mailing(system).send_due()

    [message] = office.messages
    assert message["To"] == "ana@example.com"
    assert f"/reset-password#{token}" in message.get_content()


async def test_a_changed_password_is_told_at_once_or_never(
    stage: Stage, system: System, office: PostOffice
) -> None:
    stage.clock.ahead = NOW - datetime.now(UTC)  # when the test's events happened
    requested = PasswordResetRequested(
        reset_id=uuid4(), token_hash="0" * 64, expires_at=NOW + timedelta(minutes=30)
    )
    await record(system.log, account(ANA, "Ana"), on(ANA, requested, PasswordChanged()))
    await Mailing(system).send_due()
    await record(system.log, on(ANA, PasswordChanged()))
    stage.clock.ahead += timedelta(days=2)

    await Mailing(system).send_due()

    [message] = office.messages
    assert message["Subject"] == "Your password was changed"


async def test_the_token_that_proves_an_address_goes_to_that_address_only(
    system: System, office: PostOffice
) -> None:
    proof = proof_of(system, ANA, NEW, system.clock())
    token = system.keys.mail_tokens.mint(MailPurpose.EMAIL, ANA, proof.proof_id, proof.expires_at)
    await record(system.log, account(ANA, "Ana"), on(ANA, proof))

    await Mailing(system).send_due()

    [message] = office.messages
    assert message["To"] == NEW
    assert f"/confirm-email#{token}" in message.get_content()


@pytest.mark.parametrize("over", ["used", "replaced", "expired", "taken"])
async def test_a_proof_that_is_over_or_of_somebody_elses_address_is_not_mailed(
    stage: Stage, system: System, office: PostOffice, over: str
) -> None:
    address = "ben@example.com" if over == "taken" else "ana@example.com"
    proof = proof_of(system, ANA, address, system.clock())
    await record(system.log, account(ANA, "Ana"), account(BEN, "Ben"), on(ANA, proof))
    if over == "used":
        await record(system.log, on(ANA, EmailConfirmed()))
    if over == "replaced":
        await record(system.log, on(ANA, replace(proof, token_hash="1" * 64)))
    if over == "expired":
        stage.clock.ahead += PROOF_TOKEN_LIFETIME

    await Mailing(system).send_due()

    assert office.messages == []
    assert set(await statuses(system)) == {MailStatus.OBSOLETE}


async def test_the_old_address_is_told_of_the_change_and_not_of_the_new_one(
    stage: Stage, system: System, office: PostOffice
) -> None:
    stage.clock.ahead = NOW - datetime.now(UTC)  # when the test's events happened
    changed = EmailChanged(from_="ana@example.com", to=NEW)
    await record(system.log, account(ANA, "Ana"), on(ANA, changed))

    await Mailing(system).send_due()

    [message] = office.messages
    assert (message["To"], message["Subject"]) == (
        "ana@example.com",
        "Your e-mail address was changed",
    )
    assert NEW not in message.get_content()


async def test_a_login_from_a_new_network_is_told_at_once_or_never(
    stage: Stage, system: System, office: PostOffice
) -> None:
    stage.clock.ahead = NOW - datetime.now(UTC)  # when the test's events happened
    seen = NewNetworkSeen(network="192.0.2.0/24", device="Firefox on Windows")
    await record(system.log, account(ANA, "Ana"), on(ANA, seen))
    await Mailing(system).send_due()
    await record(system.log, on(ANA, seen))
    stage.clock.ahead += timedelta(days=2)
    await Mailing(system).send_due()

    [message] = office.messages
    assert message["To"] == "ana@example.com"
    assert "Firefox on Windows, from 192.0.2.0/24" in " ".join(message.get_content().split())


async def test_a_second_factor_that_is_turned_on_or_off_is_told(
    stage: Stage, system: System, office: PostOffice
) -> None:
    stage.clock.ahead = NOW - datetime.now(UTC)  # when the test's events happened
    enabled = TotpEnabled(step=5, recovery=("a",))
    await record(system.log, account(ANA, "Ana"), on(ANA, enabled, TotpUsed(step=6)))
    await record(system.log, on(ANA, TotpDisabled()))

    await Mailing(system).send_due()

    subjects = {str(message["Subject"]) for message in office.messages}
    assert subjects == {
        "Two-factor login was turned on",
        "Two-factor login was turned off",
    }
    assert len(office.messages) == 2, "a code that was used is no news"
