"""Stories of the commands on accounts."""

from typing import Any
from uuid import UUID

import pytest

from commands.identity.organization import CreateOrganization
from commands.identity.user import PASSWORD, ChangePassword, RecordFailedLogin, RegisterUser
from domain.base import NotFound, OrgId
from domain.claim import EmailTaken, SubdomainTaken
from domain.identity.organization.events import OrganizationCreated
from domain.identity.organization.membership import MemberJoined, Role
from domain.identity.plan import Plan
from domain.identity.user import (
    AccountDeactivated,
    ActiveOrganizationChanged,
    LoginFailed,
    PasswordChanged,
    UserDeactivated,
    UserRegistered,
)
from tests.commands.acme import TEAM, account
from tests.domain.spec import ACME, ANA, DAN, OTHER
from tests.spec import given, on

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
    def test_opens_an_account_claims_the_address_and_keeps_the_password_beside(self) -> None:
        story = given().when(register(), by=DAN, org_id=None)

        story.then(on(DAN, REGISTERED))
        assert story.secrets[DAN] == {PASSWORD: b"hash"}

    def test_opens_an_organization_with_it(self) -> None:
        given().when(register(organization=OPENING), by=DAN, org_id=None).then(
            on(DAN, REGISTERED, ActiveOrganizationChanged(organization_id=BETA)),
            on(
                BETA,
                OrganizationCreated(name="Beta", subdomain="beta", plan=Plan.FREE),
                MemberJoined(user_id=DAN, role=Role.ADMIN),
                org_id=BETA,
            ),
        )

    def test_is_refused_a_taken_address(self) -> None:
        asked = register(email="ana@example.com")
        given(*ANAS).when(asked, by=DAN).then_refused(EmailTaken)

    def test_is_refused_as_a_whole_when_the_subdomain_is_taken(self) -> None:
        taken = CreateOrganization(organization_id=BETA, name="Acme", subdomain="acme")
        story = given(TEAM).when(register(organization=taken), by=DAN)
        story.then_refused(SubdomainTaken)

    def test_cannot_join_an_organization_by_opening_it(self) -> None:
        asked = CreateOrganization(organization_id=ACME, name="Acme", subdomain="beta")
        story = given(TEAM).when(register(organization=asked), by=DAN, org_id=None)
        story.then_refused(NotFound)

    @pytest.mark.parametrize("email", ["ana@example.com", "dan@example.com"])
    def test_never_touches_an_account_that_is_there(self, email: str) -> None:
        again = register(user_id=ANA, email=email, password_hash=b"stolen")
        given(*ANAS).when(again, by=ANA, org_id=None).then()


class TestChangePassword:
    asked = ChangePassword(user_id=ANA, password_hash=b"new")

    def test_counts_it_and_keeps_the_new_one(self) -> None:
        story = given(*ANAS).when(self.asked)

        story.then(on(ANA, PasswordChanged()))
        assert story.secrets[ANA] == {PASSWORD: b"new"}

    def test_is_refused_to_a_deactivated_account(self) -> None:
        closed = on(ANA, UserDeactivated())
        given(*ANAS, closed).when(self.asked).then_refused(AccountDeactivated)

    def test_finds_nobody_who_never_registered(self) -> None:
        given().when(self.asked).then_refused(NotFound)

    def test_finds_nobody_under_the_id_of_something_else(self) -> None:
        asked = ChangePassword(user_id=OTHER, password_hash=b"new")  # type: ignore[arg-type]  # what is given is checked at run time
        past = OrganizationCreated(name="Other", subdomain="other", plan=Plan.FREE)
        given(on(OTHER, past, org_id=OTHER)).when(asked).then_refused(NotFound)


class TestRecordFailedLogin:
    asked = RecordFailedLogin(user_id=ANA)

    def test_is_recorded_for_closed_accounts_alike(self) -> None:
        given(*ANAS).when(self.asked, by=DAN, org_id=None).then(on(ANA, LoginFailed()))
        closed = on(ANA, UserDeactivated())
        given(*ANAS, closed).when(self.asked).then(LoginFailed())

    def test_finds_nobody_who_never_registered(self) -> None:
        given().when(self.asked).then_refused(NotFound)
