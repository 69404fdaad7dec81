"""HTTP routes of saved views, and of the tasks that they show."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Controller, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import fields as fields_of

from api.http.paging import LIMIT_DEFAULT, Paging, one, wait_for_own_writes
from api.http.parameters import Cursor, Limit, Page, nothing, shows
from api.http.policy import needs
from api.http.problem import FieldError, Problem, invalid
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command
from api.planning.view_tasks import ViewTasks
from api.work.sight import project_here
from api.work.tasks.detail import TaskDetail
from api.work.tasks.field_order import TOO_MANY
from commands.planning.view import CreateView, DeleteView, EditView, RestoreView
from commands.states import Loaded
from domain.base import NotFound, ProjectId, ViewId
from domain.name import Name
from domain.permission import Permission
from domain.planning.criteria import Columns, Criteria, FieldValues, NamedStatus, ViewSort
from domain.planning.view import NEWEST, SavedView, ViewNameTaken, ViewOfAnother
from eventstore.identifiers import new_id
from projections.planning.view import SavedViewView, render_view, views_of

_UTC = ZoneInfo("UTC")
_COLUMNS = frozenset(each.encode_name for each in fields_of(TaskDetail))


class NewCriteria(Criteria, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which tasks a view shows: each member is the filter of that name of a list of tasks."""

    status: tuple[NamedStatus, ...] = ()
    field: FieldValues = ()

    @property
    def criteria(self) -> Criteria:
        """All of it but the values of custom fields."""
        return Criteria(**{each.name: getattr(self, each.name) for each in fields_of(Criteria)})


