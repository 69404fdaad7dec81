"""The base of every command: a typed request that decides by the streams it reads."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from msgspec import Struct

from commands.reads import Reads
from domain.base import (
    PLATFORM,
    DomainError,
    Event,
    NotFound,
    OrgId,
    Refusal,
    SessionId,
    UserId,
)
from domain.identity.organization.membership import Role
from domain.identity.organization.sign_on import accepts, vouches_for
from domain.identity.organization.sso import LoginWayNotAccepted
from domain.identity.organization.state import Organization
from domain.identity.session.errors import SessionExpired
from domain.identity.session.events import SessionOrigin
from domain.identity.session.limits import UNLIMITED
from domain.identity.session.state import Session
from domain.identity.user.state import User
from domain.identity.user.totp import TotpRequired
from domain.permission import KEY_PERMISSIONS, Permission, Scopes, is_allowed
from eventstore.append import Redacted, Secret
from eventstore.claim import ClaimChange, CountChange
from eventstore.recorded import Actor, ActorKind


class Idempotency(Struct, frozen=True):
    """An Idempotency-Key as the log stores it: a hash of actor, organization and key."""

    key_hash: bytes
    request_hash: bytes


class Context(Struct, frozen=True, kw_only=True):
    """The caller, the time and the origin of a request, passed in so that decisions stay pure."""

    actor: Actor
    now: datetime
    org_id: OrgId | None = None
    ip: str | None = None
    user_agent: str | None = None
    request_id: str | None = None
    correlation_id: str | None = None
    causation_id: UUID | None = None
    idempotency: Idempotency | None = None
    if_match: int | None = None
    dry_run: bool = False
    session_id: SessionId | None = None
    """The session of the request, if the caller is a user with one."""
    seen: dict[UUID, int] = {}
    """Versions of the streams that the caller was authenticated with: session or key, user."""
    origin: SessionOrigin | None = None
    """How that session began."""
    on_behalf_of: UserId | None = None
    """Whose API key the actor is."""
    scopes: Scopes | None = None
    """The scopes of that key; None for everybody else."""

    @property
    def user_id(self) -> UserId:
        """The person who asks, or whose API key is used."""
        return self.on_behalf_of or UserId(self.actor.id)

    @property
    def person(self) -> UserId | None:
        """That person; None if no person is concerned, because one of our own rules asks."""
        return None if self.actor.kind is ActorKind.SYSTEM else self.user_id

    @property
    def seen_of_platform(self) -> dict[UUID, OrgId]:
        """The streams of ``seen`` that belong to the platform, which an API key does not."""
        key = self.actor.id if self.actor.kind is ActorKind.API_KEY else None
        return {stream: PLATFORM for stream in self.seen if stream != key}

    @property
    def organization_or_platform(self) -> OrgId:
        """The organization that the caller works in, or the platform."""
        return self.org_id or PLATFORM

    @property
    def organization(self) -> OrgId:
        """The organization that the caller works in.

        :raises NoOrganization: they work in none.
        """
        if self.org_id is None:
            raise NoOrganization
        return self.org_id


class Change(Struct, frozen=True):
    """Events for a stream that the decision has read or assumed to be new.

    Of several for one stream, each follows the one before it.
    """

    stream: UUID
    events: Sequence[Event]
    org_id: OrgId | None = None
    """The organization of the stream, if not the caller's (or the platform)."""


class KeyDestroyed(NamedTuple):
    """The data key of a stream of the caller's organization goes with what is recorded."""

    subject: UUID


Decision = Sequence[Change | Secret | ClaimChange | CountChange | KeyDestroyed | Redacted]
"""What to record. A count without a change is what the append checks beside that, and a claim what
it takes beside those that the rules derive from the events."""


