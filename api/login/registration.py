"""Registration: check, hash, claim and record a new account in one append."""

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command_as
from api.login.address import refuse_odd_address
from api.login.attempts import context_as
from api.login.credentials import refuse_weak
from api.login.email_proof import proof_of
from api.login.profile import ProfileView, render_profile
from commands.base import Context
from commands.identity.organization import CreateOrganization
from commands.identity.user import RegisterUser
from domain.base import OrgId, UserId
from domain.identity.organization.membership import Role
from domain.identity.user.state import User
from eventstore.identifiers import new_id
from security.mail_address import canonical_address


async def register_user(request: ApiRequest, data: Any) -> ApiResponse:
    """Return 201 with the new account; *data* is a ``Registration``.

    :raises Problem: 422 for a malformed address or a weak password.
    :raises DomainError: the address or the subdomain is taken.
    """
    command = await _command(request, data)
    user_id = command.user_id

    def show(user: User, _version: int, _at: datetime) -> bytes:
        return _rendered(user_id, user)

    location = "/api/auth/profile"
    reply = Reply(stream=user_id, show=show, status=201, location=location, tagged=False)
    return await run_command_as(request, command, reply, _context(request, command))


async def _command(request: ApiRequest, data: Any) -> RegisterUser:
    system = request.api.system
    email = canonical_address(data.email)
    refuse_odd_address(email)
    named = data.organization
    known = (named.name, named.subdomain) if named else ()
    refuse_weak(system, data.password, "$.password", email, data.name, *known)
    opening = None
    if named is not None:
        opening = CreateOrganization(
            organization_id=OrgId(new_id()), name=named.name, subdomain=named.subdomain
        )
    user_id = UserId(new_id())
    return RegisterUser(
        user_id=user_id,
        proof=proof_of(system, user_id, email, system.clock()),
        email=email,
        name=data.name,
        password_hash=(await system.passwords.hash(data.password)).encode(),
        organization=opening,
    )


def _context(request: ApiRequest, command: RegisterUser) -> Context:
    """Return the command's context: the new user, in the organization created with the account."""
    context = context_as(request, command.user_id)
    if command.organization is not None:
        context = replace(context, org_id=command.organization.organization_id)
    return replace(context, dry_run=request.is_dry_run())


def _rendered(user_id: UserId, user: User) -> bytes:
    org_id = user.home_organization_id
    profile = ProfileView(
        id=user_id,
        email=user.email,
        email_confirmed=user.email_confirmed,
        name=user.name,
        role=None if org_id is None else Role.ADMIN,
        organization_id=org_id,
        totp=False,
    )
    return render_profile(profile)
