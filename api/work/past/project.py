"""A project as it was, as the API shows it."""

from api.http.problem import not_found
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.past.as_of import MomentView, moment_of, stamped
from api.work.past.sight import PastSight
from api.work.project_key import project_id_of
from projections.work.project import ProjectView, render_project


class ProjectThen(ProjectView, frozen=True, kw_only=True):
    """A project as it was at a moment; ``deletedAt`` is since when it was in the trash then."""

    as_of: MomentView


async def project_as_of(request: ApiRequest, ref: str, asked: str) -> ApiResponse:
    """Return the response with a project as it was at the moment that is *asked* for."""
    moment = await moment_of(request, asked)  # first, so that its refusals tell of no project
    project_id = await project_id_of(request, ref)
    found = await PastSight(request, moment.seq).project(project_id)
    if found.at is None:
        raise not_found()
    shown = render_project(project_id, found.state, found.version, found.at)
    return ApiResponse(stamped(shown, moment))
