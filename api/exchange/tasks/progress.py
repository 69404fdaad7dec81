"""How far an import is: kept beside the log, so that every process of the API can tell."""

import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct

from api.exchange.tasks.import_lease import ImportLease
from api.exchange.tasks.run import Item
from eventstore.operations.records import ImportProgress, ImportState
from runtime.system import System

LINES_SHOWN_MAX = 1_000
"""Refused lines that an import shows; a dry run tells of every one."""
IMPORTS_KEPT = timedelta(days=7)
"""How long one can ask about an import."""
IMPORT_SILENT_MAX = timedelta(minutes=1)
"""An import that tells nothing for so long ended with its process, and no other goes on with it."""
_WRITTEN_EACH_S = 1.0
INTERRUPTED = "interrupted"
"""Why an import stopped whose process ended."""


class RefusedLine(Struct, frozen=True):
    """A line that was not imported, and why."""

    line: int
    code: str


class ImportView(Struct, frozen=True, kw_only=True, rename="camel"):
    """How far an import is: ``done`` of ``all`` lines.

    ``code`` says why one is STOPPED: send the file again, what is imported is left alone. Of more
    than 1,000 refused lines the first are shown.
    """

    import_id: str
    correlation_id: str
    project_id: str
    state: ImportState
    done: int
    all: int
    created: int
    updated: int
    unchanged: int
    refused: list[RefusedLine]
    code: str | None
    started_at: datetime
    updated_at: datetime


def render_import(progress: ImportProgress, now: datetime) -> ImportView:
    """Return what is shown of an import at the time *now*."""
    state, code = progress.state, progress.code
    if state is ImportState.RUNNING and now - progress.updated_at > IMPORT_SILENT_MAX:
        state, code = ImportState.STOPPED, INTERRUPTED
    return ImportView(
        import_id=progress.id,
        correlation_id=progress.correlation_id,
        project_id=progress.project,
        state=state,
        done=done_of(progress),
        all=progress.lines,
        created=progress.created,
        updated=progress.updated,
        unchanged=progress.unchanged,
        refused=[RefusedLine(int(line), code) for line, code in progress.refusals.items()],
        code=code,
        started_at=progress.started_at,
        updated_at=progress.updated_at,
    )


class ImportJournal:
    """Keeps the progress of one import, about once a second.

    One that goes on reads its file from the beginning, and what was told of it stays until it is
    as far as that again.
    """

    def __init__(
        self,
        system: System,
        progress: ImportProgress,
        lease: ImportLease,
        told: ImportProgress | None = None,
    ) -> None:
        """*told* is how far it was before it went on."""
        self._system, self.progress = system, progress
        self._lease, self._told = lease, told
        self._written = 0.0

    async def add(self, items: Iterable[Item]) -> None:
        """Count what has become of some lines.

        :raises ImportLost: another process runs this import by now.
        """
        progress = self.progress
        for item in items:
            outcome = item["outcome"]
            setattr(progress, outcome, getattr(progress, outcome) + 1)
            if outcome == "refused" and len(progress.refusals) < LINES_SHOWN_MAX:
                progress.refusals[str(item["line"])] = item["code"]
        if time.monotonic() - self._written >= _WRITTEN_EACH_S:
            await self._keep()

    async def end(self, code: str | None = None) -> None:
        """Tell that every line was read or, with *code*, why not.

        :raises ImportLost: another process runs this import by now.
        """
        self.progress.state = ImportState.DONE if code is None else ImportState.STOPPED
        self.progress.code, self._told = code, None
        await self._lease.leave(self._to_tell())

    async def pause(self) -> None:
        """Tell how far it is, and leave it to another process.

        :raises ImportLost: one has it already.
        """
        await self._lease.leave(self._to_tell())

    async def _keep(self) -> None:
        await self._lease.renew()
        await self._system.operations.keep_import(self._to_tell())
        self._written = time.monotonic()

    def _to_tell(self) -> ImportProgress:
        if self._told is not None and done_of(self._told) <= done_of(self.progress):
            self._told = None
        kept = self.progress if self._told is None else self._told
        kept.updated_at = self._system.clock()
        return kept


def done_of(progress: ImportProgress) -> int:
    """Return how many lines of an import have become something, or were refused."""
    return progress.created + progress.updated + progress.unchanged + progress.refused
