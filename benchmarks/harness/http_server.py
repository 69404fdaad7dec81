"""The API server with four additional routes for comparison; run as a process.

A request to these routes takes the same way as one to the routes they are compared with: limits of
the connection, routing, authentication, permissions, parameters and strict decoding. Only the
public profile leaves out authentication, which is what it is there to compare with.
"""

from functools import cache
from uuid import UUID, uuid4

from litestar import Controller, get, post
from litestar.params import FromPath, JSONBody

from api.app import ROUTES
from api.http.paging import wait_for_own_writes
from api.http.parameters import Cursor, Limit
from api.http.policy import needs, public
from api.http.request import ApiRequest
from api.http.response import ApiResponse, etag
from api.login.profile import ProfileView, render_profile
from api.serving import serve
from api.work.sight import project_here
from api.work.task_list import NewTask
from api.work.tasks.filters import FILTERS
from api.work.tasks.listing import TaskPages
from api.work.tasks.parameters import (
    AssigneeFilter,
    BlockedFilter,
    CreatorFilter,
    CycleFilter,
    DeletedFilter,
    DueFilter,
    FieldFilter,
    GroupFilter,
    LabelFilter,
    MilestoneFilter,
    OverdueFilter,
    ParentFilter,
    PriorityFilter,
    Sort,
    StatusFilter,
    WatcherFilter,
    WordFilter,
)
from domain.base import OrgId, UserId
from domain.identity.organization.membership import Role
from domain.permission import Permission
from runtime.process import run_process

TASK_BYTES = 480
"""About the size of a new task in JSON."""


class NothingController(Controller):
    """Responds with constant bytes."""

    path = "/bench/{size:int}/{project_id:uuid}/tasks"

    @post("/", opt=needs(Permission.TASK_CREATE))
    async def store_nothing(
        self,
        request: ApiRequest,
        size: FromPath[int],
        project_id: FromPath[UUID],
        data: JSONBody[NewTask],
    ) -> ApiResponse:
        """Read a request like the one that creates a task, and record nothing."""
        return ApiResponse(_constant(size), 201, headers=[(b"etag", etag(1))])

    @get("/nothing", opt=needs(Permission.TASK_READ))
    async def read_nothing(
        self,
        request: ApiRequest,
        size: FromPath[int],
        project_id: FromPath[UUID],
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """Respond with as much as the list of tasks, without looking anything up."""
        return ApiResponse(_constant(size))

    @get("/", opt=needs(Permission.TASK_READ))
    async def read_constant(  # noqa: PLR0913, PLR0917 - the parameters of the list of tasks
        self,
        request: ApiRequest,
        size: FromPath[int],
        project_id: FromPath[UUID],
        status: StatusFilter = None,
        group: GroupFilter = None,
        priority: PriorityFilter = None,
        assignee: AssigneeFilter = None,
        label: LabelFilter = None,
        parent: ParentFilter = None,
        creator: CreatorFilter = None,
        watcher: WatcherFilter = None,
        cycle: CycleFilter = None,
        milestone: MilestoneFilter = None,
        field: FieldFilter = None,
        due: DueFilter = None,
        overdue: OverdueFilter = None,
        blocked: BlockedFilter = None,
        deleted: DeletedFilter = None,
        q: WordFilter = None,
        sort: Sort = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """Do what the list of tasks does before it reads its page, and respond with as much."""
        told = {name: value for name, value in locals().items() if name in FILTERS}
        asked = TaskPages(**told)
        await project_here(request, project_id)
        asked.paging(request, asked.parsed()).key(cursor)
        await wait_for_own_writes(request, "tasks")
        return ApiResponse(_constant(size))


class PublicProfileController(Controller):
    """Shows a profile to everybody."""

    path = "/bench/profile"
    _user_id, _org_id = UserId(uuid4()), OrgId(uuid4())

    @get("/", opt=public())
    async def get_profile(self, request: ApiRequest) -> ApiResponse:
        """Make and render a profile like the route of one's own, without knowing the caller."""
        return ApiResponse(
            render_profile(
                ProfileView(
                    id=self._user_id,
                    email="ana@acme.example.com",
                    email_confirmed=False,
                    name="Ana",
                    role=Role.ADMIN,
                    organization_id=self._org_id,
                    totp=False,
                )
            )
        )


@cache
def _constant(size: int) -> bytes:
    return b'"%s"' % (b"x" * (size - 2))


def add_routes() -> None:
    """Add the routes for comparison to those of the API."""
    ROUTES.extend((NothingController, PublicProfileController))


if __name__ == "__main__":
    add_routes()
    run_process(serve)
