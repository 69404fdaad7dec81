"""Stories of the commands on invitations."""

from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from commands.base import NotPermitted
from commands.identity.invitation import (
    AcceptInvitation,
    InviteMember,
    RegisterInvited,
    ResendInvitation,
    RevokeInvitation,
)
from commands.identity.user import PASSWORD
from domain.base import NotFound, UserId
from domain.claim import EmailTaken
from domain.identity.organization.events import OrganizationDeleted, PlanChanged
from domain.identity.organization.membership import (
    AlreadyMember,
    InvitationAccepted,
    InvitationExpired,
    InvitationIsOver,
    InvitationRevoked,
    InvitedAtAnotherAddress,
    LeaveCause,
    MemberDeactivated,
    MemberInvited,
    MemberJoined,
    MemberLeft,
    Role,
    RoleTooLow,
)
from domain.identity.plan import Plan, PlanLimitReached
from domain.identity.session.events import SessionSwitchedOrganization
from domain.identity.user.errors import AccountDeactivated
from domain.identity.user.events import (
    EmailConfirmed,
    HomeOrganizationChanged,
    UserDeactivated,
    UserRegistered,
)
from tests.commands.acme import ACCOUNTS, LAPTOP, STRANGERS, TEAM, started
from tests.domain.acme import invitation
from tests.domain.spec import ACME, ANA, BEN, CLEO, DAN, DAY, INVITATION, NOW, OTHER
from tests.spec import given, on

STAFF = (TEAM, *ACCOUNTS)
HASH = "0" * 64
NEXT, EVE = UUID(int=52), UserId(UUID(int=5))
INVITED = on(ACME, invitation())
MAILED = on(ACME, replace(invitation(), mailed=True))
ACCEPTED = InvitationAccepted(invitation_id=INVITATION, user_id=DAN)
JOINED = MemberJoined(user_id=DAN, role=Role.MEMBER)
HERE = on(DAN, HomeOrganizationChanged(organization_id=ACME))


def invite(**about: Any) -> InviteMember:
    details: dict[str, Any] = {
        "organization_id": ACME,
        "invitation_id": INVITATION,
        "email": "dan@example.com",
        "role": Role.MEMBER,
        "token_hash": HASH,
        "expires_at": NOW + 7 * DAY,
        "mailed": False,
    }
    return InviteMember(**(details | about))


def accept(**about: Any) -> AcceptInvitation:
    details: dict[str, Any] = {
        "organization_id": ACME,
        "invitation_id": INVITATION,
        "token_hash": HASH,
        "user_id": DAN,
    }
    return AcceptInvitation(**(details | about))


def register(**about: Any) -> RegisterInvited:
    details: dict[str, Any] = {
        "organization_id": ACME,
        "invitation_id": INVITATION,
        "token_hash": HASH,
        "user_id": EVE,
        "name": "Eve",
        "password_hash": b"hashed",
    }
    return RegisterInvited(**(details | about))


def resend(**about: Any) -> ResendInvitation:
    details: dict[str, Any] = {
        "organization_id": ACME,
        "invitation_id": INVITATION,
        "next_id": NEXT,
        "token_hash": "1" * 64,
        "expires_at": NOW + 8 * DAY,
        "mailed": True,
    }
    return ResendInvitation(**(details | about))


