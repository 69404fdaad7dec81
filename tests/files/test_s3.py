"""A bucket that does not answer, or does not exist."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from devstack.server import Server
from domain.base import OrgId
from files.s3 import S3Files
from files.store import FileKey, FilesUnavailable
from tests.listening import listening

KEY = FileKey(OrgId(uuid4()), uuid4())


async def once() -> AsyncIterator[bytes]:
    yield b"one"


async def test_a_server_that_says_nothing_is_given_up() -> None:
    async def say_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(say_nothing) as server:
        store = S3Files(f"s3://k:s@bucket?endpoint=http://127.0.0.1:{server.port}", deadline_s=0.3)
        async with asyncio.timeout(10):
            with pytest.raises(FilesUnavailable):
                await store.put(KEY, once())
            with pytest.raises(FilesUnavailable):
                await store.size(KEY)


@pytest.mark.servers
async def test_a_bucket_that_is_missing_is_no_place_for_files(s3: Server) -> None:
    store = S3Files(f"s3://k:s@nowhere?endpoint={s3.url}", deadline_s=5.0)

    with pytest.raises(FilesUnavailable):
        await store.put(KEY, once())
