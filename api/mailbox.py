"""HTTP routes of the mailbox, which shows in development what would be sent."""

import asyncio
from uuid import UUID

from litestar import Controller, get
from litestar.params import FromPath

from api.http.parameters import Page, shows
from api.http.policy import public
from api.http.problem import not_found
from api.http.request import ApiRequest
from api.http.response import ApiResponse, json_response
from domain.base import NotFound
from mail.mailbox import KeptMail, Mailbox
from runtime.setting import AppEnv


class MailboxController(Controller):
    """Mails of a development system; elsewhere there are none."""

    path = "/api/dev/mail"
    tags = ("Development",)

    @get("/", opt=public(fails=(NotFound,)), responses=shows(Page[KeptMail]))
    async def list_kept_mails(self, request: ApiRequest) -> ApiResponse:
        """List the newest mails."""
        return json_response(Page(await asyncio.to_thread(_mailbox(request).newest), None))

    @get("/{mail_id:uuid}", opt=public(fails=(NotFound,)), responses=shows(KeptMail))
    async def get_kept_mail(self, request: ApiRequest, mail_id: FromPath[UUID]) -> ApiResponse:
        """Return one mail."""
        found = await asyncio.to_thread(_mailbox(request).one, mail_id)
        if found is None:
            raise not_found()
        return json_response(found)


def _mailbox(request: ApiRequest) -> Mailbox:
    settings = request.api.system.settings
    if settings.app_env is not AppEnv.DEVELOPMENT or settings.smtp_url:
        raise not_found()
    return Mailbox(settings.data_dir)
