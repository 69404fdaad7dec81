"""The contract of every file store: a file is there whole, or not at all."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from domain.base import OrgId
from files.store import FileKey, FileMissing, FileStore

MIB = 1024 * 1024
SOON = timedelta(minutes=1)


def key() -> FileKey:
    return FileKey(OrgId(uuid4()), uuid4())


async def pieces(*some: bytes) -> AsyncIterator[bytes]:
    for piece in some:
        yield piece


async def content(store: FileStore, at: FileKey, start: int, end: int) -> bytes:
    return b"".join([piece async for piece in store.read(at, start, end)])


async def keys(store: FileStore) -> list[FileKey]:
    return [each.key async for each in store.files()]


@pytest.mark.parametrize("sizes", [[], [1], [3, 0, 4], [2 * MIB, MIB, 17], [700_000] * 20], ids=str)
async def test_a_file_is_read_as_it_was_written(store: FileStore, sizes: Sequence[int]) -> None:
    at = key()
    some = [bytes([n % 251]) * size for n, size in enumerate(sizes)]
    whole = b"".join(some)

    await store.put(at, pieces(*some))

    assert await store.size(at) == len(whole)
    assert await content(store, at, 0, len(whole)) == whole
    for start, end in ((1, len(whole)), (len(whole) // 2, len(whole) // 2 + 5), (0, 0)):
        assert await content(store, at, start, min(end, len(whole))) == whole[start:end]
    [found] = [each async for each in store.files()]
    assert (found.key, found.size) == (at, len(whole))
    assert abs(datetime.now(UTC) - found.written_at) < SOON


@pytest.mark.parametrize("size", [10, 12 * MIB])
async def test_nothing_is_left_of_a_file_that_was_cut_off(store: FileStore, size: int) -> None:
    at = key()

    async def cut_off() -> AsyncIterator[bytes]:
        for _ in range(size // min(size, MIB)):
            yield b"x" * min(size, MIB)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await store.put(at, cut_off())

    with pytest.raises(FileMissing):
        await store.size(at)
    assert await keys(store) == []
    assert await store.sweep_parts(datetime.now(UTC) + SOON) == 0


async def test_nothing_is_left_of_a_file_whose_writer_is_cancelled(store: FileStore) -> None:
    at, begun = key(), asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * MIB
            begun.set()
            await asyncio.sleep(0)

    writing = asyncio.create_task(store.put(at, endless()))
    async with asyncio.timeout(10):
        await begun.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing

    assert await keys(store) == []


async def test_a_missing_file_is_said_to_be_missing(store: FileStore) -> None:
    for asking in (store.size(key()), content(store, key(), 0, 1)):
        with pytest.raises(FileMissing):
            await asking


async def test_a_removed_file_is_gone_and_can_be_removed_again(store: FileStore) -> None:
    at, other = key(), key()
    for each in (at, other):
        await store.put(each, pieces(b"one"))

    for _ in range(2):
        await store.remove(at)

    with pytest.raises(FileMissing):
        await store.size(at)
    assert await keys(store) == [other]


async def test_every_file_is_listed(store: FileStore) -> None:
    org_id, made = OrgId(uuid4()), set[FileKey]()
    for n in range(7):
        made.add(at := FileKey(org_id, uuid4()))
        await store.put(at, pieces(b"x" * n))

    assert set(await keys(store)) == made


async def test_a_reader_may_stop_in_the_middle(store: FileStore) -> None:
    at = key()
    await store.put(at, pieces(b"x" * MIB, b"y" * 3 * MIB))

    reading = store.read(at, 0, 4 * MIB)
    first = await anext(reading)
    await reading.aclose()  # type: ignore[attr-defined]  # every store gives a generator

    assert first.startswith(b"x")
    assert await store.size(at) == 4 * MIB
