"""Files wait for the scanner, which is asked until it says something; orphans are swept."""

import asyncio
import logging
import shlex
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from domain.base import OrgId
from files.directory import DirectoryFiles
from files.scanner import ScanFailed, Scanner, ScanVerdict, scanner_of
from files.store import FileKey
from runtime.system import System
from tests.api.conftest import Make
from tests.api.stage import MovableClock, Person, client_of, done, refused, stored_events
from tests.files import scan
from workers import file_scans
from workers.file_scans import FileScans, scan_files
from workers.file_sweep import ORPHAN_GRACE, sweep

HOOK = shlex.join([sys.executable, str(Path(scan.__file__))])
FILES = "/task/ENG-1/attachments"


class Obstinate:
    """A scanner that fails as often as it is told to, and notes what it is asked."""

    def __init__(self, fails: int) -> None:
        self.fails, self.asked = fails, 0

    async def scan(self, content: AsyncIterator[bytes]) -> ScanVerdict:
        self.asked += 1
        assert b"".join([piece async for piece in content])
        if self.asked <= self.fails:
            raise ScanFailed("not now")
        return ScanVerdict(clean=True)


@pytest.fixture
async def eve(make_app: Make, ana: Person) -> AsyncIterator[Person]:
    """Give a person whose files are scanned, with a task."""
    await ana.task(await ana.project())
    profile = {"id": ana.id, "organizationId": ana.org_id}
    eve = Person(client_of(make_app(scan_hook=HOOK)), ana.email, profile, ana.token)
    yield eve
    await eve.client.aclose()


@pytest.fixture
async def files(system: System) -> AsyncIterator[DirectoryFiles]:
    files = DirectoryFiles(system.settings.data_dir / "files")
    yield files
    await files.close()


async def state_of(person: Person, file: Any) -> str:
    return str(done(await person.get(f"{FILES}/{file['id']}"), 200)["state"])


async def test_a_harmful_file_is_found_and_never_given_out(
    eve: Person, system: System, files: DirectoryFiles
) -> None:
    good, bad = await eve.file("ENG-1", b"good"), await eve.file("ENG-1", scan.EICAR)
    for file in (good, bad):
        refused(await eve.get(f"{FILES}/{file['id']}/content"), 409, "scan_pending")

    await FileScans(system, files, scanner_of(HOOK)).scan_due()

    assert (await state_of(eve, good), await state_of(eve, bad)) == ("CLEAN", "INFECTED")
    assert (await eve.get(f"{FILES}/{good['id']}/content")).content == b"good"
    for part in ("content", "link"):
        refused(await eve.get(f"{FILES}/{bad['id']}/{part}"), 409, "file_infected")
    done(await eve.delete(f"{FILES}/{bad['id']}"), 204)


async def test_a_scan_that_fails_is_tried_again_and_outlives_its_worker(
    eve: Person, system: System, files: DirectoryFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_scans, "_PAUSE_S", 0.0)
    file = await eve.file("ENG-1")
    failing = Obstinate(fails=1_000)
    first = FileScans(system, files, failing)
    for _ in range(2):
        await first.scan_due()
    assert failing.asked >= 2
    assert await state_of(eve, file) == "PENDING"

    await FileScans(system, files, Obstinate(fails=0)).scan_due()

    assert await state_of(eve, file) == "CLEAN"
    tags = await stored_events(system, file["id"])
    assert tags == ["attachment.uploaded", "attachment.scanned"]


async def test_two_workers_give_one_verdict(
    eve: Person, system: System, files: DirectoryFiles
) -> None:
    file = await eve.file("ENG-1")
    scanners: list[Scanner] = [Obstinate(fails=0), Obstinate(fails=0)]

    await asyncio.gather(*(FileScans(system, files, each).scan_due() for each in scanners))

    assert len(await stored_events(system, file["id"])) == 2


class Slow:
    """A scanner that takes until it is told to end."""

    def __init__(self) -> None:
        self.begun, self.ends = asyncio.Event(), asyncio.Event()

    async def scan(self, content: AsyncIterator[bytes]) -> ScanVerdict:
        assert b"".join([piece async for piece in content])
        self.begun.set()
        await self.ends.wait()
        return ScanVerdict(clean=True)


async def test_no_other_worker_scans_while_a_scan_takes_long(
    eve: Person, system: System, files: DirectoryFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_scans, "SCANS_LEASE_S", 1.0)
    file, slow = await eve.file("ENG-1"), Slow()
    running = asyncio.create_task(FileScans(system, files, slow).run())
    try:
        async with asyncio.timeout(20):
            await slow.begun.wait()
            began = asyncio.get_running_loop().time()
            while asyncio.get_running_loop().time() < began + 3 * file_scans.SCANS_LEASE_S:
                assert not await system.operations.take_lease("file scans", "another", 1.0)
                await asyncio.sleep(0.02)
            slow.ends.set()
            while await state_of(eve, file) == "PENDING":  # noqa: ASYNC110 - polls the API
                await asyncio.sleep(0.02)
    finally:
        running.cancel()
        await asyncio.wait([running])


async def test_files_are_scanned_in_the_background(eve: Person, system: System) -> None:
    file = await eve.file("ENG-1")
    scanned = replace(system, settings=replace(system.settings, scan_hook=HOOK))
    running = asyncio.create_task(scan_files(scanned))
    try:
        async with asyncio.timeout(20):
            while await state_of(eve, file) == "PENDING":  # noqa: ASYNC110 - polls the API
                await asyncio.sleep(0.05)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    await scan_files(system)  # ends at once: there is no scanner


async def test_files_without_an_event_are_swept_after_a_grace(
    eve: Person,
    system: System,
    files: DirectoryFiles,
    clock: MovableClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    file = await eve.file("ENG-1")
    done(await eve.delete(f"{FILES}/{file['id']}"), 204)
    orphan = FileKey(OrgId(UUID(eve.org_id)), uuid4())

    async def once() -> AsyncIterator[bytes]:
        yield b"one"

    await files.put(orphan, once())
    caplog.set_level(logging.ERROR)

    await sweep(system, files)
    assert await files.size(orphan) == 3

    clock.ahead = ORPHAN_GRACE + timedelta(minutes=1)
    await sweep(system, files)
    left = {each.key.file_id async for each in files.files()}

    assert UUID(file["id"]) in left, "a file in the trash can be restored"
    assert orphan.file_id not in left
