"""Stories of single sign-on: the provider of an organization, and logins through it."""

from typing import Any
from uuid import UUID

import pytest

from commands.base import NotPermitted
from commands.identity.sso import (
    CLIENT_SECRET,
    ConfigureSso,
    LogInBySso,
    ProveDomain,
    RecordRefusedSso,
    RemoveSso,
)
from commands.reservations import email_claim, subject_claim
from domain.access import UNKNOWN_PERSON, LoggedIn, SsoRefused, access_record
from domain.base import SessionId, UserId
from domain.identity.organization.membership import (
    MemberDeactivated,
    MemberJoined,
    MemberRoleChanged,
    Role,
)
from domain.identity.organization.settings import LoginWay, SettingsChanged
from domain.identity.organization.sso import (
    AccountUnconfirmed,
    ClientSecretNeeded,
    DomainNotAccepted,
    LinkedToAnother,
    MemberLinked,
    MembershipSuspended,
    SsoLoginIsOver,
    SsoRemoved,
    SsoStillDemanded,
)
from domain.identity.session.errors import ReauthenticationRequired
from domain.identity.session.events import (
    Factor,
    RevocationCause,
    SessionRevoked,
    SessionStarted,
)
from domain.identity.session.state import SESSIONS_MAX
from domain.identity.user.address import EmailProofRequested
from domain.identity.user.errors import AccountDeactivated
from domain.identity.user.events import (
    EmailConfirmed,
    HomeOrganizationChanged,
    UserDeactivated,
    UserRegistered,
)
from tests.commands.acme import LAPTOP, TEAM, account, started
from tests.domain.acme import invitation
from tests.domain.identity.providers import CONFIGURED, ISSUER, MAPPED, PROVEN, configured
from tests.domain.spec import ACME, ANA, BEN, CLEO, DAN, DAY, NOW
from tests.spec import Past, data_keys, given, on

FINGERPRINT = data_keys().fingerprint
ANAS = (TEAM, account(ANA, "Ana"), on(LAPTOP, started(ANA, organization_id=ACME)))
HERE = (TEAM, on(ACME, CONFIGURED, PROVEN))
PROOF = EmailProofRequested(
    proof_id=UUID(int=91), email="dan@example.com", token_hash="0" * 64, expires_at=NOW + DAY
)
BEGAN = started(DAN, organization_id=ACME, factor=Factor.OIDC, issuer=ISSUER)
LINKED = MemberLinked(user_id=DAN, issuer=ISSUER, subject="d")
RECORD = access_record(ACME, DAN)


def confirmed(user: UserId, name: str) -> Past:
    return on(
        user,
        UserRegistered(email=f"{name.lower()}@example.com", name=name),
        EmailConfirmed(),
    )


def configure(secret: bytes | None = b"sealed", **about: Any) -> ConfigureSso:
    wanted = configured(**about)
    return ConfigureSso(
        organization_id=ACME,
        configuration_id=wanted.configuration_id,
        issuer=wanted.issuer,
        client_id=wanted.client_id,
        scopes=wanted.scopes,
        domains=wanted.domains,
        role_claim=wanted.role_claim,
        roles=wanted.roles,
        default_role=wanted.default_role,
        sealed_secret=secret,
    )


def log_in(
    session_id: SessionId = LAPTOP,
    subject: str = "d",
    email: str = "dan@example.com",
    user_id: UserId = DAN,
    **about: Any,
) -> LogInBySso:
    fields: dict[str, Any] = {
        "configuration_id": CONFIGURED.configuration_id,
        "name": "Dan",
        "role_values": (),
        "proof": PROOF,
        "nonce": "n",
        "proved_at": None,
    }
    return LogInBySso(
        organization_id=ACME,
        session_id=session_id,
        user_id=user_id,
        subject=subject,
        subject_claim=subject_claim(FINGERPRINT, ACME, ISSUER, subject),
        email=email,
        email_claim=email_claim(FINGERPRINT, email),
        **(fields | about),
    )


def came(user_id: UserId = DAN, session_id: SessionId = LAPTOP) -> Past:
    logged_in = LoggedIn(user_id=user_id, session_id=session_id)
    return on(access_record(ACME, user_id), logged_in, org_id=ACME)


