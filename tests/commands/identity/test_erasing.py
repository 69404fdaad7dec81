"""Stories of a person who has their account erased."""

from datetime import timedelta

from commands.identity.erasing import EndInvitationOfErased, EraseUser, FinishErasure
from domain.base import NotFound
from domain.identity.organization.events import OrganizationDeleted
from domain.identity.organization.legal_hold import (
    LegalHold,
    LegalHoldLifted,
    LegalHoldPlaced,
)
from domain.identity.organization.membership import (
    InvitationRevoked,
    LastAdmin,
    LeaveCause,
    MemberDeactivated,
    MemberJoined,
    MemberLeft,
    Role,
)
from domain.identity.organization.sso import MemberLinked, MemberUnlinked
from domain.identity.session.errors import ReauthenticationRequired
from domain.identity.session.events import RevocationCause, SessionRevoked
from domain.identity.user.erasure import UserErased, UserErasureRequested
from domain.identity.user.errors import AccountDeactivated
from domain.identity.user.events import UserDeactivated
from tests.commands.acme import ACCOUNTS, HERE, LAPTOP, STRANGERS, account, founded, started
from tests.domain.acme import invitation
from tests.domain.spec import ACME, ANA, BEN, CLEO, DAN, INVITATION, NOW, OTHER
from tests.spec import given, on

EVERYWHERE = (*ACCOUNTS, *HERE, *STRANGERS)
CLOSED = LeaveCause.ACCOUNT_CLOSED
erase = EraseUser(user_id=BEN, organizations=(ACME, OTHER))
erase_ana = EraseUser(user_id=ANA, organizations=(ACME,))
requested = on(BEN, UserErasureRequested())


class TestEraseUser:
    def test_the_account_is_closed_and_leaves_every_organization(self) -> None:
        joined = on(OTHER, MemberJoined(user_id=BEN, role=Role.MEMBER), org_id=OTHER)
        given(*EVERYWHERE, joined).when(erase, by=BEN).then(
            on(ACME, MemberLeft(user_id=BEN, cause=CLOSED)),
            on(OTHER, MemberLeft(user_id=BEN, cause=CLOSED), org_id=OTHER),
            requested,
        )

    def test_it_works_without_an_organization(self) -> None:
        alone = EraseUser(user_id=DAN, organizations=())
        given(account(DAN, "Dan")).when(alone, by=DAN, org_id=None).then(
            on(DAN, UserErasureRequested())
        )

    def test_sessions_end_and_need_a_fresh_proof_before(self) -> None:
        here = (*EVERYWHERE, on(LAPTOP, started(BEN, organization_id=ACME)))
        ended = SessionRevoked(by=BEN, cause=RevocationCause.ACCOUNT_ERASED)
        given(*here).when(erase, by=BEN, session_id=LAPTOP).then(
            on(ACME, MemberLeft(user_id=BEN, cause=CLOSED)), on(LAPTOP, ended), requested
        )
        late = NOW + timedelta(minutes=11)
        given(*here).when(erase, by=BEN, session_id=LAPTOP, now=late).then_refused(
            ReauthenticationRequired
        )

    def test_the_last_active_admin_hands_over_or_deletes_first(self) -> None:
        given(*EVERYWHERE).when(erase_ana).then_refused(LastAdmin)
        given(*EVERYWHERE, on(ACME, OrganizationDeleted())).when(erase_ana).then(
            on(ANA, UserErasureRequested())
        )

    def test_the_last_admin_of_another_organization_than_the_present_one_is_kept(self) -> None:
        own = founded(OTHER, "other", ben=(BEN, Role.ADMIN))
        given(*ACCOUNTS, *HERE, own).when(erase, by=BEN).then_refused(LastAdmin)

    def test_a_legal_hold_keeps_its_members_until_they_leave_or_it_is_lifted(self) -> None:
        held = on(ACME, LegalHoldPlaced(reason="Acme v. Apex"))
        given(*EVERYWHERE, held).when(erase, by=BEN).then_refused(LegalHold)
        suspended = on(ACME, MemberDeactivated(user_id=BEN))
        given(*EVERYWHERE, held, suspended).when(erase, by=BEN).then_refused(LegalHold)
        gone = on(ACME, OrganizationDeleted())
        given(*EVERYWHERE, held, gone).when(erase, by=BEN).then_refused(LegalHold)
        left = on(ACME, MemberLeft(user_id=BEN, cause=LeaveCause.LEFT))
        given(*EVERYWHERE, held, left).when(erase, by=BEN).then(requested)
        lifted = on(ACME, LegalHoldLifted())
        given(*EVERYWHERE, held, lifted, left).when(erase, by=BEN).then(requested)

    def test_who_somebody_was_to_a_provider_is_forgotten_also_where_they_left(self) -> None:
        linked = MemberLinked(user_id=BEN, issuer="https://id.example.com", subject="b7")
        left = MemberLeft(user_id=BEN, cause=LeaveCause.LEFT)
        given(*EVERYWHERE, on(ACME, linked, left)).when(erase, by=BEN).then(
            on(ACME, MemberUnlinked(user_id=BEN)), requested
        )

    def test_the_address_is_free_again(self) -> None:
        again = account(CLEO, "Ben")
        given(account(BEN, "Ben"), requested, again).when(
            EraseUser(user_id=CLEO, organizations=()), by=CLEO, org_id=None
        ).then(on(CLEO, UserErasureRequested()))

    def test_a_closed_account_is_nobodys_to_erase(self) -> None:
        given(*EVERYWHERE, requested).when(erase, by=BEN).then_refused(NotFound)
        given(*EVERYWHERE, on(BEN, UserDeactivated())).when(erase, by=BEN).then_refused(
            AccountDeactivated
        )


class TestEndInvitationOfErased:
    end = EndInvitationOfErased(invitation_id=INVITATION)

    def test_it_ends_once(self) -> None:
        revoked = InvitationRevoked(invitation_id=INVITATION)
        given(*HERE, on(ACME, invitation())).when(self.end).then(revoked)
        given(*HERE, on(ACME, invitation(), revoked)).when(self.end).then()


class TestFinishErasure:
    finish = FinishErasure(user_id=BEN)

    def test_it_is_recorded_once_after_the_request(self) -> None:
        given(*EVERYWHERE, requested).when(self.finish).then(on(BEN, UserErased()))
        given(*EVERYWHERE, requested, on(BEN, UserErased())).when(self.finish).then()
        given(*EVERYWHERE).when(self.finish).then_refused(NotFound)
