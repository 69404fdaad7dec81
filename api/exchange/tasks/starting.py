"""How an import begins: its file is counted and kept, and its lines go on behind the answer."""

import asyncio
import contextlib
import io
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import islice
from typing import IO, Any, NamedTuple, cast
from uuid import UUID

import msgspec
from litestar import MediaType, Response
from msgspec.structs import replace

from api.exchange.tasks.archive import WorkArchive
from api.exchange.tasks.earlier import done_earlier
from api.exchange.tasks.import_lease import ImportLease, ImportLost
from api.exchange.tasks.keeping import Beginner, FileForm, give_up_file, keep
from api.exchange.tasks.lines import BrokenFile, Line, read_lines
from api.exchange.tasks.progress import IMPORTS_KEPT, INTERRUPTED, ImportJournal, render_import
from api.exchange.tasks.run import LINES_MAX, ImportRun, Item
from api.exchange.tasks.table import field_keys, read_table
from api.http.problem import Problem
from api.http.request import ApiRequest
from commands.exchange.bulk import BULK_OF_MEMBERS_MAX, TooManyForMember
from commands.exchange.import_piece import IMPORTED_AT_ONCE
from commands.exchange.import_tasks import Existing
from commands.work.task_plan import FIELDS_AT_ONCE
from domain.base import DomainError, NotFound, ProjectId
from domain.identity.organization.membership import Role
from domain.planning.field import Field, stream_of_field
from domain.work.task.custom_field import FieldType
from eventstore.append import ConcurrencyConflict, LogUnavailable
from eventstore.identifiers import new_id
from eventstore.operations.records import ImportProgress, ImportState
from files.store import FileKey, FileStore, FilesUnavailable

_logger = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode
ReadFile = Callable[[IO[str]], Iterator[Line]]
"""Reads the lines of a file."""


class OpenFile(NamedTuple):
    """A file that is imported into a project, and what ends with it.

    ``body`` is what was sent, ``file`` its lines, which an archive has among others.
    """

    project_id: ProjectId
    form: FileForm
    body: IO[bytes]
    file: IO[str]
    archive: WorkArchive | None
    held: ExitStack


class Begun(NamedTuple):
    """An import of which this process has the lease; ``told`` is how far it was, if it goes on."""

    import_id: UUID
    lease: ImportLease
    told: ImportProgress | None = None


class Ready(NamedTuple):
    """A file whose lines were counted, and what imports them."""

    lines: int
    run: ImportRun


async def open_file(
    project_id: ProjectId, form: FileForm, body: IO[bytes], held: ExitStack
) -> OpenFile:
    """Open what was sent as the lines, or the archive, that *form* says.

    :raises Problem: it is no such archive.
    """
    if form.format != "zip":
        text = io.TextIOWrapper(cast("io.BufferedRandom", body), encoding="utf-8", newline="")
        return OpenFile(project_id, form, body, text, None, held)
    archive = await asyncio.to_thread(WorkArchive, body)
    lines = held.enter_context(await asyncio.to_thread(archive.lines))
    return OpenFile(project_id, form, body, lines, archive, held)


async def get_ready(
    request: ApiRequest, opened: OpenFile, told: ImportProgress | None = None
) -> Ready:
    """Count the lines of a file before any of them is imported; *told* if an import goes on.

    :raises Problem: nothing can be read from somewhere on, or they are too many.
    :raises TooManyForMember: they are more than the caller's role may import.
    """
    file, read = opened.file, await _reader(request, opened)
    count = await _count(request, file, read)
    again = partial(_from_its_beginning, file, read)
    existing = Existing(opened.form.updates)
    if told is not None:
        earlier = await done_earlier(request.api.system.log, request.organization, told)
        existing = Existing(opened.form.updates, UUID(told.id), earlier)
    run = ImportRun(request, opened.project_id, again, opened.archive, existing)
    return Ready(count, run)