class TestConfigureSso:
    def test_an_admin_names_a_provider_whose_secret_is_no_event(self) -> None:
        story = given(*ANAS).when(configure())
        story.then(on(ACME, CONFIGURED))
        assert story.secrets[ACME] == {CLIENT_SECRET: b"sealed"}
        given(*ANAS, on(ACME, CONFIGURED)).when(configure()).then()

    def test_the_secret_may_stay_the_same_for_the_same_client_only(self) -> None:
        here = (*ANAS, on(ACME, CONFIGURED))
        again = configure(None, number=1, domains=("new.example",))
        given(*here).when(again).then(configured(1, domains=("new.example",)))
        for about in ({"issuer": "https://evil.example.net"}, {"client_id": "x"}):
            story = given(*here).when(configure(None, number=1, **about))
            story.then_refused(ClientSecretNeeded)
        given(*ANAS).when(configure(None)).then_refused(ClientSecretNeeded)

    def test_only_admins_name_one_with_a_recent_proof(self) -> None:
        given(*ANAS).when(configure(), by=BEN).then_refused(NotPermitted)
        late = given(*ANAS).when(configure(), session_id=LAPTOP, now=NOW + DAY)
        late.then_refused(ReauthenticationRequired)


class TestRemoveSso:
    def test_a_provider_is_removed_with_its_secret(self) -> None:
        remove = RemoveSso(organization_id=ACME)
        story = given(*ANAS, on(ACME, CONFIGURED)).when(remove)
        story.then(on(ACME, SsoRemoved()))
        assert story.secrets[ACME] == {}
        given(*ANAS).when(remove).then()
        only = SettingsChanged(login_ways=(LoginWay.OIDC,))
        demanded = given(*ANAS, on(ACME, CONFIGURED, only))
        demanded.when(remove).then_refused(SsoStillDemanded)


class TestProveDomain:
    def test_an_admin_proves_a_domain_once(self) -> None:
        command = ProveDomain(organization_id=ACME, domain="example.com")
        given(*ANAS, on(ACME, CONFIGURED)).when(command).then(on(ACME, PROVEN))
        given(*ANAS, on(ACME, CONFIGURED, PROVEN)).when(command).then()

    def test_others_prove_nothing(self) -> None:
        command = ProveDomain(organization_id=ACME, domain="example.com")
        given(*HERE).when(command, by=BEN).then_refused(NotPermitted)


