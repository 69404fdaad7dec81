"""HTTP routes to prove and to change the e-mail address of an account."""

from typing import Annotated

from litestar import Controller, post
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.http.parameters import nothing, shows
from api.http.policy import account, public
from api.http.request import ApiRequest
from api.http.response import ApiResponse, json_response
from api.http.run_command import run_without_reply
from api.login.address import refuse_odd_address
from api.login.attempts import context_as
from api.login.email_proof import proof_of
from api.login.proof import prove_password
from commands.identity.user import Email, ProveEmail, RequestEmailProof
from domain.base import NotFound, UserId
from domain.claim import EmailTaken
from domain.identity.user.address import EmailProofIsOver
from domain.identity.user.state import User
from security.mail_address import canonical_address
from security.mail_tokens import read_mail_token


class EmailChange(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body with the new address."""

    email: Email
    current_password: Annotated[str, Meta(max_length=1024)]


class EmailToken(Struct, frozen=True, forbid_unknown_fields=True):
    """Body with the token from the mail."""

    token: Annotated[str, Meta(max_length=200)]


class ProofAnswer(Struct, frozen=True):
    """What is told whether the address is somebody's already or not."""

    detail: str = "If the address can be yours, a link is on its way to it."


class EmailController(Controller):
    """The address of an account, confirmed by a link that only its mailbox gets."""

    path = "/api/auth"
    tags = ("Authentication",)

    @post(
        "/change-email",
        status_code=202,
        opt=account(dry_run=False, key=False, fails=((401, "wrong_password"),)),
        responses=shows(ProofAnswer, 202, "Accepted"),
    )
    async def change_email(self, request: ApiRequest, data: JSONBody[EmailChange]) -> ApiResponse:
        """Have a link mailed to a new address, which becomes yours when you open it."""
        await prove_password(request, data.current_password)
        email = canonical_address(data.email)
        refuse_odd_address(email)
        return await _request_proof(request, email)

    @post(
        "/confirm-email/resend",
        status_code=202,
        opt=account(dry_run=False, key=False),
        responses=shows(ProofAnswer, 202, "Accepted"),
    )
    async def resend(self, request: ApiRequest) -> ApiResponse:
        """Have a new link mailed to the address that is not confirmed yet; the old one is over."""
        user = request.caller.user
        waiting = user.proof.email if user.proof is not None else user.email
        return await _request_proof(request, waiting)

    @post(
        "/confirm-email",
        status_code=200,
        opt=public("register", dry_run=False, fails=(EmailProofIsOver, EmailTaken)),
        responses=nothing(),
    )
    async def confirm_email(self, request: ApiRequest, data: JSONBody[EmailToken]) -> ApiResponse:
        """Prove an address by the token from its mail; a new one replaces the old one."""
        presented = read_mail_token(data.token)
        if presented is None:
            raise EmailProofIsOver
        user_id = UserId(presented.owner)
        commands = request.api.system.commands
        try:
            user = await commands.states.fresh(User, user_id)
        except NotFound:
            raise EmailProofIsOver from None
        user.provable(presented.hash, request.api.system.clock())
        command = ProveEmail(user_id=user_id, token_hash=presented.hash)
        await commands.handle(command, context_as(request, user_id))
        return ApiResponse(b"", 204)


async def _request_proof(request: ApiRequest, email: str) -> ApiResponse:
    await request.limit(*request.network_limits("register"))
    system, user_id = request.api.system, request.caller.user_id
    requested = proof_of(system, user_id, email, system.clock())
    await run_without_reply(request, RequestEmailProof(user_id=user_id, requested=requested))
    return json_response(ProofAnswer(), 202)
