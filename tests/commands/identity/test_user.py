"""Stories of the commands on accounts."""

from typing import Any
from uuid import UUID

import pytest

from commands.handler import CommandHandler
from commands.identity.organization import CreateOrganization
from commands.identity.user import (
    PASSWORD,
    ChangePassword,
    ChangeProfile,
    RecordFailedLogin,
    RegisterUser,
)
from domain.base import PLATFORM, NotFound, OrgId
from domain.claim import EmailTaken, SubdomainTaken
from domain.identity.organization.events import OrganizationCreated
from domain.identity.organization.membership import MemberJoined, Role
from domain.identity.organization.settings import UnknownTimeZone
from domain.identity.plan import Plan
from domain.identity.user.errors import AccountDeactivated
from domain.identity.user.events import (
    HomeOrganizationChanged,
    LoginFailed,
    PasswordChanged,
    UserDeactivated,
    UserProfileChanged,
    UserRegistered,
)
from eventstore.log import EventLog
from tests.commands.acme import TEAM, account
from tests.domain.spec import ACME, ANA, DAN, OTHER
from tests.spec import context, given, on

ANAS = (account(ANA, "Ana"),)
BETA = OrgId(UUID(int=13))
OPENING = CreateOrganization(organization_id=BETA, name="Beta", subdomain="beta")
REGISTERED = UserRegistered(email="dan@example.com", name="Dan")


def register(**about: Any) -> RegisterUser:
    details: dict[str, Any] = {
        "user_id": DAN,
        "email": "dan@example.com",
        "name": "Dan",
        "password_hash": b"hash",
    }
    return RegisterUser(**(details | about))


class TestRegisterUser:
    def test_registration_claims_the_address_and_stores_the_password_next_to_the_log(self) -> None:
        story = given().when(register(), by=DAN, org_id=None)

        story.then(on(DAN, REGISTERED))
        assert story.secrets[DAN] == {PASSWORD: b"hash"}

    async def test_a_retry_does_not_replace_the_password(
        self, log: EventLog, handler: CommandHandler
    ) -> None:
        await handler.handle(register(), context(DAN, org_id=None))
        receipt = await handler.handle(register(password_hash=b"x"), context(DAN, org_id=None))

        assert receipt.position is None
        assert await log.secrets(DAN, PLATFORM) == {PASSWORD: b"hash"}

    def test_registration_can_create_an_organization(self) -> None:
        given().when(register(organization=OPENING), by=DAN, org_id=None).then(
            on(DAN, REGISTERED, HomeOrganizationChanged(organization_id=BETA)),
            on(
                BETA,
                OrganizationCreated(name="Beta", subdomain="beta", plan=Plan.FREE),
                MemberJoined(user_id=DAN, role=Role.ADMIN),
                org_id=BETA,
            ),
        )

    def test_a_taken_address_is_refused(self) -> None:
        asked = register(email="ana@example.com")
        given(*ANAS).when(asked, by=DAN).then_refused(EmailTaken)

    def test_a_taken_subdomain_refuses_the_whole_registration(self) -> None:
        taken = CreateOrganization(organization_id=BETA, name="Acme", subdomain="acme")
        story = given(TEAM).when(register(organization=taken), by=DAN)
        story.then_refused(SubdomainTaken)

    def test_registration_cannot_join_an_existing_organization(self) -> None:
        asked = CreateOrganization(organization_id=ACME, name="Acme", subdomain="beta")
        story = given(TEAM).when(register(organization=asked), by=DAN, org_id=None)
        story.then_refused(NotFound)

    @pytest.mark.parametrize("email", ["ana@example.com", "dan@example.com"])
    def test_registration_never_changes_an_existing_account(self, email: str) -> None:
        again = register(user_id=ANA, email=email, password_hash=b"stolen")
        given(*ANAS).when(again, by=ANA, org_id=None).then()


class TestChangePassword:
    asked = ChangePassword(user_id=ANA, password_hash=b"new")

    def test_a_password_change_is_counted_and_stores_the_new_hash(self) -> None:
        story = given(*ANAS).when(self.asked)

        story.then(on(ANA, PasswordChanged()))
        assert story.secrets[ANA] == {PASSWORD: b"new"}

    def test_a_deactivated_account_cannot_change_its_password(self) -> None:
        closed = on(ANA, UserDeactivated())
        given(*ANAS, closed).when(self.asked).then_refused(AccountDeactivated)

    def test_an_unregistered_user_is_not_found(self) -> None:
        given().when(self.asked).then_refused(NotFound)

    def test_an_account_is_not_found_by_the_id_of_another_resource(self) -> None:
        asked = ChangePassword(user_id=OTHER, password_hash=b"new")  # type: ignore[arg-type]  # what is given is checked at run time
        past = OrganizationCreated(name="Other", subdomain="other", plan=Plan.FREE)
        given(on(OTHER, past, org_id=OTHER)).when(asked).then_refused(NotFound)


class TestRecordFailedLogin:
    asked = RecordFailedLogin(user_id=ANA, count=3)

    def test_failed_logins_are_recorded_for_deactivated_accounts(self) -> None:
        given(*ANAS).when(self.asked, by=DAN, org_id=None).then(on(ANA, LoginFailed(count=3)))
        closed = on(ANA, UserDeactivated())
        given(*ANAS, closed).when(self.asked).then(LoginFailed(count=3))

    def test_an_unregistered_user_is_not_found(self) -> None:
        given().when(self.asked).then_refused(NotFound)


class TestChangeProfile:
    def test_name_and_time_zone_change_and_what_stays_is_not_recorded(self) -> None:
        change = ChangeProfile(user_id=ANA, name="Ana", time_zone="Europe/Berlin")
        given(*ANAS).when(change).then(UserProfileChanged(time_zone="Europe/Berlin"))

    def test_a_time_zone_that_nobody_knows_is_refused(self) -> None:
        change = ChangeProfile(user_id=ANA, time_zone="Mars/Olympus")
        given(*ANAS).when(change).then_refused(UnknownTimeZone)