async def begin(request: ApiRequest, opened: OpenFile) -> Response[bytes]:
    """Import the first lines, and the others behind the answer; what refuses all is raised.

    Until all are imported, the file is kept.
    """
    import_id, files = new_id(), request.api.files
    lease = ImportLease(request.api.system.operations, str(import_id))
    count, run = await get_ready(request, opened)
    key = FileKey(request.organization, import_id)
    goes_on = count > IMPORTED_AT_ONCE or opened.archive is not None
    await lease.renew()
    if goes_on:
        await keep(files, key, replace(opened.form, beginner=_beginner(request)), opened.body)
    try:
        return await _begun(request, opened, Begun(import_id, lease), Ready(count, run))
    except BaseException:
        await lease.drop()
        if goes_on:
            await give_up_file(files, key)
        raise


async def go_on(
    request: ApiRequest, opened: OpenFile, told: ImportProgress, lease: ImportLease
) -> Response[bytes]:
    """Go on with an import whose file is kept, as ``begin`` does; *told* is how far it was."""
    import_id, told = UUID(told.id), replace(told, state=ImportState.RUNNING, code=None)
    ready = await get_ready(request, opened, told)
    return await _begun(request, opened, Begun(import_id, lease, told), ready)


async def _begun(
    request: ApiRequest, opened: OpenFile, begun: Begun, ready: Ready
) -> Response[bytes]:
    system, files = request.api.system, request.api.files
    key = FileKey(request.organization, begun.import_id)
    outcomes = ready.run.outcomes()
    first, now = await anext(outcomes), system.clock()
    progress = ImportProgress(
        id=str(begun.import_id),
        org=str(key.org_id),
        project=str(opened.project_id),
        correlation_id=ready.run.correlation_id,
        lines=ready.lines,
        started_at=now if begun.told is None else begun.told.started_at,
        updated_at=now,
    )
    await system.operations.drop_imports(now - IMPORTS_KEPT)
    journal = ImportJournal(system, progress, begun.lease, begun.told)
    await journal.add(first)
    others = _go_on(outcomes, journal, opened.held.pop_all(), begun.lease)
    if begun.told is not None or ready.lines > IMPORTED_AT_ONCE or opened.archive is not None:
        request.api.background.start(_and_give_up(others, files, key))
    else:
        await others
    told = _encode(render_import(begun.told or progress, now))
    headers = {"location": f"/api/import/{progress.id}"}
    return Response(told, status_code=202, media_type=MediaType.JSON, headers=headers)


def _beginner(request: ApiRequest) -> Beginner:
    claims, info = None if request.api_key else request.claims, request.client_info
    return Beginner(claims, request.api_key, info.ip, info.user_agent)


async def _and_give_up(others: Coroutine[Any, Any, bool], files: FileStore, key: FileKey) -> None:
    if await others:
        await give_up_file(files, key)


async def _go_on(
    outcomes: AsyncIterator[list[Item]], journal: ImportJournal, held: ExitStack, lease: ImportLease
) -> bool:
    """Import the other lines; return whether that was done to the end.

    An import whose process ends stays as it is, for another process to go on with.
    """
    async with lease.kept():
        code: str | None = None
        try:
            with held:
                async for items in outcomes:
                    await journal.add(items)
        except asyncio.CancelledError:
            await journal.pause()
            raise
        except ImportLost:
            _logger.warning("another process goes on with an import")
            return False
        except (DomainError, Problem) as refused:
            code = refused.code
        except (ConcurrencyConflict, FilesUnavailable, LogUnavailable) as error:
            _logger.warning("an import stopped: %s", error)
            code = "unavailable"
        except BaseException:
            await journal.end(INTERRUPTED)
            raise
        await journal.end(code)
        return code is None


async def _reader(request: ApiRequest, opened: OpenFile) -> ReadFile:
    """Return what reads the lines of a file; a table needs the types of the custom fields in it."""
    names, project_id = opened.form.names, opened.project_id
    if opened.form.format != "csv":
        return lambda file: read_lines(file, names)
    keys = await asyncio.to_thread(field_keys, opened.file, names)
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
