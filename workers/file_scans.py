"""Scans: each file that waits is shown to the scanner, and what that says is recorded.

One worker scans at a time. Should two do, because one is slow to notice that it lost its turn, a
file is scanned twice and the second verdict changes nothing. The cursor moves only while nothing is
waiting, so that a worker that starts again finds whatever another one had in progress.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct

from commands.base import Context
from commands.work.attachment import NoteScan
from domain.base import AttachmentId, DomainError, OrgId
from domain.catalog import tag_of
from domain.identity.organization.forked import OrganizationForked
from domain.work.attachment import Attachment, AttachmentUploaded, ScanState
from eventstore.append import ConcurrencyConflict
from eventstore.operations.crew import new_member
from eventstore.operations.records import LogCursor
from eventstore.recorded import Actor, ActorKind, Row, is_copy
from files.open import open_files
from files.scanner import ScanFailed, Scanner, ScanVerdict, scanner_of
from files.store import FileKey, FileMissing, FileStore, FilesUnavailable
from runtime.log_reader import LogReader
from runtime.outages import StoreOutage
from runtime.system import System

AT_ONCE = 4
"""Files that are scanned at the same time."""
SCANS_LEASE_S = 30.0
_LEASE = "file scans"
_SWEEP_S = 1.0
_PAUSE_S, _PAUSE_S_MAX = 2.0, 300.0
_UPLOADED, _FORKED = tag_of(AttachmentUploaded), tag_of(OrganizationForked)
_TAGS = (_UPLOADED, _FORKED)
_ROWS = 500
_logger = logging.getLogger(__name__)


class _Uploaded(NamedTuple):
    """Which file waits, and the event that brought it."""

    org_id: OrgId
    attachment_id: UUID
    event_id: UUID


class _Waiting(Struct):
    """How often a scan failed, and when it is tried again (of the event loop's clock)."""

    tries: int = 0
    due_s: float = 0.0


async def scan_files(system: System) -> None:
    """Scan until cancelled, if there is a scanner."""
    hook = system.settings.scan_hook
    if not hook:
        return
    files = open_files(system.settings)
    try:
        await FileScans(system, files, scanner_of(hook)).run()
    finally:
        await files.close()


class FileScans:
    """Scans the files of every attachment that is PENDING."""

    def __init__(self, system: System, files: FileStore, scanner: Scanner) -> None:
        self._system, self._files, self._scanner = system, files, scanner
        self._worker = new_member()
        self._reader = LogReader(system, "file scans", _TAGS)
        self._waiting: dict[_Uploaded, _Waiting] = {}
        self._ends: dict[int, LogCursor] = {}

    async def run(self) -> None:
        """Scan until cancelled."""
        wait = self._system.wakeups.listener()
        while True:
            try:
                if await self._take_lease():
                    async with self._renewing():
                        await self.scan_due()
                else:
                    self._forget()
            except StoreOutage as error:
                _logger.warning("scans of files wait: %s", error)
                self._forget()
                await asyncio.sleep(_SWEEP_S)
            await wait(_SWEEP_S)

    async def _take_lease(self) -> bool:
        return await self._system.operations.take_lease(_LEASE, self._worker, SCANS_LEASE_S)

    @asynccontextmanager
    async def _renewing(self) -> AsyncGenerator[None]:
        """Keep the lease for as long as the block lasts: the scan of a large file takes minutes."""
        renewing = asyncio.create_task(self._renew())
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.wait([renewing])

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(SCANS_LEASE_S / 3)
            try:
                await self._take_lease()
            except StoreOutage as error:  # what is recorded then shows whether it lasts
                _logger.warning("the lease on scans is not renewed: %s", error)

    async def scan_due(self) -> None:
        """Scan every file that is due now.

        :raises LogUnavailable: nothing can be read or recorded; nothing is forgotten.
        """
        async for found in self._reader.new():
            for row in found.rows:
                for each in await self._uploads(row, found.part):
                    uploaded = _Uploaded(each.org_id, each.stream_id, each.id)
                    self._waiting.setdefault(uploaded, _Waiting())
            self._ends[found.part] = found.end
        now_s = asyncio.get_running_loop().time()
        due = [each for each, waiting in self._waiting.items() if waiting.due_s <= now_s]
        for first in range(0, len(due), AT_ONCE):
            some = (self._scan(each) for each in due[first : first + AT_ONCE])
            for failure in await asyncio.gather(*some, return_exceptions=True):
                if failure is not None:
                    raise failure
        if not self._waiting:
            for end in self._ends.values():
                await self._system.operations.keep_mails(end, [])
            self._ends.clear()

    async def _uploads(self, row: Row, part: int) -> list[Row]:
        """Return the uploads that *row* tells of.

        What was copied into a fork has its file, and may be looked at, once the fork is whole.
        """
        if row.tag != _FORKED:
            return [] if is_copy(row) else [row]
        log, found, after = self._system.log, list[Row](), 0
        while rows := await log.tail_rows(after, _ROWS, (_UPLOADED,), part):
            found += [each for each in rows if each.org_id == row.org_id]
            after = rows[-1].position
        return found

    def _forget(self) -> None:
        """Begin again at the cursor: another worker scans, or the log may have been set back."""
        self._reader.doubt()
        self._waiting.clear()
        self._ends.clear()

    async def _scan(self, uploaded: _Uploaded) -> None:
        """Scan one file; one that cannot be scanned now waits longer each time."""
        try:
            verdict = await self._verdict(uploaded)
            if verdict is not None:
                await self._note(uploaded, verdict)
        except (ScanFailed, FilesUnavailable, ConcurrencyConflict) as error:
            waiting = self._waiting[uploaded]
            pause_s = min(_PAUSE_S * 2**waiting.tries, _PAUSE_S_MAX)
            waiting.tries += 1
            waiting.due_s = asyncio.get_running_loop().time() + pause_s
            _logger.warning("the scan of %s waits: %s", uploaded.attachment_id, error)
        else:
            del self._waiting[uploaded]

    async def _verdict(self, uploaded: _Uploaded) -> ScanVerdict | None:
        """Return what the scanner says, None if nobody waits for that."""
        states = self._system.commands.states
        attachment = await states.fresh(Attachment, uploaded.attachment_id, uploaded.org_id)
        if attachment.state is not ScanState.PENDING:
            return None
        key = FileKey(uploaded.org_id, uploaded.attachment_id)
        try:
            return await self._scanner.scan(self._files.read(key, 0, attachment.size))
        except FileMissing:
            _logger.error("the file of attachment %s is missing", uploaded.attachment_id)  # noqa: TRY400 - its trace says nothing more
            return None

    async def _note(self, uploaded: _Uploaded, verdict: ScanVerdict) -> None:
        state = ScanState.CLEAN if verdict.clean else ScanState.INFECTED
        command = NoteScan(
            attachment_id=AttachmentId(uploaded.attachment_id),
            state=state,
            found=verdict.found or None,
        )
        context = Context(
            actor=Actor(ActorKind.SYSTEM, uploaded.org_id),
            now=self._system.clock(),
            org_id=uploaded.org_id,
            causation_id=uploaded.event_id,
        )
        try:
            await self._system.commands.handle(command, context)
        except DomainError as refused:
            _logger.info("the verdict on %s is not needed: %s", uploaded.attachment_id, refused)
