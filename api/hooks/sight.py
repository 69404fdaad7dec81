"""Which deliveries the caller of a query may see: those of private projects not all."""

from collections.abc import Sequence

from api.http.request import ApiRequest
from commands.sight import hidden_projects
from deliveries.event_projects import about_projects
from eventstore.operations.records import Delivery
from eventstore.recorded import Row


async def hidden_deliveries(request: ApiRequest, deliveries: Sequence[Delivery]) -> set[int]:
    """Return the sequence numbers of those about private projects that the caller does not see."""
    system, org_id = request.api.system, request.organization
    states = system.commands.states
    projects = await hidden_projects(system.log, states, org_id, request.caller.user_id)
    if not projects:
        return set()
    rows: list[Row] = []
    for each in deliveries:
        rows += await system.log.organization(org_id, each.seq - 1, 1) if each.seq else []
    return await about_projects(system.log, states, rows, projects)
