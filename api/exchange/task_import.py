"""HTTP route that imports tasks from a file."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from typing import IO, Annotated, NamedTuple

import msgspec
from litestar import Controller, post
from litestar.params import FromQuery, Parameter
from litestar.response import Stream

from api.exchange.task_export import FileFormat
from api.exchange.tasks.lines import BrokenFile, read_lines
from api.exchange.tasks.mapping import MAPPING_MAX, Mapping, mapping_in
from api.exchange.tasks.run import ImportRun, Item, Line, TooManyLines
from api.exchange.tasks.spool import spooled, upload_of
from api.exchange.tasks.table import field_keys, read_table
from api.http.parameters import shows_file
from api.http.policy import needs
from api.http.problem import Problem
from api.http.request import ApiRequest
from api.work.project_key import ProjectRef, project_id_of
from api.work.sight import project_here
from commands.exchange.bulk import BULK_OF_MEMBERS_MAX, TooManyForMember
from commands.work.task_plan import FIELDS_AT_ONCE
from domain.base import DomainError, NotFound, ProjectId
from domain.identity.organization.membership import Role
from domain.permission import Permission
from domain.planning.field import Field, stream_of_field
from domain.work.project.errors import ProjectIsArchived, ProjectOnHold
from domain.work.task.custom_field import FieldType
from eventstore.append import ConcurrencyConflict, LogUnavailable

_logger = logging.getLogger(__name__)
ReadFile = Callable[[IO[str]], Iterator[Line]]
"""Reads the lines of a file."""

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
        status_code=200,
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
                (503, "busy"),
            ),
            streams=True,
        ),
        responses=shows_file("What becomes of each line", "application/jsonl"),
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
    ) -> Stream:
        """Import tasks from a file, the body, in the format of an export, and answer line by line.

        What has an id of an earlier import is left alone, so a file can be sent again. The last
        line of the answer begins with `done`, which is true if the file was read to its end.
        """
        names = mapping_in(mapping)
        await request.own_organization()
        project_id = await project_id_of(request, project)
        (await project_here(request, project_id)).state.refuse_unless_takes_tasks()
        answer = _answer(request, project_id, _Form(file_format, names))
        first = await anext(answer)
        return Stream(_behind(first, answer), media_type="application/jsonl")


async def _answer(request: ApiRequest, project_id: ProjectId, form: _Form) -> AsyncIterator[bytes]:
    """Yield what becomes of the lines; what refuses all of them is raised before anything else."""
    upload = upload_of(request)
    with request.api.upload_places.taken(request.caller.user_id), await spooled(upload) as file:
        read = await _reader(request, project_id, form, file)
        run = ImportRun(request, project_id, await _lines(request, file, read))
        begun = False
        try:
            async for items in run.outcomes():
                yield _encode_lines(items)
                begun = True
        except (BrokenFile, TooManyLines, DomainError, Problem) as error:
            if not begun and not isinstance(error, BrokenFile):
                raise
            yield _encode_lines([_broken_off(run, error)])
        except (ConcurrencyConflict, LogUnavailable) as error:
            if not begun:
                raise
            _logger.warning("an import broke off: %s", error)
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


async def _lines(request: ApiRequest, file: IO[str], read: ReadFile) -> Iterator[Line]:
    """Return the lines of a file.

    :raises TooManyForMember: they are more than the caller's role may import.
    """
    if request.caller.role is Role.MEMBER:
        first = await asyncio.to_thread(_first, read(file), BULK_OF_MEMBERS_MAX + 1)
        if len(first) > BULK_OF_MEMBERS_MAX:
            raise TooManyForMember(limit=BULK_OF_MEMBERS_MAX, needs="MANAGER or ADMIN")
        file.seek(0)
    return read(file)


def _first(lines: Iterator[Line], count: int) -> list[Line]:
    found: list[Line] = []
    with contextlib.suppress(BrokenFile):
        for line in islice(lines, count):
            found.append(line)  # noqa: PERF402 - those before a break are kept
    return found


def _broken_off(run: ImportRun, error: Exception) -> Item:
    code = "too_many_lines" if isinstance(error, TooManyLines) else "malformed_file"
    if isinstance(error, DomainError | Problem):
        code = error.code
    return run.summary(done=False, code=code, detail=str(error))


async def _behind(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
