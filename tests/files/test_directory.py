"""A directory of files: what is the same for no other store."""

import asyncio
import os
import stat
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from domain.base import OrgId
from files import directory
from files.directory import DirectoryFiles
from files.store import FileKey, FilesUnavailable

KEY = FileKey(OrgId(uuid4()), uuid4())


async def once() -> AsyncIterator[bytes]:
    yield b"one"


async def test_only_the_owner_reads_the_files(tmp_path: Path) -> None:
    store = DirectoryFiles(tmp_path / "files")
    await store.put(KEY, once())

    path = tmp_path / "files" / KEY.path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    await store.close()


async def test_what_a_killed_process_left_is_swept_after_a_while(tmp_path: Path) -> None:
    store = DirectoryFiles(tmp_path)
    await store.put(KEY, once())
    left = tmp_path / "parts" / "left"
    left.write_bytes(b"half")
    now = datetime.now(UTC)

    assert await store.sweep_parts(now - timedelta(hours=1)) == 0
    assert await store.sweep_parts(now + timedelta(hours=1)) == 1
    assert not left.exists()
    assert await store.size(KEY) == 3
    await store.close()


async def test_a_disk_that_hangs_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, hangs = DirectoryFiles(tmp_path, deadline_s=0.2), threading.Event()

    def hang(_: Any) -> None:
        hangs.wait(10)

    monkeypatch.setattr(directory, "_size", hang)
    async with asyncio.timeout(5):
        with pytest.raises(FilesUnavailable):
            await store.size(KEY)
    hangs.set()
    await store.close()


async def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = DirectoryFiles(tmp_path)

    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FilesUnavailable, match="No space left"):
        await store.put(KEY, once())

    assert not [each async for each in store.files()]
    assert not list((tmp_path / "parts").iterdir())
    await store.close()
