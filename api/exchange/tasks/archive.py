"""Reads an archive of work: its lines, and the contents of files.

Whoever sent it may mean harm. So it is opened only if its directory is small, what is unpacked is
counted, and no other ways of packing are known than copying and Deflate, which unpack in pieces.
"""

import asyncio
import io
import tempfile
from collections.abc import AsyncIterator
from typing import IO, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo
from zlib import error as DeflateError  # noqa: N812 - it is a class with a lower name

from api.exchange.tasks.packing import LINES_NAME
from api.http.problem import Problem
from files.store import PIECE_BYTES

DIRECTORY_BYTES_MAX = 4 * 1024 * 1024
"""Names of some 40,000 files, which are held in memory."""
LINES_BYTES_MAX = 64 * 1024 * 1024
_WAYS = frozenset({ZIP_STORED, ZIP_DEFLATED})
_ENCRYPTED = 0x1
_BROKEN = (BadZipFile, DeflateError, NotImplementedError, EOFError, OSError, ValueError)
"""What reading a file raises that is no archive, or a broken one."""


class BrokenContent(Exception):
    """The contents of a file cannot be read from an archive."""


class WorkArchive:
    """An archive that came in, open as long as its *file* is."""

    def __init__(self, file: IO[bytes]) -> None:
        """Open an archive.

        :raises Problem: it is none, or too large.
        """
        self._bounded = _Bounded(file)
        try:
            self._archive = ZipFile(cast("IO[bytes]", self._bounded))
        except _BROKEN:
            raise _malformed("The body is no ZIP archive, or has too many files.") from None
        self._bounded.limit = None

    def lines(self) -> IO[str]:
        """Return the lines in a file of their own, from its beginning; whoever asks closes it.

        :raises Problem: they are missing, too long, or no UTF-8.
        """
        entry = self.entry(LINES_NAME)
        if entry is None:
            raise _malformed(f"The archive has no {LINES_NAME}.")
        if entry.file_size > LINES_BYTES_MAX:
            detail = f"{LINES_NAME} can have 64 MiB. Send it in parts."
            raise Problem(413, "body_too_large", detail, details={"limit": LINES_BYTES_MAX})
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
        try:
            with self._archive.open(entry) as packed:
                while piece := packed.read(PIECE_BYTES):
                    file.write(piece)
            file.seek(0)
            return _as_text(file)
        except _BROKEN:
            file.close()
            raise _malformed(f"{LINES_NAME} in the archive cannot be read.") from None

    def entry(self, path: str) -> ZipInfo | None:
        """Return what is at *path*, None if that is no file that can be read."""
        try:
            found = self._archive.getinfo(path)
        except KeyError:
            return None
        readable = found.compress_type in _WAYS and not found.flag_bits & _ENCRYPTED
        return found if readable and not found.is_dir() else None

    async def pieces(self, entry: ZipInfo) -> AsyncIterator[bytes]:
        """Yield the contents of a file, which are no longer than the directory says.

        :raises BrokenContent: they cannot be read to their end.
        """
        try:
            with self._archive.open(entry) as packed:
                while piece := await asyncio.to_thread(packed.read, PIECE_BYTES):
                    yield piece
        except _BROKEN as broken:
            raise BrokenContent from broken


def _as_text(file: IO[bytes]) -> IO[str]:
    """Return *file* as text, without its byte order mark, after all of it was read once.

    :raises UnicodeDecodeError: it is no UTF-8.
    """
    text = io.TextIOWrapper(cast("io.BufferedRandom", file), encoding="utf-8-sig", newline="")
    while text.read(PIECE_BYTES):
        pass
    text.seek(0)
    return text


class _Bounded:
    """A file of which no more than ``limit`` bytes are read at once, while there is a limit."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.limit: int | None = DIRECTORY_BYTES_MAX

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes.

        :raises BadZipFile: they are more than the limit.
        """
        if self.limit is None:
            return self._file.read(size)
        found = self._file.read(self.limit + 1 if size < 0 else min(size, self.limit + 1))
        if len(found) > self.limit:
            raise BadZipFile
        return found

    def seek(self, at: int, whence: int = 0) -> int:
        """Go to a place in the file."""
        return self._file.seek(at, whence)

    def tell(self) -> int:
        """Return the place in the file."""
        return self._file.tell()

    def seekable(self) -> bool:
        """Return that one can go to any place."""
        return True

    def close(self) -> None:
        """Leave the file open: its owner closes it."""


def _malformed(detail: str) -> Problem:
    return Problem(422, "malformed_file", detail)
