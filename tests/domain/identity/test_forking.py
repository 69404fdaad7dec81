"""Who belongs to a fork, with which role."""

import pytest

from domain.base import UserId
from domain.identity.organization.forking import members_of_fork, settings_of_fork
from domain.identity.organization.membership import (
    LastAdmin,
    LeaveCause,
    Member,
    MemberDeactivated,
    MemberJoined,
    MemberLeft,
    Role,
)
from domain.identity.organization.settings import (
    LoginWay,
    OrganizationSettings,
    SettingsChanged,
)
from tests.domain.spec import ANA, BEN, CLEO, DAN

Members = dict[UserId, Member]
ALL = {ANA, BEN, CLEO, DAN}
ADMIN, MANAGER, MEMBER = (Member(role) for role in (Role.ADMIN, Role.MANAGER, Role.MEMBER))


def joined(user_id: UserId, role: Role) -> MemberJoined:
    return MemberJoined(user_id=user_id, role=role)


def test_of_two_roles_a_member_has_the_lower() -> None:
    then: Members = {ANA: ADMIN, BEN: ADMIN, CLEO: MEMBER}
    now: Members = {ANA: ADMIN, BEN: MEMBER, CLEO: MANAGER}

    assert members_of_fork(then, now, ALL) == [
        joined(ANA, Role.ADMIN),
        joined(BEN, Role.MEMBER),
        joined(CLEO, Role.MEMBER),
    ]


def test_whoever_came_later_is_no_member() -> None:
    assert members_of_fork({ANA: ADMIN}, {ANA: ADMIN, BEN: ADMIN}, ALL) == [joined(ANA, Role.ADMIN)]


def test_whoever_was_or_is_deactivated_has_no_access() -> None:
    then: Members = {ANA: ADMIN, BEN: Member(Role.ADMIN, active=False), CLEO: MEMBER}
    now: Members = {ANA: ADMIN, BEN: ADMIN, CLEO: Member(Role.MEMBER, active=False)}

    assert members_of_fork(then, now, ALL) == [
        joined(ANA, Role.ADMIN),
        joined(BEN, Role.ADMIN),
        MemberDeactivated(user_id=BEN),
        joined(CLEO, Role.MEMBER),
        MemberDeactivated(user_id=CLEO),
    ]


def test_whoever_left_or_has_no_account_leaves_at_once() -> None:
    then: Members = {ANA: ADMIN, BEN: MANAGER, CLEO: MEMBER}

    assert members_of_fork(then, {ANA: ADMIN, CLEO: MEMBER}, {ANA, BEN}) == [
        joined(ANA, Role.ADMIN),
        joined(BEN, Role.MANAGER),
        MemberLeft(user_id=BEN, cause=LeaveCause.REMOVED),
        joined(CLEO, Role.MEMBER),
        MemberLeft(user_id=CLEO, cause=LeaveCause.REMOVED),
    ]


def test_if_no_admin_is_left_those_of_now_are() -> None:
    then: Members = {ANA: ADMIN, BEN: MEMBER, CLEO: MANAGER}
    now: Members = {BEN: ADMIN, CLEO: MEMBER, DAN: ADMIN}

    found = members_of_fork(then, now, ALL)

    inside = [joined(BEN, Role.ADMIN), joined(DAN, Role.ADMIN), joined(CLEO, Role.MEMBER)]
    assert found[:3] == inside
    assert found[3:] == [
        joined(ANA, Role.ADMIN),
        MemberLeft(user_id=ANA, cause=LeaveCause.REMOVED),
    ]


def test_there_is_an_admin_first_and_last() -> None:
    then: Members = {BEN: MEMBER, ANA: ADMIN}

    assert members_of_fork(then, then, ALL)[0] == joined(ANA, Role.ADMIN)
    with pytest.raises(LastAdmin):
        members_of_fork(then, then, {BEN})
    with pytest.raises(LastAdmin):
        members_of_fork(then, {ANA: Member(Role.ADMIN, active=False)}, ALL)


def test_the_fork_requires_what_is_required_now() -> None:
    then = OrganizationSettings(time_zone="Asia/Tokyo", security_contacts=("s@example.com",))
    now = OrganizationSettings(require_totp=True, login_ways=(LoginWay.OIDC,), session_idle=3_600)

    assert settings_of_fork(then, now) == [
        SettingsChanged(
            require_totp=True,
            login_ways=(LoginWay.OIDC,),
            session_idle=3_600,
            time_zone="Asia/Tokyo",
        )
    ]
    assert settings_of_fork(OrganizationSettings(), OrganizationSettings()) == []
