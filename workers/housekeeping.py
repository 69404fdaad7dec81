"""Scheduled jobs: rows next to the log that any worker can pick up."""

import asyncio
import logging
from datetime import timedelta

from eventstore.operations.records import Job
from eventstore.operations.store import OperationsUnavailable
from runtime.system import System

KEPT = timedelta(days=30)
"""How long attempts and ended deliveries are kept."""

PRUNE = "prune deliveries"
_PRUNE_EVERY = timedelta(hours=24)
_PRUNE_ROWS = 200
"""Removed per transaction, which takes some milliseconds and blocks other writers."""

_PRUNE_PAUSE_S = 0.05
_JOB_LEASE_S = 60.0
_SWEEP_S = 1.0
_logger = logging.getLogger(__name__)


async def run_jobs_until_cancelled(system: System, worker: str) -> None:
    """Run due jobs, again and again, until cancelled."""
    known = False
    while True:
        try:
            if not known:
                await system.operations.keep_job(Job(id=PRUNE, due_at=system.clock()))
                known = True
            await run_due(system, worker)
        except OperationsUnavailable as error:
            _logger.warning("due jobs wait: %s", error)
            known = False
        await asyncio.sleep(_SWEEP_S)


async def run_due(system: System, worker: str) -> None:
    """Run every job that is due and that no other worker is running."""
    store = system.operations
    while (job := await store.take_job(worker, _JOB_LEASE_S, system.clock())) is not None:
        if job.id != PRUNE:
            _logger.warning("dropped the job %r, which this version does not know", job.id)
            await store.end_job(job, None)
            continue
        removed = await prune(system)
        _logger.info("removed %d old deliveries and attempts", removed)
        await store.end_job(job, system.clock() + _PRUNE_EVERY)


async def prune(system: System) -> int:
    """Remove attempts and ended deliveries older than ``KEPT``; return how many of both."""
    before, total = system.clock() - KEPT, 0
    while removed := await system.operations.prune(before, _PRUNE_ROWS):
        total += removed
        await asyncio.sleep(_PRUNE_PAUSE_S)
    return total
