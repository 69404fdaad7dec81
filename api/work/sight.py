"""What the caller of a query may see: the same rule as for commands, on states read just now."""

from collections.abc import Mapping
from typing import TypeVar
from uuid import UUID

from api.http.request import ApiRequest
from commands.sight import hidden_projects, sees_project
from commands.states import Loaded
from domain.base import NotFound, ProjectId, State
from domain.work.project.state import Project
from domain.work.team import Team
from runtime.own_inbox import Owner, projects_seen_by

S = TypeVar("S", bound=State)


async def project_here(request: ApiRequest, project_id: UUID) -> Loaded[Project]:
    """Return a project as it is now, if the caller sees it.

    :raises NotFound: it is missing, deleted, hidden from the caller or another organization's.
    """
    found = await request.newest(Project, project_id)
    found.state.refuse_unless_here()
    await refuse_unless_seen(request, found.state)
    return found


async def refuse_unless_seen(request: ApiRequest, project: Project) -> None:
    """Refuse a caller who does not see *project*, as if it did not exist.

    :raises NotFound: they do not.
    """

    async def read(kind: type[S], stream: UUID, /) -> S:
        return (await request.newest(kind, stream)).state

    if not await sees_project(read, request.organization, request.caller.user_id, project):
        raise NotFound


async def hidden_from(request: ApiRequest) -> frozenset[ProjectId]:
    """Return the projects that lists and counts leave out for the caller, none in most cases."""
    system = request.api.system
    states = system.commands.states
    return await hidden_projects(system.log, states, request.organization, request.caller.user_id)


async def led_among(
    request: ApiRequest, projects: Mapping[ProjectId, Project]
) -> frozenset[ProjectId]:
    """Return those of *projects* whose team the caller leads."""
    teams = [*{each.team_id for each in projects.values() if each.team_id is not None}]
    states, user_id = request.api.system.commands.states, request.caller.user_id
    wanted = [(Team, each) for each in teams]
    read: list[Loaded[Team]] = (
        await states.all_fresh(wanted, request.organization) if wanted else []
    )
    led = {i for i, each in zip(teams, read, strict=True) if each.state.is_led_by(user_id)}
    return frozenset(each for each, project in projects.items() if project.team_id in led)


async def projects_seen(request: ApiRequest) -> dict[ProjectId, Project]:
    """Return the projects that the caller sees as they are now, also archived ones.

    They come in the order of the keys that they had when they were listed.
    """
    api = request.api
    owner = Owner(request.organization, request.caller.user_id)
    return await projects_seen_by(api.system, api.models, owner)
