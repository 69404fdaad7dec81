"""Whatever is killed, again and again under load: nothing is lost, and nothing happens twice.

KILL_LOOP_S sets for how long each stack is tried; a night's worth takes ``KILL_LOOP_S=1800``.
"""

import asyncio
import contextlib
import json
import os
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, cast

import httpx
import pytest

from tests.acceptance.customers import Customer
from tests.acceptance.deployment import Deployment, deployment
from tests.acceptance.system import POLL_S, RESTART_S, System, system
from tests.deliveries.receiver import Receiver, Reply

SECONDS = float(os.environ.get("KILL_LOOP_S", "20"))
CUSTOMERS = 3
PARTITIONS = 8
CLIENTS_EACH = 2
PAUSE_S = (0.3, 1.5)
"""Between the return of one victim and the death of the next."""
SETTLE_S = 120.0

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
        await asyncio.gather(*(customer.arrive() for customer in customers))

        kills = await _kill_while_they_work(stack, customers)

        await _settle(customers, receiver)
        stack.check_that_nothing_else_died()
        log = await _log(stack)
        for customer in customers:
            await _check_what_readers_see(customer)
            _check_what_receivers_got(customer, log, receiver)
            await customer.http.aclose()
    assert set(kills) == set(stack.victims)
    for check in (("rebuild", "--all", "--verify"), ("lint-log",), ("doctor", "--deep")):
        done = await asyncio.to_thread(stack.command, *check)
        assert done.returncode == 0, done.stdout + done.stderr


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
                    await _until_it_answers(stack)
        ended = True
    return kills


async def _until_it_answers(stack: System | Deployment) -> None:
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


async def _settle(customers: list[Customer], receiver: Receiver) -> None:
    """Wait until every event has become a delivery, and every delivery has succeeded."""
    deadline = time.monotonic() + SETTLE_S
    while True:
        unsent = sum([await customer.open_deliveries() for customer in customers])
        missing = sum(_missing(customer, receiver) for customer in customers)
        if not unsent and not missing:
            return
        assert time.monotonic() < deadline, f"{unsent} are still open, {missing} never came"
        await asyncio.sleep(0.2)


def _missing(customer: Customer, receiver: Receiver) -> int:
    """Return how many events of a customer's tasks its webhooks have not received."""
    ids = defaultdict[str, set[str]](set)
    for request in receiver.requests:
        ids[request.path].add(request.headers["webhook-id"])
    return sum(2 * len(customer.acknowledged) - len(ids[path]) for path in customer.webhooks)


async def _log(stack: System | Deployment) -> list[dict[str, Any]]:
    """Return every event, each organization's and each stream's checked to be without a gap."""
    lines = (await asyncio.to_thread(stack.command, "replay")).stdout.splitlines()
    events = [cast(dict[str, Any], json.loads(line)) for line in lines]
    _refuse_gaps((event["organizationId"], event["seq"]) for event in events)
    _refuse_gaps((event["stream"]["id"], event["stream"]["version"]) for event in events)
    return events


def _refuse_gaps(numbered: Iterable[tuple[str, int]]) -> None:
    found = defaultdict[str, list[int]](list)
    for owner, number in numbered:
        found[owner].append(number)
    for owner, numbers in found.items():
        assert numbers == list(range(1, len(numbers) + 1)), owner


async def _check_what_readers_see(customer: Customer) -> None:
    """Every acknowledged command took effect, once, and is shown as its response said."""
    shown = await customer.tasks()
    assert shown == customer.acknowledged
    keys = [f"RUN-{n}" for n in range(1, len(shown) + 1)]
    assert sorted(task["key"] for task in shown.values()) == sorted(keys)


def _check_what_receivers_got(
    customer: Customer, log: list[dict[str, Any]], receiver: Receiver
) -> None:
    """Every webhook got every event of its organization, each under one id."""
    recorded = {e["id"]: e for e in log if e["stream"]["id"] in customer.acknowledged}
    assert len(recorded) == 2 * len(customer.acknowledged)
    for path in customer.webhooks:
        bodies = defaultdict[str, set[bytes]](set)
        for request in receiver.requests:
            if request.path == path:
                bodies[request.headers["webhook-id"]].add(request.body)
        assert bodies.keys() == recorded.keys()
        assert all(len(same) == 1 for same in bodies.values())
        chain = sorted(
            (b["seq"], b["prevSeq"]) for [text] in bodies.values() for b in [json.loads(text)]
        )
        assert [prev for _, prev in chain[1:]] == [seq for seq, _ in chain[:-1]]
