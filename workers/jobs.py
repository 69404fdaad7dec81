"""The doorbell's other end: jobs that arq runs.

Redis may lose any of them. What is to be done stands in rows beside the log, and a sweep finds it
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
_POLL_S = 0.05
"""arq looks for jobs this often; its default of 0.5 s is also how long each of them would wait."""

_HEALTH_CHECK_S = 10

_Context = dict[str, Any]


async def ring_for(ctx: _Context, org_id: str) -> None:
    """Have the deliveries of an organization looked at, by whichever worker holds its endpoints."""
    system: System = ctx["system"]
    rings: Rings = ctx["rings"]
    rings.ring(UUID(org_id))
    await system.wakeups.pass_on()


def make_worker(system: System, rings: Rings, queue: ArqRedis, *, burst: bool = False) -> Worker:
    """Return an arq worker; with *burst* it ends when no job is left.

    Results are not kept, as a kept result blocks the next job of the same id.
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