class NewView(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a new view; without a project it shows tasks of all projects."""

    name: Name
    shared: bool = False
    project_id: ProjectId | None = None
    filter: NewCriteria = NewCriteria()
    sort: ViewSort = NEWEST
    columns: Columns = ()


class ViewChange(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a change; omitted fields stay as they are, and `filter` is replaced as a whole."""

    name: Name | UnsetType = UNSET
    shared: bool | UnsetType = UNSET
    filter: NewCriteria | UnsetType = UNSET
    sort: ViewSort | UnsetType = UNSET
    columns: Columns | UnsetType = UNSET


def _shown(view_id: UUID, status: int = 200) -> Reply:
    location = "/api/view/{id}" if status == 201 else ""
    show: Any = partial(render_view, view_id)
    return Reply(stream=view_id, show=show, status=status, location=location)


class ViewController(Controller):
    """Saved views."""

    path = "/api/view"
    tags = ("Views",)

    @post(
        "/",
        opt=needs(Permission.TASK_EDIT, fails=(NotFound, ViewNameTaken)),
        responses=shows(SavedViewView, 201),
    )
    async def create(self, request: ApiRequest, data: JSONBody[NewView]) -> ApiResponse:
        """Save a view. Unless it is shared, it is there for the caller alone."""
        _refuse_unless_lists_take(request, data.filter, data.sort, data.columns)
        view_id = ViewId(new_id())
        command = CreateView(
            view_id=view_id,
            project_id=data.project_id,
            name=data.name,
            shared=data.shared,
            criteria=data.filter.criteria,
            values=data.filter.field,
            sort=data.sort,
            columns=data.columns,
        )
        return await run_command(request, command, _shown(view_id, 201))

    @get(
        "/",
        opt=needs(Permission.TASK_READ, fails=(NotFound,)),
        responses=shows(Page[SavedViewView]),
    )
    async def list_views(
        self,
        request: ApiRequest,
        project: FromQuery[
            Annotated[
                UUID | None,
                QueryParameter(name="projectId", description="The views of this project"),
            ]
        ] = None,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List the views of all projects, or of one: shared ones and the caller's, by name."""
        project_id = None if project is None else ProjectId(project)
        if project_id is not None:
            await project_here(request, project_id)
        paging = Paging(request, project_id=project)
        after = paging.key(cursor)
        await wait_for_own_writes(request, "views")
        api, caller = request.api, request.caller
        page = await views_of(
            api.models, request.organization, caller.user_id, project_id, limit, after
        )
        return paging.answer(page, limit)

    @get("/{view_id:uuid}", opt=needs(Permission.TASK_READ), responses=shows(SavedViewView))
    async def get_view(self, request: ApiRequest, view_id: FromPath[UUID]) -> ApiResponse:
        """Return a view."""
        return one(request, await _view_here(request, view_id), partial(render_view, view_id))

    @get(
        "/{view_id:uuid}/tasks",
        opt=needs(Permission.TASK_READ, fails=(TOO_MANY,)),
        responses=shows(Page[TaskDetail]),
    )
    async def list_tasks_of_view(
        self,
        request: ApiRequest,
        view_id: FromPath[UUID],
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List the tasks that a view shows, of those that the caller sees, in its order."""
        view = (await _view_here(request, view_id)).state
        return await ViewTasks.of(view).page(request, view.project_id, limit, cursor)

    @patch(
        "/{view_id:uuid}",
        opt=needs(Permission.TASK_EDIT, fails=(ViewNameTaken, ViewOfAnother)),
        responses=shows(SavedViewView),
    )
    async def edit(
        self, request: ApiRequest, view_id: FromPath[UUID], data: JSONBody[ViewChange]
    ) -> ApiResponse:
        """Change a view. Only its owner shares it or makes it private."""
        filters = NewCriteria() if data.filter is UNSET else data.filter
        sort = NEWEST if data.sort is UNSET else data.sort
        columns = () if data.columns is UNSET else data.columns
        _refuse_unless_lists_take(request, filters, sort, columns)
        command = EditView(
            view_id=ViewId(view_id),
            name=data.name,
            shared=data.shared,
            criteria=UNSET if data.filter is UNSET else data.filter.criteria,
            values=filters.field,
            sort=data.sort,
            columns=data.columns,
        )
        return await run_command(request, command, _shown(view_id))

    @delete(
        "/{view_id:uuid}",
        status_code=200,
        opt=needs(Permission.TASK_EDIT),
        responses=nothing(),
    )
    async def remove(self, request: ApiRequest, view_id: FromPath[UUID]) -> ApiResponse:
        """Move a view to the trash."""
        return await run_command(
            request, DeleteView(view_id=ViewId(view_id)), Reply(stream=view_id)
        )

    @post(
        "/{view_id:uuid}/restore",
        status_code=200,
        opt=needs(Permission.TASK_EDIT, fails=(ViewNameTaken,)),
        responses=shows(SavedViewView),
    )
    async def restore(self, request: ApiRequest, view_id: FromPath[UUID]) -> ApiResponse:
        """Restore a view from the trash, unless another has its name by now."""
        return await run_command(request, RestoreView(view_id=ViewId(view_id)), _shown(view_id))


async def _view_here(request: ApiRequest, view_id: UUID) -> Loaded[SavedView]:
    """Return a view that the caller has.

    :raises NotFound: it is missing, in the trash, private, or of a project that they do not see.
    """
    found = await request.newest(SavedView, view_id)
    found.state.refuse_unless_here()
    if not found.state.is_there_for(request.caller.user_id):
        raise NotFound
    if found.state.project_id is not None:
        await project_here(request, found.state.project_id)
    return found


def _refuse_unless_lists_take(
    request: ApiRequest, criteria: NewCriteria, sort: str, columns: Columns
) -> None:
    """Refuse what a list of tasks would refuse, by its place in the body.

    :raises Problem: 422 if there is no such order or column, or a filter is malformed.
    """
    asked = ViewTasks.of_criteria(criteria, sort).by(request.caller.user_id)
    try:
        asked.parsed().filter(request.api.system.clock(), _UTC)
    except Problem as refused:
        raise invalid(*[_in_body(each) for each in refused.errors]) from None
    for place, column in enumerate(columns):
        if column not in _COLUMNS and not column.startswith("field:"):
            raise invalid(FieldError(f"$.columns[{place}]", f"There is no column {column!r}"))


def _in_body(error: FieldError) -> FieldError:
    """Return an error in a parameter of a list as one in the body of a view."""
    member = error.path if error.path == "sort" else f"filter.{error.path}"
    return FieldError(f"$.{member}", error.message)
