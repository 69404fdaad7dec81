"""HTTP route of all that a client needs to know when it starts."""

from typing import Annotated

import msgspec
from litestar import Controller, get
from litestar.params import FromQuery, Parameter
from msgspec import Struct

from api.http.parameters import shows
from api.http.policy import account, confined
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.identity.account import MeView, own_account
from api.identity.settings import SettingsView, settings_view
from api.meta import ENUM_VALUES
from api.work.project_key import project_id_of
from api.work.sight import project_here
from commands.base import NoOrganization
from domain.base import NotFound
from domain.identity.organization.state import Organization
from domain.permission import ROLE_PERMISSIONS, Permission
from domain.work.workflow.state import STANDARD, Workflow
from projections.work.workflow import WorkflowView, workflow_view

_encode = msgspec.json.Encoder().encode


class StartView(Struct, frozen=True, kw_only=True):
    """The caller, what they may do, and the words of the API.

    ``settings`` is null, and ``permissions`` is empty, for whoever works in no organization.
    ``workflow`` is that of the project which was asked for, else the standard one.
    """

    me: MeView
    permissions: list[Permission]
    settings: SettingsView | None
    workflow: WorkflowView
    enums: dict[str, list[str]]


class StartController(Controller):
    """What a client needs to know when it starts."""

    path = "/api/start"
    tags = ("Meta",)

    @get(
        "/",
        opt=confined(account(fails=(NoOrganization, NotFound))),
        responses=shows(StartView),
    )
    async def get_start(
        self,
        request: ApiRequest,
        project: FromQuery[
            Annotated[
                str | None,
                Parameter(max_length=36, description="Id or key of the project to begin with"),
            ]
        ] = None,
    ) -> ApiResponse:
        """Return your account, plan and permissions, the settings, a workflow and all enums."""
        caller, settings = request.caller, None
        if caller.org_id is not None:
            organization = (await request.newest(Organization, caller.org_id)).state
            contacts = Permission.ORG_MANAGE in _permissions(request)
            settings = settings_view(organization.settings, contacts=contacts)
        view = StartView(
            me=(await own_account(request))(caller.user),
            permissions=_permissions(request),
            settings=settings,
            workflow=workflow_view(await _workflow(request, project)),
            enums=ENUM_VALUES,
        )
        return ApiResponse(_encode(view))


def _permissions(request: ApiRequest) -> list[Permission]:
    """Return what the caller's role grants, in the order in which permissions are listed."""
    role = request.caller.role
    granted = frozenset[Permission]() if role is None else ROLE_PERMISSIONS[role]
    return [each for each in Permission if each in granted]


async def _workflow(request: ApiRequest, project: str | None) -> Workflow:
    if project is None:
        return STANDARD
    found = await project_here(request, await project_id_of(request, project))
    return found.state.workflow
