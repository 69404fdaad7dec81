"""Commands on accounts."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from commands.access import on_record
from commands.base import Change, Command, Context, Decision, changes_of
from commands.identity.organization import CreateOrganization, open_organization
from commands.identity.time_zones import time_zones
from commands.reads import Reads
from domain.access import LoginRefused
from domain.base import UserId
from domain.identity.organization.events import OrganizationCreated
from domain.identity.organization.membership import MemberJoined
from domain.identity.organization.settings import UnknownTimeZone
from domain.identity.user.address import EmailChanged, EmailProofRequested
from domain.identity.user.events import (
    EmailConfirmed,
    HomeOrganizationChanged,
    LoginFailed,
    PasswordChanged,
    PasswordResetRequested,
    UserProfileChanged,
    UserRegistered,
)
from domain.identity.user.state import User
from domain.name import Name
from domain.permission import Permission
from eventstore.append import Secret

Email = Annotated[str, Meta(min_length=3, max_length=254)]

PASSWORD = "password"  # noqa: S105  the name of the secret
"""The name under which a user's password hash is stored next to the log."""


class RegisterUser(Command, frozen=True, kw_only=True):
    """Create an account and, if requested, an organization."""

    needs: ClassVar[Permission | None] = None
    records = (
        UserRegistered,
        EmailProofRequested,
        OrganizationCreated,
        MemberJoined,
        HomeOrganizationChanged,
    )
    user_id: UserId
    email: Email
    name: Name
    password_hash: bytes
    organization: CreateOrganization | None = None
    proof: EmailProofRequested | None = None
    """What has the address confirmed, by a token that it gets by mail."""

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        user = read.new(User, self.user_id)
        if user.registered:  # a retry, which must not replace the password
            return []
        registered = UserRegistered(email=self.email, name=self.name)
        events = user.register(registered)
        if self.proof is not None:
            events.append(self.proof)
        opening: list[Change] = []
        if self.organization is not None:
            opening = await open_organization(read, self.organization, self.user_id)
            user = user.evolve(registered)
            events += user.make_home(self.organization.organization_id)
        return [
            Change(self.user_id, events),
            *opening,
            Secret(self.user_id, PASSWORD, self.password_hash),
        ]


class UserCommand(Command, frozen=True, kw_only=True):
    """A command of users on their own account."""

    needs: ClassVar[Permission | None] = None
    user_id: UserId

    @property
    def target(self) -> UUID | None:
        return self.user_id


class ChangeProfile(UserCommand, frozen=True, kw_only=True):
    """Change your name or time zone."""

    records = (UserProfileChanged,)
    name: Name | UnsetType = UNSET
    time_zone: str | UnsetType | None = UNSET

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        user = await read(User, self.user_id)
        wanted = UserProfileChanged(name=self.name, time_zone=self.time_zone)
        if isinstance(self.time_zone, str) and self.time_zone not in time_zones():
            raise UnknownTimeZone
        return changes_of(self.user_id, user.change_profile(wanted))


class ChangePassword(UserCommand, frozen=True, kw_only=True):
    """Change the password; all sessions started with the old one end."""

    records = (PasswordChanged,)
    password_hash: bytes

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        user = await read(User, self.user_id)
        events = user.change_password()
        return [
            Change(self.user_id, events),
            Secret(self.user_id, PASSWORD, self.password_hash),
        ]


class RequestEmailProof(UserCommand, frozen=True, kw_only=True):
    """Request a token that proves an address, yours or a new one; it gets it by mail."""

    records = (EmailProofRequested,)
    requested: EmailProofRequested

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        user = await read(User, self.user_id)
        return changes_of(self.user_id, user.request_email_proof(self.requested))


class ProveEmail(UserCommand, frozen=True, kw_only=True):
    """Confirm your address, or change it to a new one, by the token that was mailed there."""

    records = (EmailConfirmed, EmailChanged)
    token_hash: str

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        user = await read(User, self.user_id)
        return changes_of(self.user_id, user.prove_email(self.token_hash, context.now))


class RequestPasswordReset(UserCommand, frozen=True, kw_only=True):
    """Request a token that changes the password of an account; its address gets it by mail."""

    records = (PasswordResetRequested,)
    reset_id: UUID
    token_hash: str
    expires_at: datetime

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        user = await read(User, self.user_id)
        requested = PasswordResetRequested(
            reset_id=self.reset_id, token_hash=self.token_hash, expires_at=self.expires_at
        )
        return changes_of(self.user_id, user.request_reset(requested))


class ResetPassword(UserCommand, frozen=True, kw_only=True):
    """Choose a new password by the token that was mailed; all sessions end."""

    records = (PasswordChanged, EmailConfirmed)
    token_hash: str
    password_hash: bytes

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        user = await read(User, self.user_id)
        events = user.reset_password(self.token_hash, context.now)
        return [
            Change(self.user_id, events),
            Secret(self.user_id, PASSWORD, self.password_hash),
        ]


class RecordFailedLogin(UserCommand, frozen=True, kw_only=True):
    """Record failed logins, for the person and for the organization of the context."""

    records = (LoginFailed, LoginRefused)
    count: int = 1

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        user = await read(User, self.user_id)
        refused = LoginRefused(user_id=self.user_id, count=self.count)
        return [
            *changes_of(self.user_id, user.fail_login(self.count)),
            *await on_record(read, context, self.user_id, [refused]),
        ]
