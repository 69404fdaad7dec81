"""Files in a bucket of S3, or of anything that speaks its protocol.

A file of one part is sent in one request. A larger one is a multipart upload, of which an upload
that is cut off can leave parts: no program sees them, but they cost money until a lifecycle rule of
the bucket (AbortIncompleteMultipartUpload) removes them.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable
from datetime import datetime
from typing import Any, TypeVar

import obstore
from obstore.exceptions import BaseError

from files.store import (
    PIECE_BYTES,
    FileKey,
    FileMissing,
    FilesUnavailable,
    StoredFile,
    key_at,
)
from runtime.areas.files import FILES_DEADLINE_S
from runtime.buckets.opening import open_bucket

T = TypeVar("T")

PART_BYTES = 5 * 1024 * 1024
"""The smallest part of a multipart upload (Amazon S3, "Multipart upload limits")."""

_PARTS_AT_ONCE = 2
"""So an upload holds at most three parts in memory."""
_LISTED = 1_000


class S3Files:
    """Files as objects of one bucket."""

    def __init__(self, url: str, *, deadline_s: float = FILES_DEADLINE_S) -> None:
        self._store, self._deadline_s = open_bucket(url, deadline_s), deadline_s

    async def put(self, key: FileKey, content: AsyncIterable[bytes]) -> None:
        try:
            await self._put(key, aiter(content))
        except FileMissing:
            raise FilesUnavailable("the bucket of files does not exist") from None

    async def _put(self, key: FileKey, rest: AsyncIterator[bytes]) -> None:
        begun = bytearray()
        async for some in rest:
            begun += some
            if len(begun) > PART_BYTES:
                await self._put_parts(key, bytes(begun), rest)
                return
        await self._call(obstore.put_async(self._store, key.path, bytes(begun)))

    async def _put_parts(self, key: FileKey, begun: bytes, rest: AsyncIterator[bytes]) -> None:
        """Write a file in parts; it is there once the writer is closed, which it is at the end."""
        writer = obstore.open_writer_async(
            self._store, key.path, buffer_size=PART_BYTES, max_concurrency=_PARTS_AT_ONCE
        )
        await self._call(writer.write(begun))
        async for some in rest:
            await self._call(writer.write(some))
        await self._call(writer.close())

    async def read(self, key: FileKey, start: int, end: int) -> AsyncIterator[bytes]:
        if start >= end:
            return
        wanted: Any = {"range": (start, end)}
        found = await self._call(obstore.get_async(self._store, key.path, options=wanted))
        pieces = found.stream(min_chunk_size=PIECE_BYTES)
        left = end - start
        while left > 0:
            piece = await self._call(_next_of(pieces))
            if not piece:
                raise FilesUnavailable(f"the file {key.path} is shorter than it was")
            left -= len(piece)
            yield piece

    async def size(self, key: FileKey) -> int:
        found = await self._call(obstore.head_async(self._store, key.path))
        return int(found["size"])

    async def remove(self, key: FileKey) -> None:
        try:
            await self._call(obstore.delete_async(self._store, key.path))
        except FileMissing:
            return

    async def files(self) -> AsyncIterator[StoredFile]:
        untyped: Any = obstore  # its lists have several types
        listed = untyped.list(self._store, chunk_size=_LISTED)
        batches = aiter(listed)
        while batch := await self._call(_next_of(batches)):
            for each in batch:
                key = key_at(each["path"])
                if key is not None:
                    yield StoredFile(key, each["size"], each["last_modified"])

    async def sweep_parts(self, before: datetime) -> int:
        return 0  # a lifecycle rule of the bucket does it: see above

    async def close(self) -> None:
        """Release nothing: connections end with the process."""

    async def _call(self, answer: Awaitable[T]) -> T:
        """Return *answer*.

        :raises FileMissing: there is no such object.
        :raises FilesUnavailable: the server does not answer in time, or refuses.
        """
        try:
            async with asyncio.timeout(self._deadline_s):
                return await answer
        except TimeoutError:
            raise FilesUnavailable("the bucket of files did not answer in time") from None
        except FileNotFoundError:
            raise FileMissing from None
        except (BaseError, OSError) as error:
            raise FilesUnavailable(f"the bucket of files: {error}") from None


async def _next_of(pieces: AsyncIterator[Any]) -> Any:
    return await anext(pieces, None)
