"""Commands on single sign-on: the provider of an organization, and logins through it."""

from datetime import datetime, timedelta
from typing import Annotated, ClassVar, NamedTuple
from uuid import UUID

from msgspec import Meta

from commands.base import Change, Command, Context, Decision, changes_of
from commands.identity.organization import OrganizationCommand, read_organization
from commands.identity.session_room import free_place
from commands.reads import Reads
from domain.access import UNKNOWN_PERSON, AccessRecord, LoggedIn, SsoRefused, access_record
from domain.base import OrgId, SessionId, UserId
from domain.identity.organization.membership import (
    InvitationAccepted,
    MemberJoined,
    MemberRoleChanged,
    Role,
)
from domain.identity.organization.sign_on import (
    Arrival,
    arrive,
    configure,
    prove_domain,
    provider_of,
    refuse_foreign_domain,
    remove,
)
from domain.identity.organization.sso import (
    AccountUnconfirmed,
    ClientSecretNeeded,
    DomainProven,
    MappedRole,
    MemberLinked,
    SsoConfigured,
    SsoLoginIsOver,
    SsoRemoved,
)
from domain.identity.organization.state import Organization
from domain.identity.session.events import Factor, SessionOrigin, SessionRevoked, SessionStarted
from domain.identity.session.state import IDLE_LIFETIME, NewSession, Session
from domain.identity.user.address import EmailProofRequested
from domain.identity.user.events import HomeOrganizationChanged, UserEvent, UserRegistered
from domain.identity.user.state import User
from domain.permission import Permission
from eventstore.append import Secret
from eventstore.claim import ClaimKey

CLIENT_SECRET = "oidc client secret"  # noqa: S105  the name of the secret
"""The name under which what proves us to the provider is kept beside the log."""

_Text = Annotated[str, Meta(min_length=1, max_length=200)]


class ConfigureSso(OrganizationCommand, frozen=True, kw_only=True):
    """Name the identity provider of the organization, or change what is said about it."""

    needs: ClassVar[Permission | None] = Permission.SSO_MANAGE
    sensitive = True
    records = (SsoConfigured,)
    configuration_id: UUID
    issuer: str
    client_id: str
    scopes: tuple[str, ...]
    domains: tuple[str, ...]
    role_claim: str | None
    roles: tuple[MappedRole, ...]
    default_role: Role
    sealed_secret: bytes | None
    """None: the same as before, which only the same client of the same provider may go on using."""

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        organization = await read_organization(read, context, self.organization_id)
        known = organization.sign_on.provider
        if self.sealed_secret is None and (
            known is None or (known.issuer, known.client_id) != (self.issuer, self.client_id)
        ):
            raise ClientSecretNeeded
        wanted = SsoConfigured(
            configuration_id=self.configuration_id,
            issuer=self.issuer,
            client_id=self.client_id,
            scopes=self.scopes,
            domains=self.domains,
            role_claim=self.role_claim,
            roles=self.roles,
            default_role=self.default_role,
        )
        changes = changes_of(self.organization_id, configure(organization, wanted))
        if not changes or self.sealed_secret is None:
            return changes
        return [*changes, Secret(self.organization_id, CLIENT_SECRET, self.sealed_secret)]


