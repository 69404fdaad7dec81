"""What every command is: a typed request that decides over the streams it reads."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from msgspec import Struct

from commands.reads import Reads
from domain.base import DomainError, Event, NotFound, OrgId, UserId
from domain.identity.organization.state import Organization
from domain.permission import Permission, is_allowed
from eventstore.append import Secret
from eventstore.recorded import Actor


class Idempotency(Struct, frozen=True):
    """An Idempotency-Key as the log knows it: bound to its actor, with the request it came with."""

    key: str
    reply_key: bytes
    request_hash: bytes
    command_id: UUID


class Context(Struct, frozen=True, kw_only=True):
    """Who asks, from where and when. Time and identity enter here, so that decisions stay pure."""

    actor: Actor
    now: datetime
    command_id: UUID
    org_id: OrgId | None = None
    ip: str | None = None
    user_agent: str | None = None
    request_id: str | None = None
    correlation_id: str | None = None
    causation_id: UUID | None = None
    idempotency: Idempotency | None = None
    if_match: int | None = None
    dry_run: bool = False
    seen: dict[UUID, int] = {}
    """Versions of the streams by which the caller was let in: session, user."""

    @property
    def user_id(self) -> UserId:
        return UserId(self.actor.id)

    @property
    def organization(self) -> OrgId:
        """The organization that the caller acts in.

        :raises NoOrganization: when they belong to none.
        """
        if self.org_id is None:
            raise NoOrganization
        return self.org_id


class Change(NamedTuple):
    """Events for one stream that the decision has read or assumed to be new."""

    stream: UUID
    events: Sequence[Event]
    org_id: OrgId | None = None
    """Where they belong, if not to the caller's organization (or the platform)."""


Decision = Sequence[Change | Secret]


class Command(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request, named in the imperative; its docstring is its summary in the API.

    ``needs`` is the permission that the caller's role must grant; None if membership does not
    matter, as for commands on one's own account. ``records`` are the events that it may record;
    its stories record all of them and no others.
    """

    needs: ClassVar[Permission | None]
    records: ClassVar[tuple[type[Event], ...]]

    @property
    def target(self) -> UUID | None:
        """The stream that the command changes, None if it makes a new one.

        Commands on one stream of one process wait for each other instead of colliding.
        """
        return None

    async def permit(self, read: Reads, context: Context, /) -> None:
        """Refuse a caller who may not send this command.

        Called before each decision, with the same reads: what it rests on still holds when the
        events are recorded. Called alone before a stored reply is repeated, so it must not depend
        on what the command itself changes.

        :raises NotPermitted: the caller's role grants less.
        :raises NotFound: the caller is no active member of the organization.
        """
        if self.needs is not None:
            await refuse_unless_role_grants(read, context, self.needs)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        """Return what to record. It only reads, and may be called several times.

        :raises DomainError: when a rule refuses.
        """
        raise NotImplementedError


async def refuse_unless_role_grants(read: Reads, context: Context, needed: Permission) -> None:
    """Refuse a caller whose role in their organization does not grant *needed*.

    :raises NotPermitted: it does not.
    :raises NotFound: they are no active member.
    """
    organization = await read(Organization, context.organization)
    role = organization.role_of(context.user_id)
    if role is None:
        raise NotFound
    if not is_allowed(role, needed):
        raise NotPermitted(needs=needed)


def changes_of(stream: UUID, events: Sequence[Event], **at: Any) -> Decision:
    """Return the decision that changes one stream, or nothing at all."""
    return [Change(stream, events, **at)] if events else []


class NoOrganization(DomainError):
    """You belong to no organization yet; create one or accept an invitation first."""

    code = "no_organization"


class NotPermitted(DomainError):
    """Your role in this organization does not allow that."""

    code = "not_permitted"


class ChangedSince(DomainError):
    """Somebody changed the same field after the version in If-Match; read it again first."""

    code = "changed_since"


class KeyReused(DomainError):
    """This Idempotency-Key was used for another request; take a new key."""

    code = "idempotency_key_reused"
