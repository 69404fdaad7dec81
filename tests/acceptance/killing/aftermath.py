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
    for customer in customers:
        await customer.settled()
    log = await _log(stack)
    await _delivered(customers, log, receiver)
    stack.check_that_nothing_else_died()
    for customer in customers:
        await customer.check_shown()
        _check_what_receivers_got(customer, log, receiver)
    for check in CHECKS:
        done = await asyncio.to_thread(stack.command, *check)
        assert done.returncode == 0, done.stdout + done.stderr
    return log


async def _delivered(
    customers: list[Customer], log: list[dict[str, Any]], receiver: Receiver
) -> None:
    """Wait until every event has become a delivery, and every delivery has succeeded."""
    deadline = time.monotonic() + SETTLE_S
    while True:
        unsent = sum([await customer.open_deliveries() for customer in customers])
        missing = sum(_missing(customer, log, receiver) for customer in customers)
        if not unsent and not missing:
            return
        assert time.monotonic() < deadline, f"{unsent} are still open, {missing} never came"
        await asyncio.sleep(0.2)


def _missing(customer: Customer, log: list[dict[str, Any]], receiver: Receiver) -> int:
    """Return how many events the webhooks of a customer have not received."""
    ids = defaultdict[str, set[str]](set)
    for request in receiver.requests:
        ids[request.path].add(request.headers["webhook-id"])
    expected = customer.events_in(log)
    return sum(len(expected - ids[path]) for path in customer.webhooks)


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


def _check_what_receivers_got(
    customer: Customer, log: list[dict[str, Any]], receiver: Receiver
) -> None:
    """Every webhook got every event of its organization, each under one id."""
    recorded = customer.events_in(log)
    for path in customer.webhooks:
        bodies = defaultdict[str, set[bytes]](set)
        for request in receiver.requests:
            if request.path == path:
                bodies[request.headers["webhook-id"]].add(request.body)
        assert bodies.keys() == recorded
        assert all(len(same) == 1 for same in bodies.values())
        chain = sorted(
            (b["seq"], b["prevSeq"]) for [text] in bodies.values() for b in [json.loads(text)]
        )
        assert [prev for _, prev in chain[1:]] == [seq for seq, _ in chain[:-1]]
