"""What must be true after processes were killed: nothing is lost, and nothing happened twice."""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, cast

from tests.acceptance.customers import Customer
from tests.acceptance.deployment import Deployment
from tests.acceptance.system import System
from tests.deliveries.receiver import Receiver

SETTLE_S = 120.0
CHECKS = (("rebuild", "--all", "--verify"), ("lint-log",), ("doctor", "--deep"))
"""The operator's commands that find nothing."""


async def check_aftermath(
    stack: System | Deployment, customers: list[Customer], receiver: Receiver
) -> list[dict[str, Any]]:
    """Check all of it once everything is delivered; return every event."""
    await _settle(customers, receiver)
    stack.check_that_nothing_else_died()
    log = await _log(stack)
    for customer in customers:
        await _check_what_readers_see(customer)
        _check_what_receivers_got(customer, log, receiver)
    for check in CHECKS:
        done = await asyncio.to_thread(stack.command, *check)
        assert done.returncode == 0, done.stdout + done.stderr
    return log


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
