"""HTTP routes to choose a new password without the old one."""

from typing import Annotated

from litestar import Controller, post
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.http.parameters import nothing, shows
from api.http.policy import public
from api.http.request import ApiRequest
from api.http.response import ApiResponse, json_response
from api.identity.auth import Password
from api.login.reset import request_reset, reset_password
from domain.identity.user.errors import ResetIsOver


class ForgottenPassword(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body with the address of an account, if there is one."""

    email: Annotated[str, Meta(max_length=254)]


class PasswordReset(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body with the token from the mail, and the new password."""

    token: Annotated[str, Meta(max_length=200)]
    new_password: Password


class ResetAnswer(Struct, frozen=True):
    """What everybody is told, whether there is an account or not."""

    detail: str = "If this address has an account, a link is on its way."


class ResetController(Controller):
    """Password resets; they end every session of the account."""

    path = "/api/auth"
    tags = ("Authentication",)

    @post(
        "/forgot-password",
        status_code=202,
        opt=public("register", dry_run=False),
        responses=shows(ResetAnswer, 202, "Accepted"),
    )
    async def forgot_password(
        self, request: ApiRequest, data: JSONBody[ForgottenPassword]
    ) -> ApiResponse:
        """Have a link mailed to this address, if it has an account; the answer does not tell."""
        await request_reset(request, data.email)
        return json_response(ResetAnswer(), 202)

    @post(
        "/reset-password",
        status_code=200,
        opt=public("register", dry_run=False, fails=(ResetIsOver, (422, "weak_password"))),
        responses=nothing(),
    )
    async def reset_password(
        self, request: ApiRequest, data: JSONBody[PasswordReset]
    ) -> ApiResponse:
        """Choose a new password with the token from the mail. All your sessions end."""
        await reset_password(request, data.token, data.new_password)
        return ApiResponse(b"", 204)
