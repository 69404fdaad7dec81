"""HTTP routes of an organization's legal hold."""

from uuid import UUID

from litestar import Controller, delete, put
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from api.http.parameters import nothing
from api.http.policy import needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command
from commands.identity.organization import HoldReason, LiftLegalHold, PlaceLegalHold
from domain.base import OrgId
from domain.identity.plan import PlanLimitReached
from domain.identity.session.errors import ReauthenticationRequired
from domain.permission import Permission


class NewLegalHold(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Body of a legal hold: why nothing may be purged."""

    reason: HoldReason


class LegalHoldController(Controller):
    """The legal hold of an organization."""

    path = "/api/org/{organization_id:uuid}/legal-hold"
    tags = ("Organizations",)

    @put(
        "/",
        opt=needs(Permission.ORG_MANAGE, fails=(PlanLimitReached, ReauthenticationRequired)),
        responses=nothing(),
    )
    async def place(
        self, request: ApiRequest, organization_id: FromPath[UUID], data: JSONBody[NewLegalHold]
    ) -> ApiResponse:
        """Have nothing in the trash purged until the hold is lifted. Not every plan has this.

        What a purge that has begun has not reached yet stays as well, and no member can erase their
        account.
        """
        command = PlaceLegalHold(organization_id=OrgId(organization_id), reason=data.reason)
        return await run_command(request, command, Reply(stream=organization_id))

    @delete(
        "/",
        status_code=200,
        opt=needs(Permission.ORG_MANAGE, fails=(ReauthenticationRequired,)),
        responses=nothing(),
    )
    async def lift(self, request: ApiRequest, organization_id: FromPath[UUID]) -> ApiResponse:
        """Have what is in the trash purged again, once its time has come.

        A purge that the hold stopped goes on.
        """
        command = LiftLegalHold(organization_id=OrgId(organization_id))
        return await run_command(request, command, Reply(stream=organization_id))
