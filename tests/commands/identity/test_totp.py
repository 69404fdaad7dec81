"""Stories of the second factor."""

import asyncio
from typing import Any

import pytest

from commands.base import Command
from commands.handler import CommandHandler
from commands.identity.organization import EditOrganization
from commands.identity.session import LogIn, Reauthenticate
from commands.identity.settings import ChangeSettings
from commands.identity.totp import (
    TOTP_PROPOSED,
    TOTP_SECRET,
    DisableTotp,
    EnableTotp,
    RenewRecoveryCodes,
)
from domain.base import DomainError, SessionId
from domain.identity.organization.events import OrganizationRenamed
from domain.identity.organization.settings import SettingsChanged
from domain.identity.session.events import (
    Factor,
    RevocationCause,
    SessionReauthenticated,
    SessionRevoked,
)
from domain.identity.user.totp import (
    RecoveryCodesRenewed,
    RecoveryCodeUsed,
    SecondProof,
    TotpAlreadyEnabled,
    TotpDisabled,
    TotpEnabled,
    TotpRequired,
    TotpUsed,
    WrongCode,
)
from eventstore.identifiers import new_id
from eventstore.log import EventLog
from tests.commands.acme import LAPTOP, PHONE, TEAM, account, started
from tests.domain.spec import ACME, ANA, NOW
from tests.spec import context, given, on, record

ANAS = (account(ANA, "Ana"),)
ENABLED = TotpEnabled(step=5, recovery=("a", "b"))
WITH_TOTP = (*ANAS, on(ANA, ENABLED))
NEXT, RECOVERY = SecondProof(step=6), SecondProof(recovery="a")


def log_in(**about: Any) -> LogIn:
    details: dict[str, Any] = {"session_id": LAPTOP, "user_id": ANA, "nonce": "n", "credentials": 0}
    return LogIn(**(details | about))


class TestTotp:
    enable = EnableTotp(user_id=ANA, step=5, recovery=("a", "b"), sealed_secret=b"sealed")

    def test_the_secret_is_kept_beside_the_log_once_confirmed(self) -> None:
        story = given(*ANAS).when(self.enable)
        story.then(on(ANA, ENABLED))
        assert story.secrets[ANA] == {TOTP_SECRET: b"sealed"}
        assert TOTP_PROPOSED not in story.secrets[ANA]
        given(*WITH_TOTP).when(self.enable).then_refused(TotpAlreadyEnabled)

    def test_sessions_that_began_without_it_end_but_for_the_one_that_proved_it(self) -> None:
        here = (*ANAS, on(LAPTOP, started(ANA)), on(PHONE, started(ANA, place=1)))
        over = on(PHONE, SessionRevoked(by=ANA, cause=RevocationCause.SECOND_FACTOR))
        proved = on(LAPTOP, SessionReauthenticated(factor=Factor.TOTP, at=NOW))
        given(*here).when(self.enable, session_id=LAPTOP).then(on(ANA, ENABLED), proved, over)

    def test_recovery_codes_are_renewed_by_a_code(self) -> None:
        asked = RenewRecoveryCodes(user_id=ANA, proof=NEXT, recovery=("c",))
        given(*WITH_TOTP).when(asked).then(TotpUsed(step=6), RecoveryCodesRenewed(recovery=("c",)))

    @pytest.mark.parametrize(
        ("proof", "used"), [(NEXT, TotpUsed(step=6)), (RECOVERY, RecoveryCodeUsed(code_hash="a"))]
    )
    def test_it_is_turned_off_with_its_secret(self, proof: SecondProof, used: Any) -> None:
        story = given(*WITH_TOTP).when(DisableTotp(user_id=ANA, proof=proof))
        story.then(used, TotpDisabled())
        assert TOTP_SECRET not in story.secrets[ANA]


class TestLoginWithTotp:
    def test_a_login_uses_up_its_code(self) -> None:
        session = started(ANA, factor=Factor.TOTP)
        story = given(*WITH_TOTP).when(log_in(second=NEXT), org_id=None)
        story.then(on(ANA, TotpUsed(step=6)), on(LAPTOP, session))

    def test_a_login_uses_up_a_recovery_code(self) -> None:
        session = started(ANA, factor=Factor.RECOVERY_CODE)
        story = given(*WITH_TOTP).when(log_in(second=RECOVERY), org_id=None)
        story.then(on(ANA, RecoveryCodeUsed(code_hash="a")), on(LAPTOP, session))

    def test_the_password_alone_is_not_enough(self) -> None:
        given(*WITH_TOTP).when(log_in()).then_refused(WrongCode)
        story = given(*WITH_TOTP).when(log_in(proved=True), org_id=None)
        story.then(on(LAPTOP, started(ANA)))

    @pytest.mark.parametrize("proof", [NEXT, RECOVERY])
    async def test_a_code_works_once_in_a_race_of_two_processes(
        self, log: EventLog, handler: CommandHandler, elsewhere: CommandHandler, proof: SecondProof
    ) -> None:
        await record(log, *WITH_TOTP)

        outcomes = await asyncio.gather(
            *(
                process.handle(
                    log_in(session_id=SessionId(new_id()), second=proof), context(ANA, org_id=None)
                )
                for process in (handler, elsewhere) * 8
            ),
            return_exceptions=True,
        )

        refused = [type(one) for one in outcomes if isinstance(one, DomainError)]
        assert refused == [WrongCode] * 15

    def test_a_code_is_a_proof_in_a_session(self) -> None:
        here = (*WITH_TOTP, on(LAPTOP, started(ANA)))
        proved = SessionReauthenticated(factor=Factor.TOTP, at=NOW)
        asked = Reauthenticate(session_id=LAPTOP, second=NEXT, credentials=0)
        given(*here).when(asked).then(on(ANA, TotpUsed(step=6)), on(LAPTOP, proved))
        by_recovery = Reauthenticate(session_id=LAPTOP, second=RECOVERY, credentials=0)
        assert len(given(*here).when(by_recovery).recorded) == 2


class TestRequiredTotp:
    required = on(ACME, SettingsChanged(require_totp=True))
    rename = EditOrganization(organization_id=ACME, name="Apex")

    def test_an_admin_with_a_second_factor_can_require_it_of_all(self) -> None:
        asked = ChangeSettings(organization_id=ACME, require_totp=True)
        given(TEAM, *WITH_TOTP).when(asked).then(self.required)
        given(TEAM, *ANAS).when(asked).then_refused(TotpRequired)
        given(TEAM, *WITH_TOTP, self.required).when(asked).then()

    def test_members_without_it_can_do_nothing_in_the_organization(self) -> None:
        given(TEAM, *ANAS, self.required).when(self.rename).then_refused(TotpRequired)
        renamed = OrganizationRenamed(from_="Acme", to="Apex")
        given(TEAM, *WITH_TOTP, self.required).when(self.rename).then(on(ACME, renamed))

    def test_it_can_be_required_no_longer(self) -> None:
        asked: Command = ChangeSettings(organization_id=ACME, require_totp=False)
        changed = on(ACME, SettingsChanged(require_totp=False))
        given(TEAM, *WITH_TOTP, self.required).when(asked).then(changed)
