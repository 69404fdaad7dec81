"""HTTP routes of invitations, for those who send them and for those who accept them."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, post
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.http.paging import LIMIT_DEFAULT, Paging, wait_for_own_writes
from api.http.parameters import Cursor, Limit, Page, nothing, shows
from api.http.policy import needs, public
from api.http.request import ApiRequest
from api.http.response import ApiResponse, json_response
from api.http.run_command import Reply, Show, run_command
from api.identity.auth import Password
from api.identity.organization import own_organization
from api.login.address import refuse_odd_address
from api.login.credentials import LoginView
from api.login.joining import accept_invitation, find_invitation, has_account
from api.login.profile import ProfileView
from commands.base import NotForApiKeys
from commands.identity.invitation import InviteMember, ResendInvitation, RevokeInvitation
from commands.identity.user import Email
from commands.reservations import email_claim
from domain.base import OrgId, UserId
from domain.claim import EmailTaken
from domain.identity.organization.membership import (
    AlreadyMember,
    InvitationIsOver,
    InvitedAtAnotherAddress,
    Role,
    RoleTooLow,
)
from domain.identity.organization.state import Organization
from domain.identity.plan import PlanLimitReached
from domain.identity.session.errors import SessionConfined
from domain.name import Name
from domain.permission import Permission
from eventstore.identifiers import new_id
from projections.identity.invitation import (
    InvitationView,
    invitations_of,
    render_invitation,
)
from security.mail_address import canonical_address
from security.mail_tokens import MailPurpose, hash_of

INVITATION_LIFETIME = timedelta(days=7)
"""How long an invitation can be accepted."""

Token = Annotated[str, Meta(max_length=200)]


class NewInvitation(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of an invitation."""

    email: Email
    role: Role = Role.MEMBER


class SentInvitation(InvitationView, frozen=True, kw_only=True):
    """An invitation as its sender sees it once.

    ``link`` is there only where no mail is sent: pass it on to the person that you invite.
    """

    link: str | None = None


