"""Stories of the settings of an organization."""

from datetime import timedelta
from typing import Any

import pytest

from commands.base import Command, NotPermitted
from commands.identity.organization import EditOrganization
from commands.identity.settings import ChangeSettings
from domain.base import NotFound
from domain.identity.organization.events import OrganizationRenamed
from domain.identity.organization.settings import (
    LoginWay,
    NoLoginWay,
    SettingsChanged,
    UnknownTimeZone,
)
from domain.identity.session.errors import ReauthenticationRequired, SessionExpired
from domain.identity.session.events import Factor, SessionReauthenticated, SessionRotated
from tests.commands.acme import LAPTOP, TEAM, account, started
from tests.domain.spec import ACME, ANA, BEN, DAY, HOUR, NOW, OTHER
from tests.spec import given, on

HERE = (TEAM, account(ANA, "Ana"), on(LAPTOP, started(ANA)))


def change(**fields: Any) -> ChangeSettings:
    return ChangeSettings(organization_id=ACME, **fields)


class TestChangeSettings:
    def test_every_setting_can_be_changed(self) -> None:
        asked = change(
            login_ways=(LoginWay.OIDC, LoginWay.PASSWORD, LoginWay.OIDC),
            session_idle=1_800,
            session_max=3_600,
            time_zone="Europe/Zurich",
            security_contacts=("ana@acme.example", "ben@acme.example", "ana@acme.example"),
        )
        changed = SettingsChanged(
            session_idle=1_800,
            session_max=3_600,
            time_zone="Europe/Zurich",
            security_contacts="ana@acme.example\nben@acme.example",
        )
        story = given(*HERE).when(asked)
        story.then(on(ACME, changed))
        given(*HERE, on(ACME, changed)).when(asked).then()
        nobody = SettingsChanged(
            security_contacts="", former_contacts="ana@acme.example\nben@acme.example"
        )
        again = change(security_contacts=())
        given(*HERE, on(ACME, changed)).when(again).then(on(ACME, nobody))

    def test_what_cannot_be_is_refused(self) -> None:
        given(*HERE).when(change(login_ways=())).then_refused(NoLoginWay)
        given(*HERE).when(change(time_zone="Europe/Atlantis")).then_refused(UnknownTimeZone)
        given(*HERE).when(change(time_zone="../UTC")).then_refused(UnknownTimeZone)

    def test_only_admins_change_them_with_a_recent_proof(self) -> None:
        asked = change(time_zone="Asia/Tokyo")
        given(*HERE).when(asked, by=BEN).then_refused(NotPermitted)
        elsewhere = ChangeSettings(organization_id=OTHER, time_zone="Asia/Tokyo")
        given(*HERE).when(elsewhere).then_refused(NotFound)
        later: dict[str, Any] = {"session_id": LAPTOP, "now": NOW + HOUR}
        given(*HERE).when(asked, **later).then_refused(ReauthenticationRequired)


class TestSessionLimits:
    rename = EditOrganization(organization_id=ACME, name="Apex")
    renamed = on(ACME, OrganizationRenamed(from_="Acme", to="Apex"))
    idle = on(ACME, SettingsChanged(session_idle=1_800))
    proof = on(ACME, SettingsChanged(session_max=3_600))

    @pytest.mark.parametrize(
        ("limit", "passes"), [(idle, timedelta(minutes=30)), (proof, timedelta(hours=1))]
    )
    def test_a_session_beyond_a_limit_can_do_nothing_in_the_organization(
        self, limit: Any, passes: timedelta
    ) -> None:
        here = (*HERE, limit)
        just: dict[str, Any] = {"session_id": LAPTOP, "now": NOW + passes - timedelta(seconds=1)}
        given(*here).when(self.rename, **just).then(self.renamed)
        over: dict[str, Any] = {"session_id": LAPTOP, "now": NOW + passes}
        given(*here).when(self.rename, **over).then_refused(SessionExpired)

    def test_a_refresh_ends_idleness_and_a_proof_the_age(self) -> None:
        later = NOW + HOUR
        rotated = on(
            LAPTOP, SessionRotated(generation=1, rotated_at=later, idle_expires_at=later + DAY)
        )
        proved = on(LAPTOP, SessionReauthenticated(factor=Factor.PASSWORD, at=later))
        at: dict[str, Any] = {"session_id": LAPTOP, "now": later}
        asked: Command = self.rename

        given(*HERE, self.idle, rotated).when(asked, **at).then(self.renamed)
        given(*HERE, self.proof, proved).when(asked, **at).then(self.renamed)
        given(*HERE, self.idle, proved).when(asked, **at).then_refused(SessionExpired)
        given(*HERE, self.proof, rotated).when(asked, **at).then_refused(SessionExpired)
