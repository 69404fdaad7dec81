"""Whatever is killed, again and again under load: nothing is lost, and nothing happens twice.

KILL_LOOP_S sets for how long each stack is tried; a night's worth takes ``KILL_LOOP_S=1800``.
"""

import asyncio
import contextlib
import os
import random
import time
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from tests.acceptance.customers import Customer
from tests.acceptance.deployment import Deployment, deployment
from tests.acceptance.killing.aftermath import check_aftermath
from tests.acceptance.killing.planners import Planner
from tests.acceptance.system import POLL_S, RESTART_S, System, system
from tests.deliveries.receiver import Receiver, Reply

SECONDS = float(os.environ.get("KILL_LOOP_S", "20"))
CUSTOMERS, PLANNERS = 3, 2
PARTITIONS = 8
CLIENTS_EACH = 2
PAUSE_S = (0.3, 1.5)
"""Between the return of one victim and the death of the next."""

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(SECONDS + 300)]


@pytest.fixture(params=["embedded", "servers"])
def stack(request: pytest.FixtureRequest) -> Iterator[System | Deployment]:
    if request.param == "servers":
        request.applymarker(pytest.mark.needs("postgresql"))
        with deployment(partitions=PARTITIONS) as deployed:
            yield deployed
    else:
        with system(partitions=PARTITIONS) as embedded:
            yield embedded


async def test_whatever_is_killed_again_and_again_nothing_is_lost_and_nothing_happens_twice(
    stack: System | Deployment,
) -> None:
    async with Receiver() as receiver:
        receiver.answer_with(Reply(delay_s=0.01))
        customers = [Customer(stack, receiver) for _ in range(CUSTOMERS)]
        customers += [Planner(stack, receiver) for _ in range(PLANNERS)]
        await asyncio.gather(*(customer.arrive() for customer in customers))

        kills = await _kill_while_they_work(stack, customers)

        await check_aftermath(stack, customers, receiver)
    assert set(kills) == set(stack.victims)


async def _kill_while_they_work(
    stack: System | Deployment, customers: list[Customer]
) -> Counter[str]:
    """Kill one victim after the other while the customers work; return how often each died."""
    kills, ended = Counter[str](), False
    rng = random.Random(SECONDS)  # noqa: S311  no secret, and the same order every time
    async with asyncio.TaskGroup() as group:
        for customer in customers * CLIENTS_EACH:
            group.create_task(customer.work(lambda: ended))
        began = time.monotonic()
        while time.monotonic() - began < SECONDS or set(kills) != set(stack.victims):
            for victim in rng.sample(stack.victims, len(stack.victims)):
                await asyncio.sleep(rng.uniform(*PAUSE_S))
                await stack.kill(victim)
                kills[victim] += 1
                if victim == "serve":
                    await until_it_answers(stack)
        ended = True
    return kills


async def until_it_answers(stack: System | Deployment) -> None:
    """Wait until the API is there again.

    Requests wait in the queue of the kernel meanwhile. On a busy machine a start takes longer than
    the pauses between two deaths, so that without this none might ever be answered.
    """
    deadline = time.monotonic() + RESTART_S
    async with stack.http() as http:
        while True:
            with contextlib.suppress(httpx.TransportError):
                if (await http.get("/health")).is_success:
                    return
            assert time.monotonic() < deadline, "the API does not answer again"
            await asyncio.sleep(POLL_S)
