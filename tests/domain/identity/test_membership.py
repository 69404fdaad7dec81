"""Members and invitations: who may belong to an organization, and who decides."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.base import DomainError, NotFound, UserId
from domain.identity.organization.events import PlanChanged
from domain.identity.organization.membership import (
    AlreadyMember,
    InvitationAccepted,
    InvitationExpired,
    InvitationIsOver,
    InvitationRevoked,
    LastAdmin,
    LeaveCause,
    Member,
    MemberDeactivated,
    MemberJoined,
    MemberLeft,
    MemberReactivated,
    MemberRoleChanged,
    OwnRole,
    Role,
    RoleTooLow,
)
from domain.identity.plan import Plan, PlanLimitReached
from tests.domain.acme import TEAM, TWO_ADMINS, crowd, invitation
from tests.domain.spec import (
    ANA,
    BEN,
    CLEO,
    DAN,
    DAY,
    IDS,
    INVITATION,
    NOW,
    QUICK,
    SECOND,
    check_refused,
    given,
    outcome,
)


def test_an_invitation_leads_to_a_membership() -> None:
    invited = given(TEAM, *TEAM.invite(invitation(), by=BEN, now=NOW))

    events = invited.accept_invitation(INVITATION, DAN, NOW)

    assert events == [
        InvitationAccepted(invitation_id=INVITATION, user_id=DAN),
        MemberJoined(user_id=DAN, role=Role.MEMBER),
    ]
    joined = given(invited, *events)
    assert joined.role_of(DAN) is Role.MEMBER
    with pytest.raises(InvitationIsOver):
        joined.accept_invitation(INVITATION, DAN, NOW)


def test_an_invitation_gives_the_role_it_names() -> None:
    [_, joined] = given(TEAM, invitation(role=Role.MANAGER)).accept_invitation(INVITATION, DAN, NOW)

    assert joined == MemberJoined(user_id=DAN, role=Role.MANAGER)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("by", "gives"), [(ANA, 3), (BEN, 1), (CLEO, 0), (DAN, 0), (None, 3)])
def test_who_may_invite_whom(by: UserId | None, gives: int, role: Role) -> None:
    if role.rank < gives:
        assert TEAM.invite(invitation(role=role), by=by, now=NOW) == [invitation(role=role)]
    else:
        with pytest.raises(RoleTooLow):
            TEAM.invite(invitation(role=role), by=by, now=NOW)


def test_inviting_the_same_address_again_replaces_the_invitation() -> None:
    invited = given(TEAM, invitation())

    events = invited.invite(invitation(1), by=ANA, now=NOW)

    assert events == [InvitationRevoked(invitation_id=INVITATION), invitation(1)]
    assert invited.invite(invitation(), by=ANA, now=NOW) == []
    assert len(given(invited, *events).invitations) == 1


def test_revoked_expired_and_unknown_invitations_get_the_same_error() -> None:
    invited = given(TEAM, invitation())
    revoked = given(invited, *invited.revoke_invitation(INVITATION, by=BEN))

    for state, now in ((revoked, NOW), (invited, NOW + 7 * DAY), (TEAM, NOW)):
        with pytest.raises(InvitationIsOver):
            state.accept_invitation(INVITATION, DAN, now)
    with pytest.raises(NotFound):
        revoked.revoke_invitation(INVITATION, by=BEN)


def test_a_manager_cannot_withdraw_the_invitation_of_an_admin() -> None:
    with pytest.raises(RoleTooLow):
        given(TEAM, invitation(role=Role.ADMIN)).revoke_invitation(INVITATION, by=BEN)


def test_a_member_cannot_join_again() -> None:
    with pytest.raises(AlreadyMember):
        given(TEAM, invitation()).accept_invitation(INVITATION, CLEO, NOW)


def test_members_and_open_invitations_count_together_against_the_plan() -> None:
    nine = given(crowd(8), invitation())

    tenth = given(nine, *nine.invite(invitation(1, email="42@example.com"), by=ANA, now=NOW))

    with pytest.raises(PlanLimitReached) as refused:
        tenth.invite(invitation(2, email="43@example.com"), by=ANA, now=NOW)
    assert refused.value.details == {
        "what": "members",
        "limit": 10,
        "used": 10,
        "plan": Plan.FREE,
        "upgrade_to": Plan.BASIC,
    }
    assert tenth.invite(invitation(2, email="42@example.com"), by=ANA, now=NOW) != []
    assert tenth.invite(invitation(2, email="43@example.com"), by=ANA, now=NOW + 7 * DAY) != []
    assert tenth.accept_invitation(INVITATION, DAN, NOW) != []


def test_inviting_frees_the_places_of_expired_invitations() -> None:
    invited = given(TEAM, invitation(), invitation(1, email="eve@example.com"))
    last = invitation(2, email="fay@example.com")

    assert invited.invite(last, by=ANA, now=NOW + 7 * DAY - SECOND) == [last]
    assert invited.invite(last, by=ANA, now=NOW + 7 * DAY) == [
        InvitationExpired(invitation_id=INVITATION),
        InvitationExpired(invitation_id=invitation(1).invitation_id),
        last,
    ]


def test_an_invitation_from_before_a_downgrade_cannot_overfill_the_plan() -> None:
    full = given(crowd(10, Plan.BASIC), invitation(), PlanChanged(from_=Plan.BASIC, to=Plan.FREE))

    with pytest.raises(PlanLimitReached):
        full.accept_invitation(INVITATION, DAN, NOW)


def test_an_admin_changes_roles_and_setting_the_same_role_records_nothing() -> None:
    assert TEAM.change_role(CLEO, Role.ADMIN, by=ANA) == [
        MemberRoleChanged(user_id=CLEO, from_=Role.MEMBER, to=Role.ADMIN)
    ]
    assert TEAM.change_role(CLEO, Role.MEMBER, by=ANA) == []
    assert TEAM.change_role(ANA, Role.ADMIN, by=ANA) == []


def test_nobody_can_raise_their_own_role() -> None:
    for user in (BEN, CLEO):
        with pytest.raises(OwnRole):
            TEAM.change_role(user, Role.ADMIN, by=user)


def test_an_admin_can_step_down_when_another_remains() -> None:
    assert TWO_ADMINS.change_role(ANA, Role.MEMBER, by=ANA) != []


def test_only_an_admin_changes_deactivates_and_reactivates() -> None:
    check_refused(
        RoleTooLow,
        lambda: TEAM.change_role(CLEO, Role.MANAGER, by=BEN),
        lambda: TEAM.deactivate_member(CLEO, by=BEN),
        lambda: TEAM.reactivate_member(CLEO, by=BEN),
    )


@pytest.mark.parametrize(
    ("who", "by", "cause"),
    [
        (CLEO, CLEO, LeaveCause.LEFT),
        (BEN, BEN, LeaveCause.LEFT),
        (CLEO, BEN, LeaveCause.REMOVED),
        (CLEO, ANA, LeaveCause.REMOVED),
        (BEN, ANA, LeaveCause.REMOVED),
        (BEN, None, LeaveCause.ACCOUNT_CLOSED),
        (ANA, BEN, RoleTooLow),
        (BEN, CLEO, RoleTooLow),
        (CLEO, DAN, RoleTooLow),
        (ANA, ANA, LastAdmin),
        (DAN, ANA, NotFound),
    ],
)
def test_who_may_end_whose_membership(
    who: UserId, by: UserId | None, cause: LeaveCause | type[DomainError]
) -> None:
    if isinstance(cause, LeaveCause):
        assert TEAM.remove(who, by=by) == [MemberLeft(user_id=who, cause=cause)]
        assert given(TEAM, *TEAM.remove(who, by=by)).member(who) is None
    else:
        with pytest.raises(cause):
            TEAM.remove(who, by=by)


def test_the_last_active_admin_cannot_leave_or_be_demoted() -> None:
    one_left = given(TWO_ADMINS, MemberDeactivated(user_id=BEN))

    check_refused(
        LastAdmin,
        lambda: one_left.remove(ANA, by=ANA),
        lambda: one_left.remove(ANA, by=None),
        lambda: one_left.change_role(ANA, Role.MEMBER, by=ANA),
        lambda: one_left.deactivate_member(ANA, by=ANA),
    )
    assert one_left.remove(BEN, by=ANA) != []


def test_a_deactivated_member_remains_a_member_without_a_role() -> None:
    paused = given(TEAM, *TEAM.deactivate_member(BEN, by=ANA))

    assert paused.role_of(BEN) is None
    assert paused.member(BEN) == Member(Role.MANAGER, active=False)
    assert paused.deactivate_member(BEN, by=ANA) == []
    assert paused.reactivate_member(BEN, by=ANA) == [MemberReactivated(user_id=BEN)]
    assert TEAM.reactivate_member(BEN, by=ANA) == []
    with pytest.raises(RoleTooLow):
        paused.invite(invitation(), by=BEN, now=NOW)


USERS = st.sampled_from([UserId(i) for i in IDS])
ROLES = st.sampled_from(list(Role))


class Belonging(RuleBasedStateMachine):
    """People join, leave and change roles, each command sent twice."""

    def __init__(self) -> None:
        super().__init__()
        self.state = crowd(7)

    def twice(self, decide: Callable[[Any], Sequence[Any]]) -> None:
        self.state = given(self.state, *outcome(decide, self.state))
        assert outcome(decide, self.state) == []

    @rule(n=st.integers(0, 5), role=ROLES, by=USERS)
    def invite(self, n: int, role: Role, by: UserId) -> None:
        asked = invitation(n, role, f"{n % 4}@example.com")
        self.twice(lambda s: s.invite(asked, by=by, now=NOW))

    @rule(n=st.integers(0, 5), user=USERS)
    def accept(self, n: int, user: UserId) -> None:
        self.twice(lambda s: s.accept_invitation(UUID(int=INVITATION.int + n), user, NOW))

    @rule(n=st.integers(0, 5), by=USERS)
    def revoke(self, n: int, by: UserId) -> None:
        self.twice(lambda s: s.revoke_invitation(UUID(int=INVITATION.int + n), by=by))

    @rule(user=USERS, to=ROLES, by=USERS)
    def change_role(self, user: UserId, to: Role, by: UserId) -> None:
        before = self.state.role_of(user)
        self.twice(lambda s: s.change_role(user, to, by=by))
        after = self.state.role_of(user)
        assert user != by or before is None or after is None or after.rank <= before.rank

    @rule(user=USERS, by=USERS)
    def remove(self, user: UserId, by: UserId) -> None:
        self.twice(lambda s: s.remove(user, by=by))

    @rule(user=USERS, by=USERS)
    def deactivate(self, user: UserId, by: UserId) -> None:
        self.twice(lambda s: s.deactivate_member(user, by=by))

    @rule(user=USERS, by=USERS)
    def reactivate(self, user: UserId, by: UserId) -> None:
        self.twice(lambda s: s.reactivate_member(user, by=by))

    @rule(text=st.sampled_from(["acme", "beta"]))
    def rename(self, text: str) -> None:
        self.twice(lambda s: s.rename(text))
        self.twice(lambda s: s.change_subdomain(text))

    @rule(gone=st.booleans())
    def delete_or_restore(self, gone: bool) -> None:
        self.twice(lambda s: s.delete() if gone else s.restore())

    @invariant()
    def there_is_an_active_admin(self) -> None:
        assert any(m.active and m.role is Role.ADMIN for m in self.state.members.values())

    @invariant()
    def the_plan_is_not_overfilled(self) -> None:
        assert len(self.state.members) + len(self.state.invitations) <= 10

    @invariant()
    def each_address_is_invited_once(self) -> None:
        invited = [i.email for i in self.state.invitations.values()]
        assert len(invited) == len(set(invited))


test_belonging_holds_its_invariants = Belonging.TestCase
test_belonging_holds_its_invariants.settings = QUICK
