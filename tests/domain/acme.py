"""The organization used in the tests: Ana is ADMIN, Ben MANAGER, Cleo MEMBER, Dan a stranger."""

from uuid import UUID

from domain.base import UserId
from domain.identity.organization.events import (
    OrganizationCreated,
    OrganizationDeleted,
    PlanChanged,
)
from domain.identity.organization.membership import (
    MemberInvited,
    MemberJoined,
    MemberRoleChanged,
    Role,
)
from domain.identity.organization.state import Organization
from domain.identity.plan import Plan
from tests.domain.spec import (
    ANA,
    BEN,
    CLEO,
    DAY,
    INVITATION,
    NOW,
    given,
)

CREATED = OrganizationCreated(name="Acme", subdomain="acme", plan=Plan.FREE)
NEW = given(Organization(), CREATED, MemberJoined(user_id=ANA, role=Role.ADMIN))
TEAM = given(
    NEW, MemberJoined(user_id=BEN, role=Role.MANAGER), MemberJoined(user_id=CLEO, role=Role.MEMBER)
)
TWO_ADMINS = given(TEAM, MemberRoleChanged(user_id=BEN, from_=Role.MANAGER, to=Role.ADMIN))
DELETED = given(TEAM, OrganizationDeleted())


def invitation(
    n: int = 0, role: Role = Role.MEMBER, email: str = "dan@example.com"
) -> MemberInvited:
    return MemberInvited(
        invitation_id=UUID(int=INVITATION.int + n),
        email=email,
        role=role,
        token_hash="0" * 64,
        expires_at=NOW + 7 * DAY,
    )


def crowd(members: int, plan: Plan = Plan.FREE) -> Organization:
    joined = (
        MemberJoined(user_id=UserId(UUID(int=100 + n)), role=Role.MEMBER)
        for n in range(members - 1)
    )
    return given(NEW, PlanChanged(from_=Plan.FREE, to=plan), *joined)
