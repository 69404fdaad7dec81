"""How long after an event is its webhook sent, with 1,000 endpoints and 50 events a second?

The log is in PostgreSQL, and one worker serves the endpoints of 1,000 organizations. Events come
at a fixed rate, each in another organization, whatever the worker does; one endpoint gets each.
The last time, other programs kept the machine busy, so this one was run with ``chrt -r 5``, which
gives it the cores first.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from statistics import quantiles
from uuid import uuid4

import uvloop

from benchmarks.harness.figures import Figure
from benchmarks.harness.processes import WORKER, Stack, cpu_clock, cpu_seconds, stack
from benchmarks.harness.receiver import WebhookReceiver, webhook_of_tasks
from benchmarks.harness.seeding import Office
from benchmarks.harness.workplace import workplace
from devstack.port import HOST
from domain.base import WebhookId
from runtime.settings import load_settings
from runtime.system import System, open_system

ENDPOINTS = 1_000
PER_SECOND = 50
ROUND_S = 10
ROUNDS = 3
TOGETHER = 32
PATIENCE_S = 120.0
P99_MAX_MS = 150.0


def measure() -> list[Figure]:
    """Return milliseconds from the moment an event was recorded until its POST arrived."""
    with workplace() as directory, stack(directory, postgresql=1) as processes:
        return uvloop.run(_measure(processes))


async def _measure(processes: Stack) -> list[Figure]:
    receiver = WebhookReceiver()
    server = await asyncio.start_server(receiver.receive, HOST, 0)
    port = server.sockets[0].getsockname()[1]
    settings = load_settings(processes.environment)
    async with open_system(settings) as system:
        offices = await _furnished(system, port)
        worker = cpu_clock(processes.start(WORKER))
        await _warm_up(offices, receiver)
        order = random.Random(1)
        rounds: list[list[float]] = []
        cpu: list[float] = []
        for _ in range(ROUNDS):
            used = cpu_seconds(worker)
            rounds.append(await _round(order.sample(offices, PER_SECOND * ROUND_S), receiver))
            cpu.append((cpu_seconds(worker) - used) / ROUND_S * 100)
    server.close()
    return [
        Figure(
            what="p99, from the recorded event to the webhook's POST",
            unit="ms",
            rounds=[quantiles(times, n=100)[-1] for times in rounds],
            target=P99_MAX_MS,
            at_least=False,
        ),
        Figure(what="p50", unit="ms", rounds=[quantiles(times, n=2)[0] for times in rounds]),
        Figure(what="CPU of the worker", unit="% of a core", rounds=cpu),
    ]


async def _furnished(system: System, port: int) -> list[Office]:
    """Found an organization with a project and a webhook for each endpoint."""
    offices = [Office(system.log) for _ in range(ENDPOINTS)]
    waiting = iter(offices)

    async def furnish() -> None:
        for office in waiting:
            await office.furnish()
            url = f"http://{HOST}:{port}/{office.org_id}"
            await office.do(webhook_of_tasks(WebhookId(uuid4()), url, system.keys.master))

    await asyncio.gather(*(furnish() for _ in range(TOGETHER)))
    return offices


async def _warm_up(offices: Sequence[Office], receiver: WebhookReceiver) -> None:
    """Return once every endpoint has received something."""
    waiting = iter(offices)

    async def work() -> None:
        for office in waiting:
            await _sent(office, receiver)

    await asyncio.gather(*(work() for _ in range(TOGETHER)))


async def _round(offices: Sequence[Office], receiver: WebhookReceiver) -> list[float]:
    """Record an event in each of *offices*, at the fixed rate; return how long the POSTs took."""
    began = time.perf_counter()
    sending: list[asyncio.Task[float]] = []
    for number, office in enumerate(offices):
        await asyncio.sleep(began + number / PER_SECOND - time.perf_counter())
        sending.append(asyncio.create_task(_sent(office, receiver)))
    return [took * 1000 for took in await asyncio.gather(*sending)]


async def _sent(office: Office, receiver: WebhookReceiver) -> float:
    """Record an event; return after how many seconds its POST arrived."""
    arrival = receiver.expect(str(office.org_id))
    await office.add_task(1)
    recorded = time.perf_counter()
    return max(await asyncio.wait_for(arrival, PATIENCE_S) - recorded, 0.0)
