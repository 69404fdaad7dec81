"""Processes that are told to stop under load end by themselves in time, and nothing is lost."""

import asyncio
import time
from collections.abc import Callable

import pytest

from tests.acceptance.customers import Customer
from tests.acceptance.deployment import PROCESSES, Deployment
from tests.acceptance.system import POLL_S
from tests.deliveries.receiver import Receiver, Reply
from tests.freezing import frozen

pytestmark = [pytest.mark.acceptance, pytest.mark.needs("postgresql")]

SETTLE_S = 60.0


@pytest.mark.parametrize("store", ["postgres", "mongo", "redis"])
async def test_every_process_stops_in_time_although_a_store_is_frozen_and_nothing_is_lost(
    servers: Deployment, store: str
) -> None:
    async with Receiver() as receiver:
        receiver.answer_with(Reply(delay_s=0.05))
        customer = Customer(servers, receiver)
        await customer.arrive()
        stopped = False
        async with asyncio.TaskGroup() as working:
            for _ in range(3):
                working.create_task(customer.work(lambda: stopped))
            await eventually(lambda: len(customer.acknowledged) >= 6)
            try:
                with frozen(servers.stores[store]):
                    await servers.terminate(*PROCESSES)
            finally:
                servers.resume(*PROCESSES)
            before = len(customer.acknowledged)
            await eventually(lambda: len(customer.acknowledged) >= before + 3)
            stopped = True

        assert await customer.tasks() == customer.acknowledged
        # A creation and a change of each task, to each of two webhooks.
        await eventually(lambda: _received(receiver) >= 4 * len(customer.acknowledged))
        await customer.http.aclose()
    servers.check_that_nothing_else_died()


async def eventually(fact: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SETTLE_S
    while not fact():
        assert time.monotonic() < deadline
        await asyncio.sleep(POLL_S)


def _received(receiver: Receiver) -> int:
    """Return how many different events the webhooks got."""
    return len({(each.path, each.headers["webhook-id"]) for each in receiver.requests})
