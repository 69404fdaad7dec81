"""What follows for the sessions and API keys of somebody who has left an organization."""

from typing import ClassVar

from commands.base import Change, Command, Context, Decision, changes_of
from commands.reads import Reads
from commands.session_places import session_places
from domain.base import ApiKeyId, UserId
from domain.identity.api_key.events import ApiKeyRevoked
from domain.identity.api_key.state import ApiKey
from domain.identity.organization.state import Organization
from domain.identity.session.events import RevocationCause, SessionRevoked
from domain.identity.session.state import Session
from domain.permission import Permission


class EndSessionsOfFormerMember(Command, frozen=True, kw_only=True):
    """End the sessions in which somebody worked in an organization that they have left."""

    needs: ClassVar[Permission | None] = None
    records = (SessionRevoked,)
    user_id: UserId

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        organization = await read(Organization, context.organization)
        if organization.member(self.user_id) is not None:
            return []  # they came back
        return await end_sessions_here(
            read, context, self.user_id, RevocationCause.LEFT_ORGANIZATION
        )


async def end_sessions_here(
    read: Reads,
    context: Context,
    user_id: UserId,
    cause: RevocationCause,
    by: UserId | None = None,
) -> list[Change]:
    """Return what ends the sessions in which somebody works in the caller's organization."""
    changes: list[Change] = []
    places = session_places(user_id) + session_places(user_id, context.organization)
    for session_id in (await read.holders(places)).values():
        session = await read(Session, session_id)
        if session.organization_id == context.organization:
            events = session.revoke(cause, by=by)
            changes += [Change(session_id, events)] if events else []
    return changes


class RevokeKeyOfFormerMember(Command, frozen=True, kw_only=True):
    """Revoke an API key of somebody who has left the organization."""

    needs: ClassVar[Permission | None] = None
    records = (ApiKeyRevoked,)
    api_key_id: ApiKeyId

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        key = await read(ApiKey, self.api_key_id)
        organization = await read(Organization, context.organization)
        if key.created_by is None or organization.member(key.created_by) is not None:
            return []
        return changes_of(self.api_key_id, key.revoke())
