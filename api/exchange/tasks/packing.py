"""Packs an export into a ZIP archive while it is sent: the lines, and then the contents of files.

Whatever is in memory is a piece of a file, and the names of all files: an archive ends with these.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import IO, Any, NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile

import msgspec

from api.http.request import ApiRequest
from api.work.sight import project_here
from api.work.task_key import task_here
from domain.base import AttachmentId, DomainError, ProjectId, TaskId
from domain.work.attachment import Attachment
from files.store import FileKey, FileMissing

LINES_NAME = "tasks.jsonl"
"""The name of the lines in an archive."""
_UNPACKED = 0
"""The level that copies the contents of a file: most are packed already."""
_logger = logging.getLogger(__name__)
_encode_lines = msgspec.json.Encoder().encode_lines


class PackedFile(NamedTuple):
    """A file whose contents go into an archive, and where."""

    task_id: TaskId
    attachment_id: AttachmentId
    path: str


class _Sent:
    """What is to be sent; that it cannot tell its place lets sizes stand behind contents."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Take what comes next."""
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: whoever sends asks for it."""

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


class _Packer:
    """An archive in progress: each call returns what there is to send."""

    def __init__(self) -> None:
        self._sent = _Sent()
        unseekable: IO[bytes] = self._sent  # type: ignore[assignment]  # the few methods that are called
        self._archive = ZipFile(unseekable, "w", ZIP_DEFLATED)
        self._entry: IO[bytes] | None = None

    def begin(self, name: str, level: int | None = None) -> None:
        """Begin an entry, which ends the one before it."""
        self._end()
        self._archive.compresslevel = level
        self._entry = self._archive.open(name, "w", force_zip64=level is None)

    def add(self, data: bytes) -> bytes:
        """Add to the entry."""
        assert self._entry is not None  # noqa: S101 - it has begun
        self._entry.write(data)
        return self._sent.taken()

    def close(self) -> bytes:
        """End the archive."""
        self._end()
        self._archive.close()
        return self._sent.taken()

    def _end(self) -> None:
        if self._entry is not None:
            self._entry.close()
            self._entry = None


async def packed(
    request: ApiRequest,
    project_id: ProjectId,
    pages: AsyncIterator[list[dict[str, Any]]],
    files: list[PackedFile],
) -> AsyncIterator[bytes]:
    """Yield an archive of lines, and of the files that are in *files* once these have been read.

    A file that is gone by then, or that the caller may no longer have, is left out.

    :raises NotFound: the caller does not see the project any more.
    """
    packer = _Packer()
    try:
        packer.begin(LINES_NAME)
        async for lines in pages:
            if lines:
                yield await asyncio.to_thread(packer.add, _encode_lines(lines))
        for each in files:
            await request.identify(fresh=True)
            await project_here(request, project_id)
            async for piece in _contents(request, project_id, each, packer):
                yield piece
        yield await asyncio.to_thread(packer.close)
    finally:
        packer.close()  # also of what nobody reads to its end


async def _contents(
    request: ApiRequest, project_id: ProjectId, file: PackedFile, packer: _Packer
) -> AsyncIterator[bytes]:
    """Add a file to an archive; yield what there is to send."""
    found = await _given_out(request, project_id, file)
    if found is None:
        return
    key = FileKey(request.organization, file.attachment_id)
    pieces = request.api.files.read(key, 0, found.size)
    try:
        piece = await anext(pieces, b"")
    except FileMissing:
        _logger.warning("an export is without the file %s, which is missing", key.path)
        return
    packer.begin(file.path, _UNPACKED)
    while piece:
        yield await asyncio.to_thread(packer.add, piece)
        piece = await anext(pieces, b"")


async def _given_out(
    request: ApiRequest, project_id: ProjectId, file: PackedFile
) -> Attachment | None:
    """Return an attachment whose contents the caller may have now."""
    try:
        found = (await request.newest(Attachment, file.attachment_id)).state
        found.refuse_to_give_out()
        task, _ = await task_here(request, file.task_id)
    except DomainError:
        return None
    return found if task.state.project_id == project_id else None
