"""Files in a directory: the default, for one machine or a shared file system.

A file is written under another name, synced, and renamed when it is complete.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO, ParamSpec, TypeVar
from uuid import uuid4

from files.store import (
    PIECE_BYTES,
    FileKey,
    FileMissing,
    FilesUnavailable,
    StoredFile,
    key_at,
)
from runtime.areas.files import FILES_DEADLINE_S

P = ParamSpec("P")
T = TypeVar("T")

_THREADS = 8
"""How many calls may wait for the disk at once; a disk that hangs blocks no other threads."""
_PARTS = "parts"
_BATCH = 500


class DirectoryFiles:
    """Files below *root*, in one folder per organization."""

    def __init__(self, root: Path, *, deadline_s: float = FILES_DEADLINE_S) -> None:
        self._root, self._deadline_s = root, deadline_s
        self._threads = ThreadPoolExecutor(_THREADS, "files")

    async def put(self, key: FileKey, content: AsyncIterable[bytes]) -> None:
        part = self._root / _PARTS / uuid4().hex
        file = await self._call(_begin, part)
        try:
            async for piece in _joined(content):
                await self._call(file.write, piece)
            await self._call(_finish, file, part, self._root / key.path)
        except BaseException:
            # Also when cancelled; if the disk hangs, the sweep removes it later.
            with contextlib.suppress(FilesUnavailable):
                await asyncio.shield(self._call(_drop, file, part))
            raise

    async def read(self, key: FileKey, start: int, end: int) -> AsyncIterator[bytes]:
        file = await self._call(_open, self._root / key.path, start)
        try:
            left = end - start
            while left > 0:
                piece = await self._call(file.read, min(left, PIECE_BYTES))
                if not piece:
                    raise FilesUnavailable(f"the file {key.path} is shorter than it was")
                left -= len(piece)
                yield piece
        finally:
            self._threads.submit(file.close)

    async def size(self, key: FileKey) -> int:
        return await self._call(_size, self._root / key.path)

    async def remove(self, key: FileKey) -> None:
        await self._call((self._root / key.path).unlink, missing_ok=True)

    async def files(self) -> AsyncIterator[StoredFile]:
        found = _found(self._root)
        while batch := await self._call(_next_of, found):
            for one in batch:
                yield one

    async def sweep_parts(self, before: datetime) -> int:
        return await self._call(_swept, self._root / _PARTS, before)

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what *function* returns, called on a thread.

        :raises FilesUnavailable: it fails, or takes too long.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._deadline_s):
                return await loop.run_in_executor(self._threads, lambda: function(*args, **kwargs))
        except TimeoutError:
            raise FilesUnavailable("the directory of files did not answer in time") from None
        except OSError as error:
            raise FilesUnavailable(f"the directory of files: {error}") from error


async def _joined(content: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Yield *content* in pieces that are worth a call to a thread."""
    collected = bytearray()
    async for some in content:
        collected += some
        if len(collected) >= PIECE_BYTES:
            yield bytes(collected)
            collected.clear()
    if collected:
        yield bytes(collected)


def _begin(part: Path) -> BinaryIO:
    part.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", 0)


def _finish(file: BinaryIO, part: Path, path: Path) -> None:
    os.fsync(file.fileno())
    file.close()
    path.parent.mkdir(mode=0o700, exist_ok=True)
    part.rename(path)
    for folder in (path.parent, path.parent.parent):
        _sync(folder)


def _sync(folder: Path) -> None:
    """Make the names in *folder* survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _drop(file: BinaryIO, part: Path) -> None:
    file.close()
    part.unlink(missing_ok=True)


def _open(path: Path, start: int) -> BinaryIO:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise FileMissing(path.name) from None
    file.seek(start)
    return file


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        raise FileMissing(path.name) from None


def _found(root: Path) -> Iterator[StoredFile]:
    if not root.is_dir():
        return
    for folder in root.iterdir():
        for path in folder.iterdir() if folder.is_dir() else ():
            key = key_at(f"{folder.name}/{path.name}")
            if key is None:
                continue
            with contextlib.suppress(FileNotFoundError):
                stat = path.stat()
                yield StoredFile(key, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC))


def _next_of(found: Iterator[StoredFile]) -> list[StoredFile]:
    return list(islice(found, _BATCH))


def _swept(parts: Path, before: datetime) -> int:
    swept = 0
    for part in parts.iterdir() if parts.is_dir() else ():
        with contextlib.suppress(FileNotFoundError):
            if part.stat().st_mtime < before.timestamp():
                part.unlink()
                swept += 1
    return swept
