"""The tasks that a saved view shows: a list with the view's filters and its order."""

from typing import Any

from msgspec import to_builtins

from api.http.paging import Paging
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.work.tasks.filters import Parsed
from api.work.tasks.listing import TaskPages
from domain.base import ProjectId
from domain.planning.criteria import LONE_FILTERS, Criteria
from domain.planning.view import SavedView
from projections.planning.view import criteria_of


class ViewTasks(TaskPages, frozen=True, kw_only=True):
    """The list of the tasks of one view. A cursor is valid until the view shows others."""

    @classmethod
    def of(cls, view: SavedView) -> "ViewTasks":
        """Return the list that *view* asks for."""
        return cls._asked(to_builtins(criteria_of(view)), view.sort)

    @classmethod
    def of_criteria(cls, criteria: Criteria, sort: str) -> "ViewTasks":
        """Return the list that a view with these filters and this order would ask for."""
        return cls._asked(to_builtins(criteria), sort)

    @classmethod
    def _asked(cls, told: dict[str, Any], sort: str) -> "ViewTasks":
        asked: dict[str, Any] = {
            name: value if name in LONE_FILTERS else ",".join(value) for name, value in told.items()
        }
        asked["overdue"], asked["sort"] = "true" if asked.get("overdue") else None, sort
        return cls(**asked)

    async def page(
        self, request: ApiRequest, project_id: ProjectId | None, limit: int, cursor: str | None
    ) -> ApiResponse:
        """Return a page of the tasks of the project of the view, or of all."""
        chosen = None if project_id is None else str(project_id)
        pages = self.by(request.caller.user_id)
        return await pages.across_projects(request, chosen, limit, cursor)

    def paging(self, request: ApiRequest, parsed: Parsed, **beside: Any) -> Paging:
        """Return the pages, whose links do not repeat what the view says."""
        return Paging(request, bound=repr(self))
