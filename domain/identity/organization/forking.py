"""A fork: a copy of an organization as it was at a point of its log, as a new organization.

Invariants
    1. Nobody has more access to it than they have to the original, or had then: whoever has left
       since, or is deactivated, has none, of two roles it is the lower, and whoever enters it has
       to do what the original requires.
    2. There is an active ADMIN: if nobody is left, those of the original now.
    3. Nobody outside is told of what happens in it: it has no identity provider, and no addresses
       of people to be told about its security.
"""

from collections.abc import Collection, Mapping

from domain.base import UserId
from domain.identity.organization.legal_hold import LegalHoldEvent, LegalHoldPlaced
from domain.identity.organization.membership import (
    LastAdmin,
    LeaveCause,
    Member,
    MemberDeactivated,
    MemberJoined,
    MemberLeft,
    MembershipEvent,
    Role,
)
from domain.identity.organization.settings import OrganizationSettings, SettingsChanged


def members_of_fork(
    then: Mapping[UserId, Member], now: Mapping[UserId, Member], accounts: Collection[UserId]
) -> list[MembershipEvent]:
    """Return who belongs to a fork, of the members *then* and *now*; only *accounts* are active.

    Whoever belonged to the original then, and does not now, leaves at once. From that follows what
    always does: their open tasks, teams and projects lose them.

    :raises LastAdmin: the original has no ADMIN either who could administer it.
    """
    roles = {user_id: _lower(member.role, now.get(user_id)) for user_id, member in then.items()}
    active = {each for each, member in now.items() if member.active and each in accounts}
    here = {each for each in active if each not in then or then[each].active}
    if not any(roles.get(each) is Role.ADMIN for each in here):
        here |= {each for each in active if now[each].role is Role.ADMIN}
        roles |= {each: Role.ADMIN for each in here if now[each].role is Role.ADMIN}
    if not any(roles.get(each) is Role.ADMIN for each in here):
        raise LastAdmin
    # Those who administer it come first, so that there is an ADMIN at any time.
    inside = sorted((each for each in roles if each in here), key=lambda each: -roles[each].rank)
    joined: list[MembershipEvent] = [
        MemberJoined(user_id=each, role=roles[each]) for each in inside
    ]
    for user_id in (each for each in roles if each not in here):
        joined.append(MemberJoined(user_id=user_id, role=roles[user_id]))
        joined.append(_without_access(user_id, belongs=user_id in now and user_id in accounts))
    return joined


def _lower(role: Role, today: Member | None) -> Role:
    return role if today is None or role.rank < today.role.rank else today.role


def _without_access(user_id: UserId, *, belongs: bool) -> MembershipEvent:
    if belongs:
        return MemberDeactivated(user_id=user_id)
    return MemberLeft(user_id=user_id, cause=LeaveCause.REMOVED)


def settings_of_fork(
    then: OrganizationSettings, now: OrganizationSettings
) -> list[SettingsChanged]:
    """Return what sets the settings of a fork, if they are not those of every organization.

    What the original requires of whoever enters it *now* holds for what was copied of it, too.
    """
    wanted = SettingsChanged(
        require_totp=now.require_totp,
        login_ways=now.login_ways,
        session_idle=now.session_idle,
        session_max=now.session_max,
        time_zone=then.time_zone,
    )
    return OrganizationSettings().change(wanted)


def hold_of_fork(reason: str | None) -> list[LegalHoldEvent]:
    """Return what places a legal hold that the original had."""
    return [] if reason is None else [LegalHoldPlaced(reason=reason)]
