"""The API server with two additional routes for comparison; run as a process.

A request to these routes takes the same way as one to the routes they are compared with: limits of
the connection, routing, authentication, permissions, parameters and strict decoding.
"""

from functools import cache
from uuid import UUID

from litestar import Controller, get, post
from litestar.params import FromPath, JSONBody

from api.app import ROUTES
from api.http.parameters import Cursor, Limit
from api.http.policy import needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse, etag
from api.serving import serve
from api.work.task import NewTask
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

    @get("/", opt=needs(Permission.TASK_READ))
    async def read_nothing(
        self,
        request: ApiRequest,
        size: FromPath[int],
        project_id: FromPath[UUID],
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """Respond like the list of tasks, without looking anything up."""
        return ApiResponse(_constant(size))


@cache
def _constant(size: int) -> bytes:
    return b'"%s"' % (b"x" * (size - 2))


if __name__ == "__main__":
    ROUTES.append(NothingController)
    run_process(serve)
