"""The HTTP route of the search."""

from typing import Annotated

from litestar import Controller, get
from litestar.params import FromQuery, Parameter

from api.http.paging import LIMIT_DEFAULT, Paging, wait_for_own_writes
from api.http.parameters import Cursor, Limit, Page, shows
from api.http.policy import needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.work.sight import hidden_from, projects_seen
from api.work.tasks.words import named_in, words_asked
from domain.permission import Permission
from projections.exchange.hits import SearchHit, Sight, hits_of

SearchQuery = FromQuery[
    Annotated[
        str,
        Parameter(
            min_length=1,
            max_length=200,
            description="Words that a text must have, 10 at most; the last one may only begin",
        ),
    ]
]


class SearchController(Controller):
    """The search."""

    path = "/api/search"
    tags = ("Tasks",)

    @get("/", opt=needs(Permission.TASK_READ), responses=shows(Page[SearchHit]))
    async def search(
        self,
        request: ApiRequest,
        q: SearchQuery,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """Find tasks and comments by their words, in all projects that the caller sees.

        A task is found if its key, title and description together have all words of `q`, a comment
        if its text has. Of keys, each counts that its project has or had. Upper and lower case are
        alike. The newest come first.
        """
        asked = words_asked(q)
        paging = Paging(request, q=q)
        after = paging.key(cursor)
        await wait_for_own_writes(request, "projects", "tasks", "comments", "searched_texts")
        projects = await projects_seen(request)
        named = await named_in(request, asked, projects)
        sight = Sight(projects, await hidden_from(request), named)
        models, org_id = request.api.models, request.organization
        return paging.answer(await hits_of(models, org_id, asked, sight, limit, after), limit)