class RemoveSso(OrganizationCommand, frozen=True, kw_only=True):
    """Remove the identity provider; sessions that it began have no access any more."""

    needs: ClassVar[Permission | None] = Permission.SSO_MANAGE
    sensitive = True
    records = (SsoRemoved,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        organization = await read_organization(read, context, self.organization_id)
        events = remove(organization)
        if not events:
            return []
        return [
            *changes_of(self.organization_id, events),
            Secret(self.organization_id, CLIENT_SECRET, None),
        ]


class ProveDomain(OrganizationCommand, frozen=True, kw_only=True):
    """Note that a domain of the provider is the organization's own, as its DNS says."""

    needs: ClassVar[Permission | None] = Permission.SSO_MANAGE
    records = (DomainProven,)
    domain: str

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        organization = await read_organization(read, context, self.organization_id)
        return changes_of(self.organization_id, prove_domain(organization, self.domain))


class _Known(NamedTuple):
    """The account of somebody who logs in, and the events on it if it is new."""

    user_id: UserId
    user: User
    events: list[UserEvent]


class LogInBySso(Command, frozen=True, kw_only=True):
    """Start a session for whoever the identity provider of an organization vouches for.

    The session is confined to the organization. Somebody whom the provider named before is known by
    its subject; else by their address, if they have confirmed it; else they get an account.
    """

    needs: ClassVar[Permission | None] = None
    records = (
        UserRegistered,
        EmailProofRequested,
        HomeOrganizationChanged,
        InvitationAccepted,
        MemberJoined,
        MemberRoleChanged,
        MemberLinked,
        SessionRevoked,
        SessionStarted,
        LoggedIn,
    )
    organization_id: OrgId
    configuration_id: UUID
    """What was configured when the login began."""
    session_id: SessionId
    """Chosen when the login began, so that it ends in one session at most."""
    user_id: UserId
    """Who gets an account, unless they have one."""
    subject: _Text
    subject_claim: ClaimKey
    email: str
    email_claim: ClaimKey
    name: str
    role_values: tuple[str, ...]
    proof: EmailProofRequested | None
    """What has the address of a new account confirmed: the provider's word counts only here."""
    nonce: str
    proved_at: datetime | None
    idle: timedelta = IDLE_LIFETIME

    @property
    def target(self) -> UUID | None:
        return self.organization_id

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        organization = await read(Organization, self.organization_id)
        provider = provider_of(organization, self.configuration_id)
        if read.new(Session, self.session_id).user_id is not None:
            raise SsoLoginIsOver
        refuse_foreign_domain(organization, provider, self.email)
        known = await self._known(read)
        arrival = Arrival(known.user_id, self.subject, self.email, self.role_values)
        events = arrive(organization, provider, arrival, context.now)
        started = await self._session(read, context, known, provider.issuer)
        record = access_record(self.organization_id, known.user_id)
        await read(AccessRecord, record)
        logged_in = LoggedIn(user_id=known.user_id, session_id=self.session_id)
        return [
            *changes_of(known.user_id, known.events),
            *changes_of(self.organization_id, events),
            *started,
            Change(record, [logged_in], self.organization_id),
        ]

    async def _known(self, read: Reads) -> _Known:
        """Return the account of the person, which is new if there is none.

        :raises AccountUnconfirmed: whoever opened it may not be the owner of its address.
        :raises AccountDeactivated: it is deactivated.
        """
        held = await read.holders([self.subject_claim, self.email_claim])
        holder = held.get(self.subject_claim) or held.get(self.email_claim)
        if holder is None:
            return self._new(read)
        user_id = UserId(holder)
        user = await read(User, user_id)
        user.refuse_unless_active()
        if self.subject_claim not in held and not user.email_confirmed:
            raise AccountUnconfirmed
        return _Known(user_id, user, [])

    def _new(self, read: Reads) -> _Known:
        registered = UserRegistered(email=self.email, name=self.name)
        events: list[UserEvent] = read.new(User, self.user_id).register(registered)
        user = User().evolve(registered)
        if self.proof is not None:
            events.append(self.proof)
        return _Known(self.user_id, user, [*events, *user.make_home(self.organization_id)])

    async def _session(
        self, read: Reads, context: Context, known: _Known, issuer: str
    ) -> list[Change]:
        place, making_room = await free_place(
            read, context, (known.user_id, self.organization_id), known.user.credentials
        )
        new = NewSession(
            user_id=known.user_id,
            nonce=self.nonce,
            credentials=known.user.credentials,
            organization_id=self.organization_id,
            origin=SessionOrigin(Factor.OIDC, issuer),
            proved_at=self.proved_at,
            place=place,
        )
        events = read.new(Session, self.session_id).start(new, context.now, idle=self.idle)
        return [*making_room, Change(self.session_id, events)]


class RecordRefusedSso(Command, frozen=True, kw_only=True):
    """Record logins through the provider that failed, for the organization's administrators."""

    needs: ClassVar[Permission | None] = None
    records = (SsoRefused,)
    organization_id: OrgId
    user_id: UserId | None
    reason: str
    count: int

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        stream = access_record(self.organization_id, self.user_id or UNKNOWN_PERSON)
        await read(AccessRecord, stream)
        refused = SsoRefused(user_id=self.user_id, reason=self.reason, count=self.count)
        return [Change(stream, [refused], self.organization_id)]