class TestInviteMember:
    def test_an_invitation_is_recorded_without_its_token(self) -> None:
        given(*STAFF).when(invite(), by=BEN).then(on(ACME, invitation()))

    def test_only_an_admin_invites_managers(self) -> None:
        given(*STAFF).when(invite(role=Role.MANAGER), by=BEN).then_refused(RoleTooLow)
        given(*STAFF).when(invite(role=Role.MANAGER), by=ANA).then(invitation(role=Role.MANAGER))

    def test_a_member_is_not_invited_even_while_suspended(self) -> None:
        given(*STAFF).when(invite(user_id=CLEO), by=BEN).then_refused(AlreadyMember)
        away = on(ACME, MemberDeactivated(user_id=CLEO))
        given(*STAFF, away).when(invite(user_id=CLEO), by=BEN).then_refused(AlreadyMember)
        given(*STAFF).when(invite(user_id=DAN), by=BEN).then(on(ACME, invitation()))

    def test_a_member_invites_nobody(self) -> None:
        given(*STAFF).when(invite(), by=CLEO).then_refused(NotPermitted)

    def test_another_organization_does_not_exist_for_the_caller(self) -> None:
        given(*STAFF, *STRANGERS).when(invite(organization_id=OTHER)).then_refused(NotFound)

    def test_open_invitations_count_towards_the_plan(self) -> None:
        crowd = (
            MemberInvited(
                invitation_id=UUID(int=600 + n),
                email=f"{n}@example.com",
                role=Role.MEMBER,
                token_hash=HASH,
                expires_at=NOW + DAY,
            )
            for n in range(7)
        )
        full = given(*STAFF, on(ACME, *crowd))

        full.when(invite()).then_refused(PlanLimitReached, what="members", plan=Plan.FREE)
        full.when(invite(email="1@example.com")).then(
            InvitationRevoked(invitation_id=UUID(int=601)), invite_event("1@example.com")
        )

    def test_an_invitation_that_has_expired_gives_its_place_back(self) -> None:
        old = replace(
            invitation(), invitation_id=UUID(int=600), email="old@example.com", expires_at=NOW
        )
        expired = InvitationExpired(invitation_id=old.invitation_id)
        over = given(*STAFF, on(ACME, old))

        over.when(invite()).then(expired, invite_event("dan@example.com"))
        over.when(resend(invitation_id=old.invitation_id)).then(
            expired, replace(following(), email="old@example.com")
        )


def following() -> MemberInvited:
    return MemberInvited(
        invitation_id=NEXT,
        email="dan@example.com",
        role=Role.MEMBER,
        token_hash="1" * 64,
        expires_at=NOW + 8 * DAY,
        mailed=True,
    )


def invite_event(email: str) -> MemberInvited:
    return replace(invitation(), email=email)


class TestResendInvitation:
    def test_the_next_invitation_has_the_same_address_and_role_and_ends_the_first(self) -> None:
        given(*STAFF, INVITED).when(resend(), by=BEN).then(
            InvitationRevoked(invitation_id=INVITATION), following()
        )

    def test_an_invitation_that_is_over_cannot_be_resent(self) -> None:
        over = on(ACME, InvitationRevoked(invitation_id=INVITATION))
        given(*STAFF, INVITED, over).when(resend()).then_refused(NotFound)

    def test_resending_again_records_nothing(self) -> None:
        given(*STAFF, on(ACME, replace(invitation(), invitation_id=NEXT))).when(resend()).then()


class TestRevokeInvitation:
    def test_an_invitation_is_revoked(self) -> None:
        revoke = RevokeInvitation(organization_id=ACME, invitation_id=INVITATION)
        given(*STAFF, INVITED).when(revoke, by=BEN).then(
            InvitationRevoked(invitation_id=INVITATION)
        )
        given(*STAFF).when(revoke).then_refused(NotFound)


