"""Registration: check, hash, claim and record a new account in one append."""

from typing import Any, cast

from msgspec.structs import replace

from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import would_record
from api.identity.account import ProfileView, render_profile
from api.login.credentials import (
    context_as,
    email_claim,
    normalised,
    refuse_odd_address,
    refuse_weak,
)
from commands.base import Context
from commands.handler import Receipt
from commands.identity.organization import CreateOrganization
from commands.identity.user import RegisterUser
from domain.base import OrgId, UserId
from domain.identity.organization.membership import Role
from domain.identity.user import User
from eventstore.append import StoredReply
from eventstore.identifiers import new_id


async def register_user(request: ApiRequest, data: Any) -> ApiResponse:
    """Return 201 with the new account; *data* is a ``Registration``.

    :raises Problem: 422 for a malformed address or a weak password.
    :raises DomainError: the address or the subdomain is taken.
    """
    command = await _command(request, data)
    context = _context(request, command)
    user_id, idempotency = command.user_id, context.idempotency

    def shown(receipt: Receipt) -> bytes:
        return _rendered(user_id, cast(User, receipt.states[user_id].state))

    async def render(receipt: Receipt) -> StoredReply:
        assert idempotency is not None  # noqa: S101 - the handler asks only then
        return StoredReply(idempotency.request_hash, 201, shown(receipt), None, 0)

    handle = request.api.system.commands.handle
    receipt = await handle(command, context, render if idempotency else None)
    if context.dry_run:
        return would_record(receipt)
    if receipt.reply is not None:
        return ApiResponse(receipt.reply.body, 201).with_header(b"idempotent-replayed", b"true")
    answer = ApiResponse(shown(receipt), 201, headers=[(b"location", b"/api/auth/profile")])
    if receipt.position is not None:
        request.api.writes.note(user_id, receipt.position)
        answer.with_header(b"x-position", b"%d" % receipt.position)
    return answer


async def _command(request: ApiRequest, data: Any) -> RegisterUser:
    system = request.api.system
    email = normalised(data.email)
    refuse_odd_address(email)
    named = data.organization
    known = (named.name, named.subdomain) if named else ()
    refuse_weak(system, data.password, "$.password", email, data.name, *known)
    opening = None
    if named is not None:
        opening = CreateOrganization(
            organization_id=OrgId(new_id()), name=named.name, subdomain=named.subdomain
        )
    return RegisterUser(
        user_id=UserId(new_id()),
        email=email,
        email_claim=email_claim(system, email),
        name=data.name,
        password_hash=(await system.passwords.hash(data.password)).encode(),
        organization=opening,
    )


def _context(request: ApiRequest, command: RegisterUser) -> Context:
    """Return the command's context: the new user, in the organization created with the account."""
    context = context_as(request, command.user_id)
    if command.organization is not None:
        context = replace(context, org_id=command.organization.organization_id)
    if request.is_dry_run():
        return replace(context, dry_run=True)
    idempotency = request.idempotency(f"register|{command.email_claim.hex}")
    if idempotency is None:
        return context
    return replace(context, idempotency=idempotency, command_id=idempotency.command_id)


def _rendered(user_id: UserId, user: User) -> bytes:
    org_id = user.organization_id
    profile = ProfileView(
        id=user_id,
        email=user.email,
        name=user.name,
        role=None if org_id is None else Role.ADMIN,
        organization_id=org_id,
    )
    return render_profile(profile)
