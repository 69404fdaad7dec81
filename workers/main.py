"""The worker process: the delivery engine, and arq next to it.

Neither needs the other. While Redis is down, arq is restarted again and again, and deliveries
continue.
"""

import asyncio
import logging

from arq import ArqRedis, Worker
from redis.exceptions import RedisError

from eventstore.counters import REDIS_DRIVER, counters_of
from eventstore.operations.crew import Owns, crew_joined
from files.open import open_files
from runtime.doorbell import hang_up, open_queue
from runtime.ending import end
from runtime.outages import StoreOutage
from runtime.settings import Settings
from runtime.system import System, open_system
from workers.consequences.erasing import Erasing
from workers.consequences.leaving import Leaving
from workers.consequences.losing_sight import LosingSight
from workers.consequences.purging import Purging
from workers.deliveries import Deliveries
from workers.errands import do_errands_until_cancelled
from workers.file_scans import scan_files
from workers.jobs import make_worker
from workers.mailing import Mailing
from workers.projecting import watch
from workers.rings import Rings
from workers.standstill import while_writable

RESTART_S = 1.0
RESTART_S_MAX = 30.0
WORKER_CREW = "workers"
"""The crew of the processes that do what this one does."""

STEADY_S = 60.0
"""An arq that ran this long failed for a new reason, so the pauses start over."""

_logger = logging.getLogger(__name__)


async def run_worker(settings: Settings) -> None:
    """Deliver webhooks and run jobs until cancelled, then finish the requests in progress."""
    async with open_system(settings) as system, asyncio.TaskGroup() as group:
        group.create_task(work(system), name="work")
        group.create_task(watch(system), name="watch")


async def work(system: System) -> None:
    """Deliver webhooks and run jobs while the log may be written, until cancelled."""
    await while_writable(system, lambda: _work(system))


async def _work(system: System) -> None:
    rings = Rings()
    async with crew_joined(system.operations, WORKER_CREW) as crew, asyncio.TaskGroup() as tasks:
        owns = crew.owns
        tasks.create_task(_deliver(system, rings, owns), name="deliver webhooks")
        tasks.create_task(Mailing(system, owns=owns).run(), name="send mails")
        tasks.create_task(do_errands_until_cancelled(system), name="do errands")
        tasks.create_task(Leaving(system, owns=owns).run(), name="act on who left")
        tasks.create_task(Erasing(system, owns=owns).run(), name="erase who asked for it")
        tasks.create_task(scan_files(system), name="scan files")
        tasks.create_task(_purge(system, owns), name="finish what is purged")
        tasks.create_task(LosingSight(system, owns=owns).run(), name="act on who lost sight")
        if system.settings.redis_url:
            tasks.create_task(_keep_jobs_running(system, rings), name="run jobs")


async def _purge(system: System, owns: Owns) -> None:
    files = open_files(system.settings)
    try:
        await Purging(system, files, owns=owns).run()
    finally:
        await files.close()


async def _keep_jobs_running(system: System, rings: Rings) -> None:
    running = asyncio.create_task(run_jobs(system, rings))
    try:
        await asyncio.shield(running)
    finally:
        await end(running)


async def _deliver(system: System, rings: Rings, owns: Owns) -> None:
    while True:
        try:
            await Deliveries(system, rings=rings, owns=owns).run()
        except StoreOutage as error:
            _logger.warning("restarting deliveries: %s", error)
        await asyncio.sleep(RESTART_S)


async def run_jobs(system: System, rings: Rings, pause_s: float = RESTART_S) -> None:
    """Run arq until cancelled, and restart it after Redis was down."""
    loop = asyncio.get_running_loop()
    first_pause_s = pause_s
    while True:
        began = loop.time()
        try:
            await _run(system, rings)
        except (RedisError, OSError) as error:
            if loop.time() - began > STEADY_S:
                pause_s = first_pause_s
            _logger.warning("jobs are unavailable, next attempt in %.0f s: %s", pause_s, error)
            counters_of(REDIS_DRIVER).retried()
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, RESTART_S_MAX)


async def _run(system: System, rings: Rings) -> None:
    queue = await open_queue(
        system.settings.redis_url, system.settings.redis_deadline.total_seconds()
    )
    worker = make_worker(system, rings, queue)
    try:
        # Not arq's own async_run: its task would continue after we are cancelled.
        await worker.main()
    finally:
        await _close(worker, queue)


async def _close(worker: Worker, queue: ArqRedis) -> None:
    # Not arq's own close, which calls deprecated functions of redis-py.
    for job in worker.tasks.values():
        job.cancel()
    await asyncio.gather(*worker.tasks.values(), return_exceptions=True)
    await hang_up(queue)
