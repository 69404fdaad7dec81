"""Stories of sensitive commands, which need a recent proof of who the caller is."""

from uuid import UUID

import pytest

from commands.base import Command, NotPermitted
from commands.hooks.webhook import RotateWebhookSecret
from commands.identity.organization import ChangePlan, DeleteOrganization
from commands.identity.session import (
    Reauthenticate,
)
from domain.base import WebhookId
from domain.hooks.webhook.events import DeliveryMode, WebhookCreated
from domain.identity.plan import Plan
from domain.identity.session.errors import ReauthenticationRequired, SessionIsOver
from domain.identity.session.events import (
    Factor,
    SessionEnded,
    SessionReauthenticated,
)
from domain.identity.session.state import (
    PROOF_LIFETIME,
)
from domain.identity.user.events import PasswordChanged
from tests.commands.acme import LAPTOP, PHONE, TEAM, account, started
from tests.domain.spec import ACME, ANA, BEN, CLEO, NOW, SECOND
from tests.spec import Past, given, on

ANAS = (account(ANA, "Ana"),)
STARTED = started(ANA)
HERE = (*ANAS, on(LAPTOP, STARTED))


class TestReauthenticate:
    asked = Reauthenticate(session_id=LAPTOP, credentials=0)
    later = NOW + PROOF_LIFETIME + SECOND

    def test_a_proof_is_recorded_in_this_session(self) -> None:
        proved = SessionReauthenticated(factor=Factor.PASSWORD, at=self.later)
        given(*HERE).when(self.asked, now=self.later).then(on(LAPTOP, proved))

    @pytest.mark.parametrize(
        "past", [on(LAPTOP, SessionEnded()), on(ANA, PasswordChanged())], ids=["ended", "password"]
    )
    def test_a_proof_of_an_older_password_or_session_does_not_count(self, past: Past) -> None:
        given(*HERE, past).when(self.asked).then_refused(SessionIsOver)

    def test_nobody_proves_anything_in_the_session_of_another(self) -> None:
        story = given(*HERE, account(BEN, "Ben"))
        story.when(self.asked, by=BEN).then_refused(SessionIsOver)


SENSITIVE = [
    ChangePlan(organization_id=ACME, plan=Plan.BASIC),
    DeleteOrganization(organization_id=ACME),
    RotateWebhookSecret(webhook_id=WebhookId(UUID(int=71)), sealed_secret=b"s"),
]


@pytest.mark.parametrize("command", SENSITIVE, ids=lambda command: type(command).__name__)
class TestSensitiveCommands:
    hook = on(
        UUID(int=71),
        WebhookCreated(
            url="https://a.example", events=("*",), mode=DeliveryMode.ORDERED, from_seq=0
        ),
    )
    here = (*HERE, TEAM, hook)
    late = NOW + PROOF_LIFETIME + SECOND

    def test_are_refused_without_a_recent_proof(self, command: Command) -> None:
        story = given(*self.here).when(command, session_id=LAPTOP, now=self.late)
        story.then_refused(ReauthenticationRequired, route="/api/auth/reauthenticate")

    def test_a_proof_in_another_session_does_not_count(self, command: Command) -> None:
        proved = SessionReauthenticated(factor=Factor.PASSWORD, at=self.late)
        phone = on(PHONE, started(ANA, place=1), proved)
        story = given(*self.here, phone).when(command, session_id=LAPTOP, now=self.late)
        story.then_refused(ReauthenticationRequired)

    def test_are_accepted_after_a_login_or_a_proof(self, command: Command) -> None:
        soon = NOW + PROOF_LIFETIME
        assert given(*self.here).when(command, session_id=LAPTOP, now=soon).recorded
        proved = on(LAPTOP, SessionReauthenticated(factor=Factor.PASSWORD, at=self.late))
        assert given(*self.here, proved).when(command, session_id=LAPTOP, now=self.late).recorded

    def test_a_missing_permission_is_told_first(self, command: Command) -> None:
        phone = on(PHONE, started(CLEO))
        story = given(*self.here, phone, account(CLEO, "Cleo"))
        story.when(command, by=CLEO, session_id=PHONE, now=self.late).then_refused(NotPermitted)
