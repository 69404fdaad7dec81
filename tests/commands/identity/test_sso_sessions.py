"""Stories of sessions that began through an identity provider."""

from typing import Any, ClassVar

from commands.identity.invitation import AcceptInvitation
from commands.identity.leaving import EndSessionsOfFormerMember
from commands.identity.organization import CreateOrganization, EditOrganization
from commands.identity.session import RevokeOtherSessions, SwitchOrganization
from commands.identity.settings import ChangeSettings
from domain.identity.organization.events import OrganizationRenamed
from domain.identity.organization.membership import (
    LeaveCause,
    MemberLeft,
    Role,
)
from domain.identity.organization.settings import LoginWay, SettingsChanged
from domain.identity.organization.sso import (
    LoginWayNotAccepted,
    SsoNotConfigured,
)
from domain.identity.session.errors import SessionConfined
from domain.identity.session.events import (
    Factor,
    RevocationCause,
    SessionOrigin,
    SessionRevoked,
)
from domain.identity.user.totp import TotpEnabled, TotpRequired
from tests.commands.acme import LAPTOP, PHONE, TEAM, account, founded, started
from tests.domain.acme import invitation
from tests.domain.identity.providers import CONFIGURED, ISSUER
from tests.domain.spec import ACME, ANA, CLEO, DAN, OTHER
from tests.spec import given, on

ANAS = (TEAM, account(ANA, "Ana"), on(LAPTOP, started(ANA, organization_id=ACME)))
HERE = (TEAM, on(ACME, CONFIGURED))
BY_PROVIDER = SessionOrigin(Factor.OIDC, ISSUER)
BEGAN = started(DAN, organization_id=ACME, factor=Factor.OIDC, issuer=ISSUER)


class TestConfinement:
    inside = (*HERE, account(DAN, "Dan"), on(LAPTOP, BEGAN))
    theirs = founded(OTHER, "other", dan=(DAN, Role.ADMIN))
    at: ClassVar[dict[str, Any]] = {"by": DAN, "session_id": LAPTOP, "origin": BY_PROVIDER}

    def test_a_session_of_a_provider_works_nowhere_else(self) -> None:
        switch = SwitchOrganization(organization_id=OTHER)
        here = given(*self.inside, self.theirs)
        here.when(switch, org_id=OTHER, **self.at).then_refused(LoginWayNotAccepted)
        without = {**self.at, "origin": None}
        here.when(switch, org_id=OTHER, **without).then_refused(SessionConfined)

    def test_it_opens_no_other_organization(self) -> None:
        create = CreateOrganization(organization_id=OTHER, name="Mine", subdomain="mine")
        given(*self.inside).when(create, **self.at).then_refused(SessionConfined)

    def test_it_joins_no_other_organization(self) -> None:
        invited = invitation()
        accept = AcceptInvitation(
            organization_id=OTHER,
            invitation_id=invited.invitation_id,
            token_hash=invited.token_hash,
            user_id=DAN,
        )
        here = given(*self.inside, founded(OTHER, "other"), on(OTHER, invited, org_id=OTHER))
        here.when(accept, org_id=OTHER, **self.at).then_refused(SessionConfined)


class TestLoginWays:
    only = on(ACME, CONFIGURED, SettingsChanged(login_ways=(LoginWay.OIDC,)))
    rename = EditOrganization(organization_id=ACME, name="Apex")
    renamed = OrganizationRenamed(from_="Acme", to="Apex")

    def test_a_password_is_not_enough_where_only_the_provider_counts(self) -> None:
        here = given(*ANAS, self.only)
        by_password = here.when(self.rename, origin=SessionOrigin(Factor.PASSWORD))
        by_password.then_refused(LoginWayNotAccepted)
        here.when(self.rename, origin=BY_PROVIDER).then(self.renamed)
        here.when(self.rename, origin=SessionOrigin(Factor.TOTP)).then(self.renamed)

    def test_the_provider_makes_up_for_a_second_factor(self) -> None:
        here = given(*ANAS, on(ACME, CONFIGURED, SettingsChanged(require_totp=True)))
        here.when(self.rename, origin=SessionOrigin(Factor.PASSWORD)).then_refused(TotpRequired)
        here.when(self.rename, origin=BY_PROVIDER).then(self.renamed)

    def test_a_session_of_a_removed_provider_has_no_access(self) -> None:
        story = given(*ANAS).when(self.rename, origin=BY_PROVIDER)
        story.then_refused(LoginWayNotAccepted)

    def test_who_refuses_passwords_needs_a_provider_and_a_second_factor(self) -> None:
        change = ChangeSettings(organization_id=ACME, login_ways=(LoginWay.OIDC,))
        given(*ANAS).when(change).then_refused(SsoNotConfigured)
        here = (*ANAS, on(ACME, CONFIGURED))
        given(*here).when(change).then_refused(TotpRequired)
        secured = on(ANA, TotpEnabled(step=1, recovery=()))
        given(*here, secured).when(change).then(SettingsChanged(login_ways=(LoginWay.OIDC,)))

    def test_nobody_switches_to_an_organization_that_refuses_their_login(self) -> None:
        cleo = on(PHONE, started(CLEO))
        story = given(TEAM, self.only, account(CLEO, "Cleo"), cleo).when(
            SwitchOrganization(organization_id=ACME),
            by=CLEO,
            session_id=PHONE,
            origin=SessionOrigin(Factor.PASSWORD),
        )
        story.then_refused(LoginWayNotAccepted)


class TestEnds:
    def test_sessions_of_the_provider_end_with_the_membership(self) -> None:
        left = on(ACME, MemberLeft(user_id=DAN, cause=LeaveCause.REMOVED))
        story = given(*HERE, account(DAN, "Dan"), on(LAPTOP, BEGAN), left).when(
            EndSessionsOfFormerMember(user_id=DAN)
        )
        story.then(on(LAPTOP, SessionRevoked(by=None, cause=RevocationCause.LEFT_ORGANIZATION)))

    def test_their_owner_ends_them_with_all_others(self) -> None:
        own = on(PHONE, started(DAN))
        command = RevokeOtherSessions(session_id=PHONE, listed=(LAPTOP, PHONE))
        story = given(*HERE, account(DAN, "Dan"), own, on(LAPTOP, BEGAN)).when(command, by=DAN)
        story.then(on(LAPTOP, SessionRevoked(by=DAN, cause=RevocationCause.BY_USER)))

    def test_nobody_ends_those_of_others(self) -> None:
        own = on(PHONE, started(ANA))
        command = RevokeOtherSessions(session_id=PHONE, listed=(LAPTOP,))
        given(*HERE, account(DAN, "Dan"), own, on(LAPTOP, BEGAN)).when(command, by=ANA).then()
