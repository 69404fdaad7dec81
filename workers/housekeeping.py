"""Scheduled jobs: rows next to the log that any worker can pick up."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from commands.identity.session_use import LAST_USE
from commands.identity.token_use import GENERATION_SEEN
from commands.stored_replies import kept_since
from domain.base import PLATFORM, NotFound
from domain.identity.session.state import Session
from eventstore.append import ConcurrencyConflict, Secret
from eventstore.mode import LogClosed
from eventstore.operations.records import Job
from eventstore.operations.store import OperationsUnavailable
from eventstore.operations.ticks import tick
from eventstore.store import Wrapped
from files.store import FilesUnavailable
from mail.digest_due import note_due_digests
from projections.engine.store import Rebuilding
from runtime.outages import StoreOutage
from runtime.system import System
from workers.consequences.expiring import purge_expired
from workers.consequences.repeating import repeat_due_tasks
from workers.file_sweep import sweep_files

KEPT = timedelta(days=30)
"""How long attempts and ended deliveries are kept."""

PRUNE = "prune deliveries"
DROP_REPLIES = "drop replies"
PRUNE_SESSIONS = "prune sessions"
_OF_SESSIONS = (LAST_USE, GENERATION_SEEN)
"""The names of what is kept for each session."""

SWEEP_FILES = "sweep files"
NOTE_DIGESTS = "note due digests"
PURGE = "purge the trash"
REPEAT = "repeat tasks"
_PRUNE_ROWS = 50
"""Removed per transaction, which takes some milliseconds and blocks other writers."""

_PRUNE_PAUSE_S = 0.05
_JOB_LEASE_S = 60.0
_SWEEP_S = 1.0
_OUTAGES = (
    *StoreOutage,
    OperationsUnavailable,
    LogClosed,
    FilesUnavailable,
    Rebuilding,
    ConcurrencyConflict,
)
_logger = logging.getLogger(__name__)


class JobKind(NamedTuple):
    """What a job does; it returns how many rows it removed or emptied."""

    run: Callable[[System], Awaitable[int]]
    every: timedelta


async def run_jobs_until_cancelled(system: System, worker: str) -> None:
    """Run due jobs, again and again, until cancelled."""
    known = False
    while True:
        try:
            if not known:
                for job_id in JOB_KINDS:
                    await system.operations.keep_job(Job(id=job_id, due_at=system.clock()))
                known = True
            await run_due(system, worker)
        except _OUTAGES as error:
            _logger.warning("due jobs wait: %s", error)
            known = False
        await tick(_SWEEP_S)


async def run_due(system: System, worker: str) -> None:
    """Run every job that is due and that no other worker is running."""
    store = system.operations
    while (job := await store.take_job(worker, _JOB_LEASE_S, system.clock())) is not None:
        kind = JOB_KINDS.get(job.id)
        if kind is None:
            _logger.warning("dropped the job %r, which this version does not know", job.id)
            await store.end_job(job, None)
            continue
        began = system.clock()
        due_at = job.due_at  # again at once, unless it is done
        try:
            if removed := await kind.run(system):
                _logger.info("%s: %d rows", job.id, removed)
            due_at = began + kind.every
        finally:
            await store.end_job(job, due_at)


async def prune(system: System) -> int:
    """Remove attempts and ended deliveries older than ``KEPT``; return how many of both."""
    before, total = system.clock() - KEPT, 0
    while removed := await system.operations.prune(before, _PRUNE_ROWS):
        total += removed
        await asyncio.sleep(_PRUNE_PAUSE_S)
    return total


async def drop_replies(system: System) -> int:
    """Empty stored replies that are not repeated any more; return how many."""
    kept, total = kept_since(system.clock()), 0
    for part in range(system.log.parts):
        while dropped := await system.log.drop_replies(kept, _PRUNE_ROWS, part):
            total += dropped
            await asyncio.sleep(_PRUNE_PAUSE_S)
    return total


async def prune_sessions(system: System) -> int:
    """Remove what is kept beside the log for sessions that are over; return how many values."""
    part, total = system.log.part(PLATFORM), 0
    after: Wrapped | None = None
    while found := await system.log.wrapped(after, _PRUNE_ROWS, part):
        for one in found:
            if one.name in _OF_SESSIONS and await _is_over(system, one.owner):
                await system.log.put_secret(Secret(one.owner, one.name, None), PLATFORM)
                total += 1
        after = found[-1]
        await asyncio.sleep(_PRUNE_PAUSE_S)
    return total


async def _is_over(system: System, session_id: UUID) -> bool:
    try:
        session = await system.commands.states.fresh(Session, session_id)
    except NotFound:
        return True
    return not session.is_live(system.clock())


JOB_KINDS = {
    PRUNE: JobKind(prune, timedelta(hours=24)),
    DROP_REPLIES: JobKind(drop_replies, timedelta(minutes=1)),
    PRUNE_SESSIONS: JobKind(prune_sessions, timedelta(hours=24)),
    SWEEP_FILES: JobKind(sweep_files, timedelta(hours=6)),
    NOTE_DIGESTS: JobKind(note_due_digests, timedelta(minutes=5)),
    PURGE: JobKind(purge_expired, timedelta(hours=1)),
    REPEAT: JobKind(repeat_due_tasks, timedelta(seconds=5)),
}
"""The jobs that a worker knows, and how often each is due."""
