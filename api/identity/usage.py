"""HTTP routes of what an organization's plan allows, and how much of it is used."""

from datetime import timedelta
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.params import FromPath
from msgspec import Struct

from api.http.parameters import shows
from api.http.policy import needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.identity.organization import own_organization
from commands.plan_counts import counted_of, fields_in, tasks_in
from commands.sight import hidden_projects
from domain.base import OrgId, UserId
from domain.identity.organization.state import Organization
from domain.identity.plan import PLAN_LIMITS, Countable, Plan, limit_of
from domain.permission import Permission
from domain.work.project.events import ProjectStatus
from domain.work.project.state import Project
from eventstore.claim import CountKey
from runtime.system import System

_DAY = timedelta(days=1)
_encode = msgspec.json.Encoder().encode


class LimitsView(Struct, frozen=True, kw_only=True, rename="camel"):
    """The limits of the plan; null means unlimited.

    ``storageBytes`` is for all attachments, ``fileBytes`` for one.
    ``requestsPerMinute`` are those of one API key, ``auditDays`` is how far back the audit log can
    be read, ``pastDays`` how far back things can be read as they were.
    """

    members: int
    teams: int | None
    projects: int | None
    tasks: int | None
    webhooks: int
    api_keys: int
    custom_fields: int | None
    storage_bytes: int
    file_bytes: int
    requests_per_minute: int
    audit_days: int | None
    past_days: int | None


class UsageView(Struct, frozen=True, kw_only=True, rename="camel"):
    """How much of the limits is used; open invitations are members, archived projects are not.

    ``storageBytes`` are those of the attachments. Projects that the caller does not see
    are not counted here, except for their bytes; the limits count them.
    """

    members: int
    teams: int
    projects: int
    tasks: int
    webhooks: int
    api_keys: int
    custom_fields: int
    storage_bytes: int


class PlanUsageView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A plan, its limits and what is used.

    ``over`` names what there is more of than the plan allows, in the words of ``plan_limit``. It
    all stays usable, and none can be added.
    """

    plan: Plan
    limits: LimitsView
    used: UsageView
    over: list[str]


class UsageController(Controller):
    """What an organization may have, and has."""

    path = "/api/org/{organization_id:uuid}/usage"
    tags = ("Organizations",)

    @get("/", opt=needs(Permission.ORG_READ), responses=shows(PlanUsageView))
    async def get_usage(self, request: ApiRequest, organization_id: FromPath[UUID]) -> ApiResponse:
        """Return the plan of your organization, its limits, and how much of them is used."""
        org_id = own_organization(request, organization_id)
        found = await request.newest(Organization, org_id)
        plan = found.state.plan
        used = await usage_of(request.api.system, org_id, request.caller.user_id)
        over = [
            what.value
            for what in Countable
            if (limit := limit_of(plan, what)) is not None and getattr(used, what) > limit
        ]
        view = PlanUsageView(plan=plan, limits=limits_of(plan), used=used, over=over)
        return ApiResponse(_encode(view))


async def usage_of(system: System, org_id: OrgId, user_id: UserId) -> UsageView:
    """Return how much an organization has now, as the rules count it.

    What is in private projects that *user_id* does not see is left out: it does not exist for them.
    """
    log, states = system.log, system.commands.states
    counts = await log.counted(*(counted_of(org_id, what) for what in Countable))
    used = dict(zip((what.value for what in Countable), counts, strict=True))
    hidden = list(await hidden_projects(log, states, org_id, user_id))
    inside: list[CountKey] = []
    fields: list[CountKey] = []
    found = await states.all_fresh([(Project, each) for each in hidden], org_id) if hidden else []
    for project_id, project in zip(hidden, [each.state for each in found], strict=True):
        used["projects"] -= not project.deleted and project.status is not ProjectStatus.ARCHIVED
        if project.deleted:
            continue  # nothing in it counts
        keys = {*project.workflow.by_key, *project.workflow.moved}
        inside += [tasks_in(org_id, project_id, key) for key in sorted(keys)]
        fields.append(fields_in(org_id, project_id))
    used["tasks"] -= sum(await log.counted(*inside)) if inside else 0
    used["custom_fields"] -= sum(await log.counted(*fields)) if fields else 0
    return UsageView(**used)


def limits_of(plan: Plan) -> LimitsView:
    """Return the limits of *plan*."""
    limits = PLAN_LIMITS[plan]
    audit, past = limits.audit_window, limits.past_window
    return LimitsView(
        members=limits.members,
        teams=limits.teams,
        projects=limits.projects,
        tasks=limits.tasks,
        webhooks=limits.webhooks,
        api_keys=limits.api_keys,
        custom_fields=limits.custom_fields,
        storage_bytes=limits.storage_bytes,
        file_bytes=limits.file_bytes,
        requests_per_minute=limits.requests_per_minute,
        audit_days=None if audit is None else audit // _DAY,
        past_days=None if past is None else past // _DAY,
    )
