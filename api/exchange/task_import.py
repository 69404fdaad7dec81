"""HTTP routes that import tasks from a file, and tell how far that is."""

import logging
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery, Parameter
from litestar.response import Stream

from api.exchange.task_export import FileFormat
from api.exchange.tasks.import_lease import ImportLease
from api.exchange.tasks.keeping import FileForm
from api.exchange.tasks.mapping import MAPPING_MAX, mapping_in
from api.exchange.tasks.progress import (
    ImportView,
    render_import,
)
from api.exchange.tasks.resuming import resume
from api.exchange.tasks.run import ImportRun
from api.exchange.tasks.spool import (
    ARCHIVE_BYTES_MAX,
    IMPORT_BYTES_MAX,
    spooled,
    upload_of,
)
from api.exchange.tasks.starting import OpenFile, begin, get_ready, open_file
from api.http.parameters import shows, shows_file
from api.http.policy import needs
from api.http.problem import Problem
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.work.project_key import ProjectRef, project_id_of
from api.work.sight import project_here
from commands.exchange.bulk import TooManyForMember
from domain.base import DomainError, NotFound, ProjectId
from domain.permission import Permission
from domain.work.project.errors import ProjectIsArchived, ProjectOnHold
from eventstore.append import ConcurrencyConflict, LogUnavailable

_logger = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode
_encode_lines = msgspec.json.Encoder().encode_lines


MappingGiven = FromQuery[
    Annotated[
        str | None,
        Parameter(
            max_length=MAPPING_MAX,
            description="What the names in the file stand for, in JSON: `columns`,"
            " `people`, `statuses`, `priorities` and `projects`, each an object",
        ),
    ]
]
ExistingTasks = FromQuery[
    Annotated[
        Literal["skip", "update"],
        Parameter(
            description="Whether a task that the project has is left alone, or changed to what its"
            " line says"
        ),
    ]
]


class TaskImportController(Controller):
    """Tasks on their way in."""

    path = "/api/project/{project:str}/import"
    tags = ("Tasks",)

    @post(
        "/",
        status_code=202,
        opt=needs(
            Permission.TASK_CREATE,
            key=False,
            fails=(
                ProjectIsArchived,
                ProjectOnHold,
                TooManyForMember,
                (400, "malformed_request"),
                (408, "request_timeout"),
                (411, "length_required"),
                (422, "malformed_file"),
                (422, "too_many_lines"),
                (503, "busy"),
            ),
            streams=True,
        ),
        responses=shows_file("What would become of each line, in a dry run", "application/jsonl")
        | shows(ImportView, 202, "The import, which goes on"),
    )
    async def import_tasks(
        self,
        request: ApiRequest,
        project: ProjectRef,
        file_format: FileFormat = "jsonl",
        mapping: MappingGiven = None,
        existing: ExistingTasks = "skip",
    ) -> Response[Any]:
        """Import tasks from a file, the body, in the format of an export.

        JSON Lines may have comments on them and their relations, too, in lines of their own, and an
        archive the contents of files. What has an id of an earlier import is left alone, so a file
        can be sent again; with `existing=update`, tasks get what is new in it. `Location`
        tells how far the import is. A dry run answers line by line; its last line begins with
        `done`.
        """
        form = FileForm(file_format, mapping_in(mapping), updates=existing == "update")
        await request.own_organization()
        request.caller.refuse_unless_may(Permission.TASK_CREATE)  # also of a file without a task
        project_id = await project_id_of(request, project)
        (await project_here(request, project_id)).state.refuse_unless_takes_tasks()
        with ExitStack() as held:
            opened = await _taken(request, project_id, form, held)
            if not request.is_dry_run():
                return await begin(request, opened)
            _, run = await get_ready(request, opened)
            told = _told(run, held.pop_all())
            first = await anext(told)
        return Stream(_behind(first, told), media_type="application/jsonl", status_code=200)


class ImportController(Controller):
    """Imports that have begun."""

    path = "/api/import/{import_id:uuid}"
    tags = ("Tasks",)

    @get("/", opt=needs(Permission.TASK_READ), responses=shows(ImportView))
    async def get_import(self, request: ApiRequest, import_id: FromPath[UUID]) -> ApiResponse:
        """Return how far an import of the last seven days is, and which lines were refused."""
        system = request.api.system
        found = await system.operations.import_of(str(request.organization), str(import_id))
        if found is None:
            raise NotFound
        await project_here(request, ProjectId(UUID(found.project)))
        return ApiResponse(_encode(render_import(found, system.clock())))

    @post(
        "/resume",
        status_code=202,
        opt=needs(
            Permission.TASK_CREATE,
            key=False,
            fails=(
                ProjectIsArchived,
                ProjectOnHold,
                TooManyForMember,
                (409, "import_not_stopped"),
                (410, "import_file_gone"),
                (503, "busy"),
            ),
        ),
        responses=shows(ImportView, 202, "The import, which goes on"),
    )
    async def resume_import(
        self, request: ApiRequest, import_id: FromPath[UUID]
    ) -> Response[bytes]:
        """Go on with an import that stopped within the last day, without sending its file again.

        It reads the file from its beginning; what is imported already is `unchanged`.
        """
        await request.own_organization()
        request.caller.refuse_unless_may(Permission.TASK_CREATE)
        operations = request.api.system.operations
        found = await operations.import_of(str(request.organization), str(import_id))
        if found is None:
            raise NotFound
        return await resume(request, found, ImportLease(operations, found.id))


async def _taken(
    request: ApiRequest, project_id: ProjectId, form: FileForm, held: ExitStack
) -> OpenFile:
    """Take the body, as the file or the archive that *form* says, once there is a place for it."""
    is_text = form.format != "zip"
    upload = upload_of(request, IMPORT_BYTES_MAX if is_text else ARCHIVE_BYTES_MAX)
    held.enter_context(request.api.upload_places.taken(request.caller.user_id))
    body = held.enter_context(await spooled(upload, is_text=is_text))
    return await open_file(project_id, form, body, held)


async def _told(run: ImportRun, held: ExitStack) -> AsyncIterator[bytes]:
    """Yield what would become of the lines; what refuses all is raised before anything else."""
    begun = False
    with held:
        try:
            async for items in run.outcomes():
                yield _encode_lines(items)
                begun = True
        except (DomainError, Problem) as error:
            if not begun:
                raise
            yield _encode_lines([run.summary(done=False, code=error.code, detail=str(error))])
        except (ConcurrencyConflict, LogUnavailable) as error:
            if not begun:
                raise
            _logger.warning("a dry run of an import broke off: %s", error)
            yield _encode_lines([run.summary(done=False, code="unavailable")])
        else:
            yield _encode_lines([run.summary(done=True)])


async def _behind(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
