"""Several of every process share one log, and one after the other is killed.

ROUNDS_OF_KILLS sets how often each of them dies, PAIRS how often a write is read elsewhere.
"""

import asyncio
import os
import random
import time
from collections import Counter, defaultdict
from typing import Any

import psycopg
import pytest
from pymongo import MongoClient

from runtime.settings import load_settings
from tests.acceptance.customers import CLIENTS, Customer
from tests.acceptance.deployment import Deployment, deployment
from tests.acceptance.killing.aftermath import check_aftermath
from tests.acceptance.system import eventually
from tests.deliveries.receiver import Receiver, Reply
from tests.mail.post_office import PostOffice, post_office

ROUNDS = int(os.environ.get("ROUNDS_OF_KILLS", "1"))
PAIRS = int(os.environ.get("PAIRS", "100"))
COPIES = {"serve": 2, "project": 3, "work": 3}
PARTITIONS = 8
CUSTOMERS = 4
INVITATIONS = 4
PAUSE_S = 1.0
"""Between two deaths."""
PATIENCE_S = 60.0

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.needs("postgresql"),
    pytest.mark.timeout(300 + 30 * ROUNDS + PAIRS),
]


class OneOfTwo:
    """A deployment as a customer sees it: every other customer asks the second API process."""

    def __init__(self, stack: Deployment, number: int) -> None:
        self._stack, self._number = stack, number
        self.victims = stack.victims

    def http(self) -> Any:
        return self._stack.http(self._number % COPIES["serve"])

    async def kill(self, name: str) -> None:
        await self._stack.kill(name)


async def test_processes_that_share_a_log_lose_and_double_nothing_when_they_are_killed() -> None:
    async with Receiver() as receiver, post_office() as office:
        receiver.answer_with(Reply(delay_s=0.01))
        mails = {"SMTP_URL": office.url, "MAIL_FROM": "Trackrecord <no-reply@example.com>"}
        with deployment(PARTITIONS, COPIES, API_WORKERS="1", **mails) as stack:
            customers = [Customer(OneOfTwo(stack, n), receiver) for n in range(CUSTOMERS)]
            await asyncio.gather(*(customer.arrive() for customer in customers))

            await _kill_each(stack, customers)

            log = await check_aftermath(stack, customers, receiver)
            await _check_mails(log, office)
            await asyncio.to_thread(_check_crews, stack)
            await asyncio.to_thread(_check_projectors, stack)
            await _check_pairs(stack, customers)


async def _kill_each(stack: Deployment, customers: list[Customer]) -> None:
    """Kill one process after the other, and Redis among them, while the customers work."""
    ended = False
    rng = random.Random(ROUNDS)  # noqa: S311  no secret, and the same order every time
    async with asyncio.TaskGroup() as group:
        for customer in customers:
            group.create_task(customer.work(lambda: ended))
            group.create_task(customer.invite(INVITATIONS, PAUSE_S))
        for _ in range(ROUNDS):
            victims = [*stack.names, "redis"]
            for victim in rng.sample(victims, len(victims)):
                await asyncio.sleep(PAUSE_S)
                await stack.kill(victim)
        ended = True


async def _check_mails(log: list[dict[str, Any]], office: PostOffice) -> None:
    """Check that every invitation was mailed, under one id and with one text, however often."""
    invited = {event["id"] for event in log if event["type"] == "member.invited"}
    assert len(invited) == CUSTOMERS * INVITATIONS
    texts = defaultdict[str, set[bytes]](set)
    async with asyncio.timeout(PATIENCE_S):
        while len(texts) < len(invited):
            await asyncio.sleep(0.1)
            for mail in office.messages:
                if "invited" not in mail["Subject"]:
                    continue  # that somebody registered
                texts[mail["Message-ID"].strip("<>").partition("@")[0]].add(mail.as_bytes())
    assert texts.keys() == invited
    assert Counter(map(len, texts.values())) == {1: len(invited)}


def _check_crews(stack: Deployment) -> None:
    """Check that the processes that live share the work, and those that were killed do not."""

    def shared() -> bool | None:
        with psycopg.connect(stack.servers["postgres"].url) as connection:
            found = connection.execute("SELECT crew, count(*) FROM crew_members GROUP BY crew")
            counts = sorted(count for _, count in found.fetchall())
        return True if counts == sorted([COPIES["project"], COPIES["work"]]) else None

    eventually(shared, "the crews have as many members as there are processes", PATIENCE_S)


def _check_projectors(stack: Deployment) -> None:
    """Check that each projector that lives has its part of the partitions, and nobody else any."""
    fair = sorted(len(range(n, PARTITIONS, COPIES["project"])) for n in range(COPIES["project"]))
    with MongoClient[dict[str, Any]](stack.servers["mongo"].url) as client:
        leases = client[load_settings(stack.environment).mongodb_database]["leases"]

        def shared() -> bool | None:
            held = Counter(one["owner"] for one in leases.find({"until": {"$gt": time.time()}}))
            return True if sorted(held.values()) == fair else None

        eventually(shared, "each projector holds its part of the partitions", PATIENCE_S)


async def _check_pairs(stack: Deployment, customers: list[Customer]) -> None:
    """Check that what was written at one process is in the lists of the other."""
    elsewhere = [stack.http(1 - n % COPIES["serve"]) for n in range(len(customers))]
    CLIENTS.extend(elsewhere)
    pairs = (
        customer.check_pairs(client, PAIRS // CUSTOMERS)
        for customer, client in zip(customers, elsewhere, strict=True)
    )
    await asyncio.gather(*pairs)
