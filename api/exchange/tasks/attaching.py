"""Brings the files of an archive in, one by one: what is refused anyway is not stored.

Each is tried first, then checked and stored, and only then recorded: an attachment in the log has
its contents. What is stored and not recorded is removed at once or, if nobody knows whether it was
recorded, by the sweep (``workers/file_sweep.py``).
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from zipfile import ZipInfo

from api.exchange.tasks.archive import BrokenContent, WorkArchive
from api.exchange.tasks.keeping import give_up_file
from api.http.problem import Problem
from api.http.request import ApiRequest
from api.work.file.measured import MeasuredContent
from commands.exchange.content_line import FileContent, FileLine, NumberedFile
from commands.exchange.import_piece import ImportedContents
from domain.base import AttachmentId, DomainError
from domain.work.attachment import ScanState
from eventstore.append import ConcurrencyConflict
from files.media_type import ANYTHING
from files.name import safe_name
from files.store import FileKey

_UNKNOWN = "0" * 64
Decide = Callable[[NumberedFile, bool], Awaitable[ImportedContents]]
"""Returns what becomes of a file; nothing is recorded if it is only tried."""


class RefusedContent(Exception):
    """The contents of a file are refused; ``code`` says why."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class Attaching:
    """The files of an archive; there is none behind plain lines."""

    def __init__(self, request: ApiRequest, archive: WorkArchive | None, decide: Decide) -> None:
        self._request, self._archive, self._decide = request, archive, decide

    async def attach(
        self, number: int, attachment_id: AttachmentId, line: FileLine
    ) -> ImportedContents:
        """Return what becomes of a file.

        :raises RefusedContent: its contents are not there, or not what the line says.
        :raises DomainError: the caller may attach nothing, or not in this project.
        :raises FilesUnavailable: it cannot be stored.
        """
        entry = self._entry(line)
        scanned = bool(self._request.api.system.settings.scan_hook)
        content = FileContent(
            name=safe_name(line.name),
            media_type=ANYTHING,
            size=entry.file_size if entry else line.size or 0,
            sha256=_UNKNOWN,
            state=ScanState.PENDING if scanned else ScanState.CLEAN,
        )
        file = NumberedFile(number, attachment_id, line, content)
        tried = await self._decide(file, True)
        if not tried.outcomes[0].made:
            return tried
        if entry is None or self._archive is None:
            raise RefusedContent(
                "file_not_in_archive", "The archive has no file under the path that the line names."
            )
        measured = MeasuredContent(self._archive.pieces(entry), line.media_type)
        await self._store(file, measured)
        content = content._replace(media_type=measured.media_type, sha256=measured.sha256)
        return await self._record(file._replace(content=content))

    def _entry(self, line: FileLine) -> ZipInfo | None:
        if self._archive is None or line.path is None:
            return None
        return self._archive.entry(line.path)

    async def _store(self, file: NumberedFile, measured: MeasuredContent) -> None:
        content = _checked(file.line, measured)
        try:
            if self._request.is_dry_run():
                async for _ in content:
                    pass
            else:
                await self._request.api.files.put(self._key(file), content)
        except Problem as refused:
            raise RefusedContent(refused.code, str(refused)) from None

    async def _record(self, file: NumberedFile) -> ImportedContents:
        files, key = self._request.api.files, self._key(file)
        try:
            decided = await self._decide(file, False)
        except (DomainError, Problem, ConcurrencyConflict):
            await give_up_file(files, key)
            raise
        if not decided.outcomes[0].made:
            await give_up_file(files, key)
        return decided

    def _key(self, file: NumberedFile) -> FileKey:
        return FileKey(self._request.organization, file.new_id)


async def _checked(line: FileLine, measured: MeasuredContent) -> AsyncIterator[bytes]:
    """Yield contents; those that the line does not tell of are refused before all are stored."""
    try:
        async for piece in measured.pieces():
            yield piece
    except BrokenContent:
        raise _mismatch("The contents in the archive cannot be read.") from None
    if line.size is not None and line.size != measured.size:
        raise _mismatch("The contents in the archive are not as long as `size` says.")
    if line.sha256 is not None and line.sha256 != measured.sha256:
        raise _mismatch("The contents in the archive are not those of `sha256`.")


def _mismatch(detail: str) -> RefusedContent:
    return RefusedContent("content_mismatch", detail)
