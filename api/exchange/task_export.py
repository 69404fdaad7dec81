"""HTTP route that exports the tasks of a project as a file that can be imported again."""

from collections.abc import AsyncIterator
from typing import Annotated, Literal

import msgspec
from litestar import Controller, get
from litestar.params import FromQuery, QueryParameter
from litestar.response import Stream

from api.exchange.tasks.contents import Line
from api.exchange.tasks.outgoing import field_types, lines_of
from api.exchange.tasks.packing import PackedFile, packed
from api.exchange.tasks.table import table_of
from api.http.paging import wait_for_own_writes
from api.http.parameters import shows_file
from api.http.policy import needs
from api.http.request import ApiRequest
from api.work.project_key import ProjectRef, project_id_of
from api.work.sight import project_here
from domain.base import ProjectId
from domain.permission import Permission
from domain.work.task.custom_field import FieldType

EXPORTED_AS = {"jsonl": "application/jsonl", "csv": "text/csv", "zip": "application/zip"}
FileFormat = FromQuery[
    Annotated[
        Literal["jsonl", "csv", "zip"],
        QueryParameter(
            name="format",
            description="One JSON object a line, a table, or an archive of such lines and of files",
        ),
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

        People are named by their addresses, labels by their names. JSON Lines have comments,
        logged time and relations, too, in lines of their own, and what is known about files,
        without their contents; an archive has those, too. An import takes the file.
        """
        project_id = await project_id_of(request, project)
        key = (await project_here(request, project_id)).state.key
        content: AsyncIterator[bytes] = _nothing()
        if not request.client_info.head_only:
            await wait_for_own_writes(
                request,
                *("tasks", "labels", "fields", "users", "cycles", "milestones"),
                *(("comments", "worklogs", "attachments") if file_format != "csv" else ()),
            )
            fields = await field_types(request, project_id)
            content = _content(request, project_id, fields, file_format)
        disposition = f'attachment; filename="{key}.{file_format}"'
        return Stream(
            content,
            media_type=EXPORTED_AS[file_format],
            headers={"content-disposition": disposition},
        )


def _content(
    request: ApiRequest, project_id: ProjectId, fields: dict[str, FieldType], file_format: str
) -> AsyncIterator[bytes]:
    if file_format == "csv":
        return table_of(lines_of(request, project_id, fields, contents=False), fields)
    if file_format == "jsonl":
        return _json(lines_of(request, project_id, fields, contents=True))
    files: list[PackedFile] = []
    pages = lines_of(request, project_id, fields, contents=True, files=files)
    return packed(request, project_id, pages, files)


async def _json(pages: AsyncIterator[list[Line]]) -> AsyncIterator[bytes]:
    async for lines in pages:
        if lines:
            yield _encode_lines(lines)


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield
