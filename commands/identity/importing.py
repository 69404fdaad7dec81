"""Importing people from another system, with the hashes of their passwords."""

from functools import reduce
from typing import ClassVar

from commands.base import Change, Command, Context, Decision
from commands.identity.user import PASSWORD, Email
from commands.reads import Reads
from domain.base import OrgId, UserId
from domain.identity.organization.membership import (
    InvitationExpired,
    MemberJoined,
    Role,
    expired_among,
)
from domain.identity.organization.state import Organization
from domain.identity.user.events import HomeOrganizationChanged, UserRegistered
from domain.identity.user.state import User
from domain.name import Name
from domain.permission import Permission
from eventstore.append import Secret


class ImportUser(Command, frozen=True, kw_only=True):
    """Create an account with the hash of a password, as a member of an organization."""

    needs: ClassVar[Permission | None] = None
    records = (UserRegistered, InvitationExpired, MemberJoined, HomeOrganizationChanged)
    user_id: UserId
    email: Email
    name: Name
    password_hash: bytes
    organization_id: OrgId
    role: Role

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        user = read.new(User, self.user_id)
        registered = UserRegistered(email=self.email, name=self.name)
        at_home = user.evolve(registered).make_home(self.organization_id)
        organization = await read(Organization, self.organization_id)
        over = expired_among(organization.invitations, context.now)
        joined = reduce(Organization.evolve, over, organization).add_member(self.user_id, self.role)
        return [
            Change(self.user_id, [*user.register(registered), *at_home]),
            Change(self.organization_id, [*over, *joined]),
            Secret(self.user_id, PASSWORD, self.password_hash),
        ]