class TestAcceptInvitation:
    def test_whoever_is_invited_joins_and_works_there(self) -> None:
        given(*STAFF, INVITED).when(accept(), by=DAN).then(on(ACME, ACCEPTED, JOINED), HERE)

    def test_a_mailed_token_proves_the_address(self) -> None:
        given(*STAFF, MAILED).when(accept(), by=DAN).then(
            on(ACME, ACCEPTED, JOINED), on(DAN, EmailConfirmed()), HERE
        )

    def test_the_session_of_the_request_works_there_from_now_on(self) -> None:
        session = on(LAPTOP, started(DAN))
        switched = on(LAPTOP, SessionSwitchedOrganization(to=ACME))
        story = given(*STAFF, INVITED, session).when(accept(), by=DAN, session_id=LAPTOP)
        story.then(ACCEPTED, JOINED, switched, HERE)

    def test_somebody_with_another_address_cannot_accept(self) -> None:
        given(*STAFF, MAILED).when(accept(user_id=CLEO), by=CLEO).then_refused(
            InvitedAtAnotherAddress
        )

    @pytest.mark.parametrize(
        ("past", "asked"),
        [
            ((), accept()),
            ((INVITED,), accept(token_hash="1" * 64)),
            ((INVITED, on(ACME, InvitationRevoked(invitation_id=INVITATION))), accept()),
            ((INVITED, on(ACME, OrganizationDeleted())), accept()),
        ],
        ids=["never sent", "another token", "revoked", "organization deleted"],
    )
    def test_only_an_open_invitation_can_be_accepted(
        self, past: Any, asked: AcceptInvitation
    ) -> None:
        given(*STAFF, *past).when(asked, by=DAN).then_refused(InvitationIsOver)

    def test_an_expired_invitation_is_over(self) -> None:
        given(*STAFF, INVITED).when(accept(), by=DAN, now=NOW + 7 * DAY).then_refused(
            InvitationIsOver
        )

    def test_a_member_does_not_join_twice(self) -> None:
        given(*STAFF, INVITED, on(ACME, JOINED)).when(accept(), by=DAN).then_refused(AlreadyMember)

    def test_whoever_left_can_come_back(self) -> None:
        left = on(ACME, JOINED, MemberLeft(user_id=DAN, cause=LeaveCause.REMOVED))
        given(*STAFF, INVITED, left).when(accept(), by=DAN).then(ACCEPTED, JOINED, HERE)

    def test_a_deactivated_account_cannot_accept(self) -> None:
        given(*STAFF, INVITED, on(DAN, UserDeactivated())).when(accept(), by=DAN).then_refused(
            AccountDeactivated
        )

    def test_a_plan_that_has_shrunk_accepts_nobody(self) -> None:
        crowd = (
            MemberJoined(user_id=UserId(UUID(int=700 + n)), role=Role.MEMBER) for n in range(10)
        )
        past = (on(ACME, PlanChanged(from_=Plan.FREE, to=Plan.BASIC), *crowd), INVITED)
        smaller = on(ACME, PlanChanged(from_=Plan.BASIC, to=Plan.FREE))
        given(*STAFF, *past, smaller).when(accept(), by=DAN).then_refused(PlanLimitReached)


class TestRegisterInvited:
    def test_the_account_is_created_with_the_membership_and_unconfirmed(self) -> None:
        story = given(TEAM, on(ACME, invite_event("eve@example.com")))
        done = story.when(register(), by=EVE)
        done.then(
            on(EVE, UserRegistered(email="eve@example.com", name="Eve")),
            on(EVE, HomeOrganizationChanged(organization_id=ACME)),
            on(
                ACME,
                InvitationAccepted(invitation_id=INVITATION, user_id=EVE),
                MemberJoined(user_id=EVE, role=Role.MEMBER),
            ),
        )
        assert done.secrets[EVE] == {PASSWORD: b"hashed"}

    def test_a_mailed_token_confirms_the_new_account(self) -> None:
        mailed = on(ACME, replace(invite_event("eve@example.com"), mailed=True))
        recorded = given(TEAM, mailed).when(register(), by=EVE).recorded
        assert EmailConfirmed() in [event for past in recorded for event in past.events]

    def test_somebody_with_an_account_has_to_log_in_instead(self) -> None:
        given(*STAFF, INVITED).when(register(), by=EVE).then_refused(EmailTaken)

    def test_a_token_that_is_over_makes_no_account(self) -> None:
        given(*STAFF).when(register(), by=EVE).then_refused(InvitationIsOver)