class PresentedToken(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body with the token of an invitation."""

    token: Token


class Acceptance(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of an acceptance; name and password are for people without an account."""

    token: Token
    name: Name | None = None
    password: Password | None = None


class InvitingOrganization(Struct, frozen=True, rename="camel"):
    """The organization that invites, as far as strangers may know it."""

    name: str


class InvitationPreview(Struct, frozen=True, rename="camel"):
    """What an invitation is about; ``account``: whether its address has an account already."""

    organization: InvitingOrganization
    email: str
    role: Role
    account: bool


class InvitationController(Controller):
    """Invitations of an organization."""

    path = "/api/org/{organization_id:uuid}/invitations"
    tags = ("Invitations",)

    @post(
        "/",
        opt=needs(Permission.MEMBER_INVITE, fails=(AlreadyMember, PlanLimitReached, RoleTooLow)),
        responses=shows(SentInvitation, 201),
    )
    async def invite_member(
        self,
        request: ApiRequest,
        organization_id: FromPath[UUID],
        data: JSONBody[NewInvitation],
    ) -> ApiResponse:
        """Invite somebody by e-mail; an older invitation to the same address is revoked."""
        email = canonical_address(data.email)
        refuse_odd_address(email)
        made = _Made(request, OrgId(organization_id))
        log = request.api.system.log
        holder = await log.holder(email_claim(log.keys.fingerprint, email))
        command = InviteMember(
            user_id=None if holder is None else UserId(holder),
            organization_id=made.org_id,
            invitation_id=made.id,
            email=email,
            role=data.role,
            token_hash=hash_of(made.token),
            expires_at=made.expires_at,
            mailed=made.mailed,
        )
        location = f"/api/org/{organization_id}/invitations/{{id}}"
        return await run_command(request, command, made.reply(status=201, location=location))

    @get("/", opt=needs(Permission.INVITATION_READ), responses=shows(Page[InvitationView]))
    async def list_invitations(
        self,
        request: ApiRequest,
        organization_id: FromPath[UUID],
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List the invitations that nobody has accepted yet, the oldest first."""
        org_id = own_organization(request, organization_id)
        paging = Paging(request)
        after = paging.key(cursor)
        await wait_for_own_writes(request, "invitations")
        return paging.answer(await invitations_of(request.api.models, org_id, limit, after), limit)

    @post(
        "/{invitation_id:uuid}/resend",
        status_code=200,
        opt=needs(Permission.MEMBER_INVITE, fails=(PlanLimitReached, RoleTooLow)),
        responses=shows(SentInvitation),
    )
    async def resend_invitation(
        self, request: ApiRequest, organization_id: FromPath[UUID], invitation_id: FromPath[UUID]
    ) -> ApiResponse:
        """Replace an invitation by a new one to the same address; the old token stops working."""
        made = _Made(request, OrgId(organization_id))
        command = ResendInvitation(
            organization_id=made.org_id,
            invitation_id=invitation_id,
            next_id=made.id,
            token_hash=hash_of(made.token),
            expires_at=made.expires_at,
            mailed=made.mailed,
        )
        return await run_command(request, command, made.reply())

    @delete(
        "/{invitation_id:uuid}",
        status_code=200,
        opt=needs(Permission.MEMBER_INVITE, fails=(RoleTooLow,)),
        responses=nothing(),
    )
    async def revoke_invitation(
        self, request: ApiRequest, organization_id: FromPath[UUID], invitation_id: FromPath[UUID]
    ) -> ApiResponse:
        """Revoke an invitation. Its token stops working at once."""
        command = RevokeInvitation(
            organization_id=OrgId(organization_id), invitation_id=invitation_id
        )
        return await run_command(request, command, Reply(stream=organization_id))


class InvitedController(Controller):
    """Invitations as the people see them who were invited."""

    path = "/api/invitations"
    tags = ("Invitations",)

    @post(
        "/preview",
        status_code=200,
        opt=public("register", dry_run=False, fails=(InvitationIsOver,)),
        responses=shows(InvitationPreview),
    )
    async def preview_invitation(
        self, request: ApiRequest, data: JSONBody[PresentedToken]
    ) -> ApiResponse:
        """Return what the invitation with this token is about."""
        found = await find_invitation(request, data.token)
        invitation = found.invitation
        account = await has_account(request, invitation.email)
        inviting = InvitingOrganization(found.organization.name)
        return json_response(
            InvitationPreview(inviting, invitation.email, invitation.role, account)
        )

    @post(
        "/accept",
        status_code=201,
        opt=public(
            "register",
            dry_run=False,
            fails=(
                AlreadyMember,
                EmailTaken,
                InvitationIsOver,
                InvitedAtAnotherAddress,
                NotForApiKeys,
                PlanLimitReached,
                SessionConfined,
                (401, "token_expired"),
                (401, "unauthorized"),
                (422, "weak_password"),
            ),
            sends=("Set-Cookie",),
        ),
        responses={
            **shows(LoginView, 201, "Your new account, logged in"),
            **shows(ProfileView, 200, "Your account, if you were logged in"),
        },
    )
    async def accept_invitation(
        self, request: ApiRequest, data: JSONBody[Acceptance]
    ) -> ApiResponse:
        """Join the organization: with your account if you are logged in, or else with a new one.

        Without an access token, `name` and `password` are needed.
        """
        return await accept_invitation(request, data.token, data.name, data.password)


class _Made:
    """A new invitation with its token, before anything is recorded."""

    def __init__(self, request: ApiRequest, org_id: OrgId) -> None:
        system = request.api.system
        self.org_id, self.id = org_id, new_id()
        self.expires_at = system.clock() + INVITATION_LIFETIME
        self.token = system.keys.mail_tokens.mint(
            MailPurpose.INVITATION, org_id, self.id, self.expires_at
        )
        self.mailed = bool(system.settings.smtp_url)
        self._link = None if self.mailed else f"{system.settings.app_url}/invitation#{self.token}"

    def reply(self, status: int = 200, location: str = "") -> Reply:
        """Return the reply that shows the invitation, with its link if no mail is sent."""
        return Reply(
            stream=self.org_id,
            show=self._show(None),
            status=status,
            location=location,
            show_once=None if self._link is None else self._show(self._link),
            tagged=False,
        )

    def _show(self, link: str | None) -> Show:
        def show(organization: Organization, version: int, at: datetime) -> bytes:
            shown = render_invitation(self.id, organization.invitations[self.id])
            if link is None:
                return shown
            return b'%b,"link":%b}' % (shown[:-1], msgspec.json.encode(link))

        return show