class Command(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request, named in the imperative; its docstring is its summary in the API.

    ``needs`` is the permission that the caller's role must grant; None if membership does not
    matter, as for commands on the caller's own account. ``records`` are the events that it can
    record; its tests record all of them and no others.
    """

    needs: ClassVar[Permission | None]
    sensitive: ClassVar[bool] = False
    """Whether it needs a recent proof of who the caller is, beside their session."""
    although_closed: ClassVar[bool] = False
    """Whether it is recorded even in a log that takes no commands."""
    records: ClassVar[tuple[type[Event], ...]]

    @property
    def target(self) -> UUID | None:
        """The stream that the command changes; None if it creates one."""
        return None

    def turn(self, context: Context, /) -> UUID | None:
        """Return a stream: within a process, commands on it wait instead of colliding."""
        return self.target

    async def admit(self, read: Reads, context: Context, /) -> None:
        """Refuse a caller who may not send this command, or has not proved lately who they are.

        What is sensitive, or needs no permission, is left to people.

        :raises NotForApiKeys: it is, and an API key is used.
        :raises DomainError: see ``permit``.
        :raises ReauthenticationRequired: the command is sensitive, and the proof too old.
        """
        if context.scopes is not None and (self.sensitive or self.needs is None):
            raise NotForApiKeys
        await self.permit(read, context)
        if self.sensitive and context.session_id is not None:
            session = await read(Session, context.session_id)
            session.refuse_without_proof(context.now)

    async def permit(self, read: Reads, context: Context, /) -> None:
        """Refuse a caller who may not send this command.

        Called before each decision, with the same reads, so that it still holds when the events are
        recorded. Also called alone before a stored reply is repeated, so it must not depend on what
        the command itself changes.

        :raises NotPermitted: the caller's role does not grant it.
        :raises NotFound: the caller is not an active member of the organization.
        """
        if self.needs is not None:
            await refuse_unless_role_grants(read, context, self.needs)

    async def permit_repeat(self, read: Reads, context: Context, made: UUID, /) -> None:
        """Refuse to repeat the reply to a caller who no longer sees *made*, which it shows.

        That is the stream of the last event which the command recorded the first time; this one has
        a new id for what it creates. Called after ``permit``, which is enough for what exists.

        :raises NotFound: they do not see it.
        """

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        """Return what to record. It only reads, and may be called several times.

        :raises DomainError: a rule refuses.
        """
        raise NotImplementedError


async def refuse_unless_role_grants(read: Reads, context: Context, needed: Permission) -> None:
    """Refuse a caller whose role in their organization does not grant *needed*.

    :raises NotPermitted: the role does not grant it.
    :raises NotFound: the caller is not an active member.
    :raises TotpRequired: the organization requires a second factor, which the caller, or the
        creator of the API key that is used, has not.
    :raises LoginWayNotAccepted: their session began in a way that the organization does not accept.
    :raises SessionExpired: the organization limits sessions, and the caller's is beyond that.
    """
    organization = await read(Organization, context.organization)
    role = organization.role_of(context.user_id)
    if role is None:
        raise NotFound
    refuse_unless_granted(role, context.scopes, needed)
    settings, origin = organization.settings, context.origin
    if origin is not None and not accepts(organization, context.user_id, origin):
        raise LoginWayNotAccepted
    by_provider = origin is not None and origin.by_provider
    if context.scopes is not None:
        by_provider = vouches_for(organization, context.user_id)
    if settings.require_totp and not by_provider:
        user = await read(User, context.user_id)
        if user.totp is None:
            raise TotpRequired
    if context.session_id is not None and settings.session_limits != UNLIMITED:
        session = await read(Session, context.session_id)
        if not session.is_within(settings.session_limits, context.now):
            raise SessionExpired


def refuse_unless_granted(role: Role, scopes: Scopes | None, needed: Permission) -> None:
    """Refuse what *role*, or the *scopes* of the API key that is used, do not grant.

    :raises NotForApiKeys: no key can do this.
    :raises ScopeMissing: this key cannot.
    :raises NotPermitted: the role does not grant it.
    """
    if scopes is not None and needed not in KEY_PERMISSIONS:
        raise NotForApiKeys
    if scopes is not None and needed not in scopes:
        raise ScopeMissing(needs=needed)
    if not is_allowed(role, needed, scopes):
        raise NotPermitted(needs=needed)


def changes_of(stream: UUID, events: Sequence[Event], **at: Any) -> Decision:
    """Return the decision to record *events* on one stream; empty without events."""
    return [Change(stream, events, **at)] if events else []


class NoOrganization(DomainError):
    """You do not belong to an organization yet. Create one or accept an invitation first."""

    code = "no_organization"
    refusal = Refusal.CONFLICT


class NotPermitted(DomainError):
    """Your role in this organization does not allow this."""

    code = "not_permitted"
    refusal = Refusal.FORBIDDEN


class ScopeMissing(DomainError):
    """This API key was not created for this. Its scopes do not include what `needs` names."""

    code = "scope_missing"
    refusal = Refusal.FORBIDDEN


class NotForApiKeys(DomainError):
    """No API key can do this. Log in as a person to do it."""

    code = "not_for_api_keys"
    refusal = Refusal.FORBIDDEN


class ChangedSince(DomainError):
    """Someone else changed the same field since the version in If-Match. Read it again."""

    code = "changed_since"
    refusal = Refusal.STALE


class AlreadyRan(DomainError):
    """This request has already run, but its response is no longer kept. Read what you need."""

    code = "already_done"
    refusal = Refusal.CONFLICT

    def __init__(self, position: int = 0) -> None:
        super().__init__()
        self.position = position
        """That of its last event in the partition of the organization, 0 without one."""


class KeyReused(DomainError):
    """This Idempotency-Key was already used for a different request. Use a new key."""

    code = "idempotency_key_reused"
    refusal = Refusal.INVALID
