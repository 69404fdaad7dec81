"""HTTP route that exports the tasks of a project as a file that can be imported again."""

from collections.abc import AsyncIterator
from typing import Annotated, Literal

import msgspec
from litestar import Controller, get
from litestar.params import FromQuery, QueryParameter
from litestar.response import Stream

from api.exchange.tasks.contents import Line
from api.exchange.tasks.outgoing import field_types, lines_of
from api.exchange.tasks.table import table_of
from api.http.paging import wait_for_own_writes
from api.http.parameters import shows_file
from api.http.policy import needs
from api.http.request import ApiRequest
from api.work.project_key import ProjectRef, project_id_of
from api.work.sight import project_here
from domain.permission import Permission

EXPORTED_AS = {"jsonl": "application/jsonl", "csv": "text/csv"}
FileFormat = FromQuery[
    Annotated[
        Literal["jsonl", "csv"],
        QueryParameter(name="format", description="One JSON object a line, or a table"),
    ]
]

_encode_lines = msgspec.json.Encoder().encode_lines


class TaskExportController(Controller):
    """Tasks on their way out."""

    path = "/api/project/{project:str}/export"
    tags = ("Tasks",)

    @get(
        "/",
        opt=needs(Permission.TASK_READ, sends=("Content-Disposition",)),
        responses=shows_file("The tasks", *EXPORTED_AS.values()),
    )
    async def export_tasks(
        self, request: ApiRequest, project: ProjectRef, file_format: FileFormat = "jsonl"
    ) -> Stream:
        """Export the tasks of a project that are not in the trash, in the order of their ranks.

        People are named by their addresses, labels by their names. JSON Lines have comments and
        relations, too, in lines of their own, and what is known about files, without their
        contents. An import takes the file.
        """
        project_id = await project_id_of(request, project)
        key = (await project_here(request, project_id)).state.key
        content: AsyncIterator[bytes] = _nothing()
        if not request.client_info.head_only:
            await wait_for_own_writes(
                request,
                *("tasks", "labels", "fields", "users", "cycles", "milestones"),
                *(("comments", "attachments") if file_format == "jsonl" else ()),
            )
            fields = await field_types(request, project_id)
            whole = file_format == "jsonl"
            lines = lines_of(request, project_id, fields, contents=whole)
            content = _json(lines) if whole else table_of(lines, fields)
        disposition = f'attachment; filename="{key}.{file_format}"'
        return Stream(
            content,
            media_type=EXPORTED_AS[file_format],
            headers={"content-disposition": disposition},
        )


async def _json(pages: AsyncIterator[list[Line]]) -> AsyncIterator[bytes]:
    async for lines in pages:
        if lines:
            yield _encode_lines(lines)


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield
