"""The jobs that arq runs to wake up the delivery engine.

Redis may lose any of them. What must be done is stored in rows next to the log and found by polling
within a second; a job only says which organization to look at now.
"""

from typing import Any
from uuid import UUID

from arq import ArqRedis, Worker
from arq.worker import func

from runtime.doorbell import DELIVER, QUEUE, job_bytes, job_of_bytes
from runtime.system import System
from workers.rings import Rings

_JOB_TIMEOUT_S = 20
_POLL_S = 2.0
"""How often arq polls for jobs: each second everything is looked at anyway, and wake-ups are sent
besides. Nothing that a worker does while nothing happens costs as much as a poll."""

_HEALTH_CHECK_S = 10

_Context = dict[str, Any]


async def ring_for(ctx: _Context, org_id: str) -> None:
    """Wake up whichever worker serves the organization's endpoints."""
    system: System = ctx["system"]
    rings: Rings = ctx["rings"]
    rings.ring(UUID(org_id))
    system.wakeups.ring()
    await system.wakeups.pass_on()


def make_worker(system: System, rings: Rings, queue: ArqRedis, *, burst: bool = False) -> Worker:
    """Return an arq worker; with *burst* it stops when no job is left.

    Results are not kept, because a kept result blocks the next job with the same id.
    """
    return Worker(
        functions=[func(ring_for, name=DELIVER)],
        redis_pool=queue,
        queue_name=QUEUE,
        ctx={"system": system, "rings": rings},
        burst=burst,
        handle_signals=False,
        job_timeout=_JOB_TIMEOUT_S,
        keep_result=0,
        poll_delay=_POLL_S,
        health_check_interval=_HEALTH_CHECK_S,
        job_serializer=job_bytes,
        job_deserializer=job_of_bytes,
    )
