"""HTTP routes that import tasks from a file, and tell how far that is."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from itertools import islice
from typing import IO, Annotated, Any, NamedTuple
from uuid import UUID

import msgspec
from litestar import Controller, MediaType, Response, get, post
from litestar.params import FromPath, FromQuery, Parameter
from litestar.response import Stream

from api.exchange.task_export import FileFormat
from api.exchange.tasks.lines import BrokenFile, Line, read_lines
from api.exchange.tasks.mapping import MAPPING_MAX, Mapping, mapping_in
from api.exchange.tasks.progress import (
    IMPORTS_KEPT,
    INTERRUPTED,
    ImportJournal,
    ImportView,
    render_import,
)
from api.exchange.tasks.run import LINES_MAX, ImportRun, Item
from api.exchange.tasks.spool import spooled, upload_of
from api.exchange.tasks.table import field_keys, read_table
from api.http.parameters import shows, shows_file
from api.http.policy import needs
from api.http.problem import Problem
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.work.project_key import ProjectRef, project_id_of
from api.work.sight import project_here
from commands.exchange.bulk import BULK_OF_MEMBERS_MAX, TooManyForMember
from commands.exchange.import_tasks import IMPORTED_AT_ONCE
from commands.work.task_plan import FIELDS_AT_ONCE
from domain.base import DomainError, NotFound, ProjectId
from domain.identity.organization.membership import Role
from domain.permission import Permission
from domain.planning.field import Field, stream_of_field
from domain.work.project.errors import ProjectIsArchived, ProjectOnHold
from domain.work.task.custom_field import FieldType
from eventstore.append import ConcurrencyConflict, LogUnavailable
from eventstore.identifiers import new_id
from eventstore.operations.records import ImportProgress

_logger = logging.getLogger(__name__)
ReadFile = Callable[[IO[str]], Iterator[Line]]
"""Reads the lines of a file."""

_encode = msgspec.json.Encoder().encode
_encode_lines = msgspec.json.Encoder().encode_lines


class _Form(NamedTuple):
    """The format of a file, and what the names in it are here."""

    format: str
    names: Mapping


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
        mapping: FromQuery[
            Annotated[
                str | None,
                Parameter(
                    max_length=MAPPING_MAX,
                    description="What the names in the file stand for, in JSON: `columns`,"
                    " `people`, `statuses` and `priorities`, each an object",
                ),
            ]
        ] = None,
    ) -> Response[Any]:
        """Import tasks from a file, the body, in the format of an export.

        JSON Lines may have comments on them and their relations, too, in lines of their own. What
        has an id of an earlier import is left alone, so a file can be sent again. `Location`
        tells how far the import is. A dry run answers line by line; its last line begins with
        `done`.
        """
        names = mapping_in(mapping)
        await request.own_organization()
        request.caller.refuse_unless_may(Permission.TASK_CREATE)  # also of a file without a task
        project_id = await project_id_of(request, project)
        (await project_here(request, project_id)).state.refuse_unless_takes_tasks()
        with ExitStack() as held:
            upload = upload_of(request)
            held.enter_context(request.api.upload_places.taken(request.caller.user_id))
            file = held.enter_context(await spooled(upload))
            read = await _reader(request, project_id, _Form(file_format, names), file)
            count = await _count(request, file, read)
            run = ImportRun(request, project_id, lambda: _from_its_beginning(file, read))
            if not request.is_dry_run():
                return await _begin(request, project_id, run, (count, held))
            told = _told(run, held.pop_all())
            first = await anext(told)
        return Stream(_behind(first, told), media_type="application/jsonl", status_code=200)


class ImportController(Controller):
    """How far imports are."""

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


async def _begin(
    request: ApiRequest, project_id: ProjectId, run: ImportRun, about: tuple[int, ExitStack]
) -> Response[bytes]:
    """Import the first lines, and the others behind the answer; what refuses all is raised."""
    (count, held), system = about, request.api.system
    outcomes = run.outcomes()
    first, now = await anext(outcomes), system.clock()
    progress = ImportProgress(
        id=str(new_id()),
        org=str(request.organization),
        project=str(project_id),
        correlation_id=run.correlation_id,
        lines=count,
        started_at=now,
        updated_at=now,
    )
    await system.operations.drop_imports(now - IMPORTS_KEPT)
    journal = ImportJournal(system, progress)
    await journal.add(first)
    others = _go_on(outcomes, journal, held.pop_all())
    if count > IMPORTED_AT_ONCE:
        request.api.background.start(others)
    else:
        await others
    return Response(
        _encode(render_import(progress, now)),
        status_code=202,
        media_type=MediaType.JSON,
        headers={"location": f"/api/import/{progress.id}"},
    )


async def _go_on(
    outcomes: AsyncIterator[list[Item]], journal: ImportJournal, held: ExitStack
) -> None:
    code: str | None = INTERRUPTED
    try:
        with held:
            async for items in outcomes:
                await journal.add(items)
        code = None
    except (DomainError, Problem) as refused:
        code = refused.code
    except (ConcurrencyConflict, LogUnavailable) as error:
        _logger.warning("an import stopped: %s", error)
        code = "unavailable"
    finally:
        await journal.end(code)


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


async def _reader(
    request: ApiRequest, project_id: ProjectId, form: _Form, file: IO[str]
) -> ReadFile:
    """Return what reads the lines of *file*; a table needs the types of the custom fields in it."""
    names = form.names
    if form.format == "jsonl":
        return lambda file: read_lines(file, names)
    keys = await asyncio.to_thread(field_keys, file, names)
    states, kinds = request.api.system.commands.states, dict[str, FieldType]()
    for key in keys[:FIELDS_AT_ONCE]:
        with contextlib.suppress(NotFound):  # the command refuses an unknown one
            stream = stream_of_field(project_id, key)
            kinds[key] = (await states.fresh(Field, stream, request.organization)).kind
    return lambda file: read_table(file, names, kinds)


async def _count(request: ApiRequest, file: IO[str], read: ReadFile) -> int:
    """Return how many lines a file has, before any of them is imported.

    :raises Problem: nothing can be read from somewhere on, or they are too many.
    :raises TooManyForMember: they are more than the caller's role may import.
    """
    try:
        count = await asyncio.to_thread(_counted, read(file))
    except BrokenFile as broken:
        raise Problem(422, "malformed_file", str(broken)) from None
    if request.caller.role is Role.MEMBER and count > BULK_OF_MEMBERS_MAX:
        raise TooManyForMember(limit=BULK_OF_MEMBERS_MAX, needs="MANAGER or ADMIN")
    if count > LINES_MAX:
        detail = f"One import takes {LINES_MAX:,} tasks. Send the file in parts."
        raise Problem(422, "too_many_lines", detail, details={"limit": LINES_MAX})
    return count


def _from_its_beginning(file: IO[str], read: ReadFile) -> Iterator[Line]:
    file.seek(0)
    yield from read(file)


def _counted(lines: Iterator[Line]) -> int:
    return sum(1 for _ in islice(lines, LINES_MAX + 1))


async def _behind(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
