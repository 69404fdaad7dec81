"""How an organization ends: for somebody whose account is erased, and for everybody."""

from datetime import timedelta

import pytest

from domain.base import NotFound
from domain.identity.organization.closing import close_account, purge_organization
from domain.identity.organization.events import OrganizationPurged, OrganizationRestored
from domain.identity.organization.legal_hold import LegalHold, LegalHoldLifted, LegalHoldPlaced
from domain.identity.organization.membership import (
    InvitationRevoked,
    LeaveCause,
    MemberDeactivated,
    MemberLeft,
)
from domain.identity.plan import PLAN_LIMITS, Plan
from tests.domain.acme import DELETED, TEAM, invitation
from tests.domain.spec import CLEO, DAN, INVITATION, NOW, given

HELD = LegalHoldPlaced(reason="Acme v. Apex")
END = NOW + PLAN_LIMITS[Plan.FREE].trash_retention


def test_a_member_leaves_when_their_account_is_closed_and_a_hold_refuses_it() -> None:
    left = MemberLeft(user_id=CLEO, cause=LeaveCause.ACCOUNT_CLOSED)

    assert close_account(TEAM, CLEO) == [left]
    assert close_account(given(TEAM, HELD, LegalHoldLifted()), CLEO) == [left]
    for state in (
        given(TEAM, HELD),
        given(TEAM, HELD, MemberDeactivated(user_id=CLEO)),
        given(DELETED, HELD),
    ):
        with pytest.raises(LegalHold):
            close_account(state, CLEO)
    assert close_account(given(TEAM, HELD), DAN) == []


def test_a_deleted_organization_ends_with_its_days_and_its_invitations() -> None:
    invited = given(TEAM, invitation())
    deleted = given(DELETED, invitation())

    assert purge_organization(deleted, NOW, END - timedelta(seconds=1)) == []
    assert purge_organization(deleted, NOW, END) == [
        InvitationRevoked(invitation_id=INVITATION),
        OrganizationPurged(),
    ]
    assert purge_organization(deleted, None, END) == []
    for state in (
        invited,
        given(DELETED, OrganizationPurged()),
        given(DELETED, OrganizationRestored()),
    ):
        with pytest.raises(NotFound):
            purge_organization(state, NOW, END)
    with pytest.raises(LegalHold):
        purge_organization(given(DELETED, HELD), NOW, END)
