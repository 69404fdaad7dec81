"""``up`` replaces a process that is alive but does not advance."""

import asyncio
import json
import time

import pytest

from tests.acceptance.customers import Customer
from tests.acceptance.system import POLL_S, System, eventually, system
from tests.deliveries.receiver import Receiver
from tests.freezing import freeze

CATCH_UP_S = 60.0

pytestmark = pytest.mark.acceptance


async def test_a_frozen_follower_is_replaced_and_lists_and_webhooks_catch_up() -> None:
    with system(STALLED_AFTER="10s", WEBHOOK_ALLOW_NETWORKS="127.0.0.0/8") as running:
        async with Receiver() as receiver:
            customer = Customer(running, receiver)
            await customer.arrive()
            await customer.work(lambda: len(customer.acknowledged) >= 1)
            frozen = running.running.processes["follow"]

            freeze(frozen)
            await customer.work(lambda: len(customer.acknowledged) >= 3)
            await asyncio.to_thread(
                eventually, lambda: _replaced(running, frozen), "another follower runs"
            )

            deadline = time.monotonic() + CATCH_UP_S
            assert await customer.tasks() == customer.acknowledged
            while await customer.open_deliveries() or not _all_received(customer, receiver):
                assert time.monotonic() < deadline, "webhooks do not catch up"
                await asyncio.sleep(POLL_S)
            await customer.http.aclose()
        assert "follow does not advance; restarting it" in running.output.read_text()


def _replaced(running: System, frozen: int) -> bool | None:
    return True if running.running.processes.get("follow") not in (None, frozen) else None


def _all_received(customer: Customer, receiver: Receiver) -> bool:
    """Return whether each webhook got the creation of each task."""
    bodies = [(r.path, json.loads(r.body)) for r in receiver.requests]
    created = {(path, b["stream"]["id"]) for path, b in bodies if b["type"] == "task.created"}
    return {(p, t) for p in customer.webhooks for t in customer.acknowledged} <= created
