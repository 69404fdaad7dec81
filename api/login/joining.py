"""Joining an organization by an invitation, with an existing account or a new one."""

from typing import cast

from msgspec import Struct
from msgspec.structs import replace

from api.http.guard import presented_claims, sent_key
from api.http.problem import FieldError, invalid
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import run_without_reply
from api.login.attempts import context_as
from api.login.credentials import begin_session, refuse_weak
from api.login.profile import profile_of, render_profile
from commands.base import NotForApiKeys
from commands.identity.invitation import AcceptInvitation, RegisterInvited
from commands.reservations import email_claim
from domain.base import NotFound, OrgId, UserId
from domain.identity.organization.membership import Invitation, InvitationIsOver
from domain.identity.organization.state import Organization
from domain.identity.session.errors import SessionConfined
from domain.identity.user.state import User
from eventstore.identifiers import new_id
from security.mail_tokens import MailToken, is_token, read_mail_token


class FoundInvitation(Struct, frozen=True):
    """An open invitation, and who invites."""

    token: MailToken
    organization: Organization
    invitation: Invitation


async def find_invitation(request: ApiRequest, token: str) -> FoundInvitation:
    """Return the open invitation with this *token*.

    :raises InvitationIsOver: there is none; the error does not say why.
    """
    system = request.api.system
    presented = read_mail_token(token)
    if presented is None:
        raise InvitationIsOver
    org_id = OrgId(presented.owner)
    try:
        organization = await system.commands.states.fresh(Organization, org_id, org_id)
    except NotFound:
        raise InvitationIsOver from None
    invitation = organization.invitations.get(presented.subject)
    known = invitation is not None and is_token(invitation.token_hash, presented)
    if invitation is None or not known or organization.deleted:
        raise InvitationIsOver
    if invitation.expires_at <= system.clock():
        raise InvitationIsOver
    return FoundInvitation(presented, organization, invitation)


async def has_account(request: ApiRequest, email: str) -> bool:
    """Return whether somebody has an account with this address."""
    log = request.api.system.log
    return await log.holder(email_claim(log.keys.fingerprint, email)) is not None


async def accept_invitation(
    request: ApiRequest, token: str, name: str | None, password: str | None
) -> ApiResponse:
    """Return 200 to a caller who is logged in, 201 to one who gets an account.

    :raises NotForApiKeys: the request sends an API key.
    :raises DomainError: the invitation is over, or was sent to another address.
    :raises Problem: 401, or 422 without name or password.
    """
    if sent_key(request) is not None:
        raise NotForApiKeys
    found = await find_invitation(request, token)
    if b"authorization" in request.client_info.headers:
        return await _with_account(request, found)
    return await _with_new_account(request, found, name, password)


async def _with_account(request: ApiRequest, found: FoundInvitation) -> ApiResponse:
    request.claims = presented_claims(request)
    caller = await request.identify(fresh=True)
    if caller.confined:
        raise SessionConfined
    org_id = OrgId(found.token.owner)
    command = AcceptInvitation(
        organization_id=org_id,
        invitation_id=found.token.subject,
        token_hash=found.token.hash,
        user_id=caller.user_id,
    )
    await run_without_reply(request, command, org_id)
    return ApiResponse(render_profile(profile_of(await request.identify(fresh=True))))


async def _with_new_account(
    request: ApiRequest, found: FoundInvitation, name: str | None, password: str | None
) -> ApiResponse:
    system, email = request.api.system, found.invitation.email
    if name is None or password is None:
        missing = [
            path for path, value in (("$.name", name), ("$.password", password)) if not value
        ]
        raise invalid(*(FieldError(path, "Needed for a new account") for path in missing))
    refuse_weak(system, password, "$.password", email, name, found.organization.name)
    user_id = UserId(new_id())
    command = RegisterInvited(
        organization_id=OrgId(found.token.owner),
        invitation_id=found.token.subject,
        token_hash=found.token.hash,
        user_id=user_id,
        name=name,
        password_hash=(await system.passwords.hash(password)).encode(),
    )
    context = replace(context_as(request, user_id), org_id=OrgId(found.token.owner))
    receipt = await system.commands.handle(command, context)
    user = cast(User, receipt.states[user_id].state)
    answer = await begin_session(request, user_id, user)
    answer.status_code = 201
    return answer