class TestLogInBySso:
    def test_a_new_person_gets_an_account_and_joins(self) -> None:
        given(*HERE).when(log_in(), by=DAN).then(
            on(DAN, UserRegistered(email="dan@example.com", name="Dan")),
            on(DAN, PROOF),
            on(DAN, HomeOrganizationChanged(organization_id=ACME)),
            on(ACME, MemberJoined(user_id=DAN, role=Role.MEMBER)),
            on(ACME, LINKED),
            on(LAPTOP, BEGAN),
            came(),
        )

    def test_who_is_linked_is_known_by_the_subject_whatever_the_address(self) -> None:
        here = (*HERE, account(DAN, "Dan"), on(ACME, MemberJoined(user_id=DAN, role=Role.MEMBER)))
        again = log_in(email="daniel@example.com")
        given(*here, on(ACME, LINKED)).when(again, by=DAN).then(on(LAPTOP, BEGAN), came())

    def test_a_confirmed_account_is_linked_and_neither_moves_nor_changes(self) -> None:
        given(*HERE, confirmed(DAN, "Dan")).when(log_in(), by=DAN).then(
            on(ACME, MemberJoined(user_id=DAN, role=Role.MEMBER)),
            on(ACME, LINKED),
            on(LAPTOP, BEGAN),
            came(),
        )

    def test_an_unconfirmed_account_is_not_linked(self) -> None:
        """Whoever opened it may wait for the owner of the address, and knows its password."""
        story = given(*HERE, account(DAN, "Dan")).when(log_in(), by=DAN)
        story.then_refused(AccountUnconfirmed)

    def test_a_deactivated_account_stays_out(self) -> None:
        here = given(*HERE, confirmed(DAN, "Dan"), on(DAN, UserDeactivated()))
        here.when(log_in(), by=DAN).then_refused(AccountDeactivated)

    def test_an_address_that_somebody_else_has_at_the_provider_now_is_not_linked(self) -> None:
        here = (*HERE, confirmed(DAN, "Dan"), on(ACME, MemberJoined(user_id=DAN, role=Role.MEMBER)))
        story = given(*here, on(ACME, LINKED)).when(log_in(subject="successor"), by=DAN)
        story.then_refused(LinkedToAnother)

    def test_a_foreign_address_opens_no_account(self) -> None:
        story = given(*HERE).when(log_in(email="dan@gmail.example"), by=DAN)
        story.then_refused(DomainNotAccepted)

    def test_a_suspended_member_stays_out(self) -> None:
        suspended = on(ACME, MemberDeactivated(user_id=CLEO))
        cleo = log_in(email="cleo@example.com", subject="c", user_id=CLEO)
        story = given(*HERE, confirmed(CLEO, "Cleo"), suspended).when(cleo, by=CLEO)
        story.then_refused(MembershipSuspended)

    def test_an_invitation_is_accepted(self) -> None:
        story = given(*HERE, on(ACME, invitation())).when(log_in(), by=DAN)
        assert [type(past.events[0]).__name__ for past in story.recorded[3:6]] == [
            "InvitationAccepted",
            "MemberJoined",
            "MemberLinked",
        ]

    def test_the_role_follows_the_mapping(self) -> None:
        here = (TEAM, on(ACME, MAPPED, PROVEN), confirmed(CLEO, "Cleo"))
        cleo = log_in(email="cleo@example.com", subject="c", user_id=CLEO, role_values=("leads",))
        raised = MemberRoleChanged(user_id=CLEO, from_=Role.MEMBER, to=Role.MANAGER)
        story = given(*here).when(cleo, by=CLEO)
        assert story.recorded[0] == on(ACME, raised)

    def test_a_login_ends_in_one_session_at_most(self) -> None:
        given(*HERE, on(LAPTOP, BEGAN)).when(log_in(), by=DAN).then_refused(SsoLoginIsOver)

    @pytest.mark.parametrize("since", [SsoRemoved(), configured(1)])
    def test_a_login_is_over_once_the_provider_is_changed(self, since: Any) -> None:
        story = given(*HERE, on(ACME, since)).when(log_in(), by=DAN)
        story.then_refused(SsoLoginIsOver)

    def test_the_proof_is_as_old_as_the_provider_says(self) -> None:
        at = NOW - DAY
        story = given(*HERE).when(log_in(proved_at=at), by=DAN)
        began = story.recorded[-2].events[0]
        assert isinstance(began, SessionStarted)
        assert (began.proved_at, began.started_at) == (at, NOW)

    def test_sessions_of_a_provider_do_not_push_out_those_by_password(self) -> None:
        mine = [
            on(SessionId(UUID(int=200 + n)), started(DAN, place=n)) for n in range(SESSIONS_MAX)
        ]
        story = given(*HERE, confirmed(DAN, "Dan"), *mine).when(log_in(), by=DAN)
        assert not [p for p in story.recorded if isinstance(p.events[0], SessionRevoked)]

    def test_the_oldest_session_of_the_provider_makes_room(self) -> None:
        theirs = [
            on(
                SessionId(UUID(int=200 + n)),
                started(DAN, place=n, organization_id=ACME, issuer=ISSUER, factor=Factor.OIDC),
            )
            for n in range(SESSIONS_MAX)
        ]
        story = given(*HERE, confirmed(DAN, "Dan"), *theirs).when(log_in(), by=DAN)
        revoked = SessionRevoked(by=None, cause=RevocationCause.TOO_MANY_SESSIONS)
        assert on(SessionId(UUID(int=200)), revoked) in story.recorded


class TestRecordRefusedSso:
    def test_failures_are_recorded_for_the_organization(self) -> None:
        about = {"organization_id": ACME, "reason": "expired_token", "count": 3}
        refused = SsoRefused(user_id=None, reason="expired_token", count=3)
        unknown = given(*HERE).when(RecordRefusedSso(user_id=None, **about), by=UNKNOWN_PERSON)  # type: ignore[arg-type]  # of several types
        unknown.then(on(access_record(ACME, UNKNOWN_PERSON), refused, org_id=ACME))
        known = given(*HERE).when(RecordRefusedSso(user_id=DAN, **about), by=DAN)  # type: ignore[arg-type]  # of several types
        expected = SsoRefused(user_id=DAN, reason="expired_token", count=3)
        known.then(on(RECORD, expected, org_id=ACME))
