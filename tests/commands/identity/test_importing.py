"""Stories of people who come from another system."""

from typing import Any
from uuid import UUID

from msgspec.structs import replace

from commands.identity.importing import ImportUser
from commands.identity.user import PASSWORD
from domain.base import UserId
from domain.claim import EmailTaken
from domain.identity.organization.membership import (
    AlreadyMember,
    InvitationExpired,
    MemberJoined,
    Role,
)
from domain.identity.plan import PlanLimitReached
from domain.identity.user.events import HomeOrganizationChanged, UserRegistered
from tests.commands.acme import HERE, account
from tests.domain.acme import invitation
from tests.domain.spec import ACME, ANA, DAN, NOW
from tests.spec import given, on

KIM = UserId(UUID(int=0xF1))


def bring(**about: Any) -> ImportUser:
    details: dict[str, Any] = {
        "user_id": KIM,
        "email": "kim@example.com",
        "name": "Kim",
        "password_hash": b"$2b$hash",
        "organization_id": ACME,
        "role": Role.MANAGER,
    }
    return ImportUser(**details | about)


class TestImportUser:
    def test_an_imported_person_has_an_account_a_password_and_a_membership(self) -> None:
        story = given(*HERE).when(bring(), by=DAN)

        story.then(
            on(
                KIM,
                UserRegistered(email="kim@example.com", name="Kim"),
                HomeOrganizationChanged(organization_id=ACME),
            ),
            on(ACME, MemberJoined(user_id=KIM, role=Role.MANAGER)),
        )
        assert story.secrets[KIM] == {PASSWORD: b"$2b$hash"}

    def test_an_address_is_imported_once(self) -> None:
        here = (*HERE, account(DAN, "Dan"))
        given(*here).when(bring(email="dan@example.com"), by=DAN).then_refused(EmailTaken)

    def test_nobody_is_a_member_twice(self) -> None:
        given(*HERE).when(bring(user_id=ANA)).then_refused(AlreadyMember)

    def test_the_plan_limits_how_many_can_come(self) -> None:
        joined = [
            on(ACME, MemberJoined(user_id=UserId(UUID(int=0xE00 + n)), role=Role.MEMBER))
            for n in range(7)
        ]
        given(*HERE, *joined).when(bring()).then_refused(PlanLimitReached)

    def test_an_expired_invitation_takes_no_place(self) -> None:
        old = replace(invitation(), expires_at=NOW)
        joined = [
            on(ACME, MemberJoined(user_id=UserId(UUID(int=0xE00 + n)), role=Role.MEMBER))
            for n in range(6)
        ]
        story = given(*HERE, *joined, on(ACME, old)).when(bring(), by=DAN)
        expired = InvitationExpired(invitation_id=old.invitation_id)
        assert on(ACME, expired) in story.recorded
