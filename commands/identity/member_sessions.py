"""The command of an administrator on the sessions of a member."""

from typing import ClassVar

from commands.base import Context, Decision
from commands.identity.leaving import end_sessions_here
from commands.identity.organization import OrganizationCommand, read_organization
from commands.reads import Reads
from domain.base import NotFound, UserId
from domain.identity.session.events import RevocationCause, SessionRevoked
from domain.permission import Permission


class EndSessionsOfMember(OrganizationCommand, frozen=True, kw_only=True):
    """End the sessions in which a member works in the organization; those elsewhere go on."""

    needs: ClassVar[Permission | None] = Permission.MEMBER_MANAGE
    records = (SessionRevoked,)
    user_id: UserId

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        organization = await read_organization(read, context, self.organization_id)
        if organization.member(self.user_id) is None:
            raise NotFound
        return await end_sessions_here(
            read, context, self.user_id, RevocationCause.BY_ADMIN, context.user_id
        )
