"""How soon is the work of a killed process done by another, and shared fairly after a change?

The log is in PostgreSQL, with three organizations in partitions of their own, and the read models
are in MongoDB. Two processes run. Again and again a third one joins, the first one is killed with
``kill -9`` and everything is given something to do at once; a third one joins again, and one is
stopped. A start takes about two seconds here, which count.
"""

import asyncio
import os
import signal
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg
import uvloop

from benchmarks.harness.figures import Figure
from benchmarks.harness.processes import PROJECTORS, WORKER, Stack, stack
from benchmarks.harness.receiver import WebhookReceiver, webhook_of_tasks
from benchmarks.harness.seeding import Office, office_in
from benchmarks.harness.workplace import workplace
from commands.identity.invitation import InviteMember
from commands.identity.organization import ChangePlan
from devstack.port import HOST
from domain.base import WebhookId
from domain.identity.organization.membership import Role
from domain.identity.plan import Plan
from eventstore.operations.crew import slot_of
from projections.engine.mongo.leases import LEASE_RECORDS
from projections.engine.mongo.store import MongoReadStore
from projections.engine.store import ReadStoreUnavailable
from runtime.settings import load_settings
from runtime.system import System, open_system
from workers.main import WORKER_CREW

BUSY = (1, 2, 3)
"""The partitions of the organizations; accounts are in the first one."""
PARTS = len(BUSY) + 1
WEBHOOKS = 6
"""Webhooks of each organization."""
ROUNDS = 3
TAKEN_OVER_MAX_S, SHARED_MAX_S = 5.0, 10.0
LOOK_S = 0.02
PATIENCE_S = 60.0
MAIL = {"SMTP_URL": f"smtp://{HOST}:9", "MAIL_FROM": "Trackrecord <no-reply@example.com>"}
"""No server answers there: a mail counts from the moment that the outbox has it."""

_KILL, _JOIN, _LEAVE = "after kill -9", "shares after one joined", "shares after one was stopped"
Look = Callable[[], Awaitable[bool]]
Took = dict[str, list[float]]


class Place(NamedTuple):
    """An organization with the ids of its webhooks."""

    office: Office
    webhooks: Sequence[WebhookId]


def measure() -> list[Figure]:
    """Return seconds until work was taken over, and until it was shared fairly."""
    with (
        workplace() as directory,
        stack(directory, mongodb=True, postgresql=PARTS, settings=MAIL) as processes,
    ):
        return uvloop.run(_measure(processes))


async def _measure(processes: Stack) -> list[Figure]:
    receiver = WebhookReceiver()
    server = await asyncio.start_server(receiver.receive, HOST, 0)
    settings = load_settings(processes.environment)
    async with open_system(settings) as system:
        url = f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
        places = [await _place(system, part, url) for part in BUSY]
        store = MongoReadStore(processes.mongodb_uri, settings.mongodb_database)
        projecting = Projecting(system, store, places)
        projectors = await _changes(processes, PROJECTORS, projecting.shared, projecting.work)
        with psycopg.connect(processes.events_url, autocommit=True) as database:
            working = Working(database, receiver, places)
            workers = await _changes(processes, WORKER, working.shared, working.work)
        await store.close()
    server.close()
    return [*_figures("projectors", projectors), *_figures("workers", workers)]


async def _place(system: System, part: int, url: str) -> Place:
    office = office_in(part, system.log)
    await office.furnish()
    await office.do(ChangePlan(organization_id=office.org_id, plan=Plan.PREMIUM))
    webhooks = [WebhookId(uuid4()) for _ in range(WEBHOOKS)]
    for each in webhooks:
        await office.do(webhook_of_tasks(each, f"{url}/{each}", system.keys.master))
    return Place(office, webhooks)


async def _changes(
    processes: Stack,
    module: str,
    shared: Callable[[int], Awaitable[bool]],
    work: Callable[[], Awaitable[dict[str, Coroutine[Any, Any, None]]]],
) -> Took:
    """Let processes come and go; return the seconds until each thing was as it should be."""
    took: Took = defaultdict(list)
    with ExitStack() as running:

        def start() -> int:
            return running.enter_context(processes.running(module))

        pids = [start(), start()]
        await _until(lambda: shared(2))
        for _ in range(ROUNDS):
            for change in (signal.SIGKILL, signal.SIGTERM):
                began = time.perf_counter()
                pids.append(start())
                await _until(lambda: shared(3))
                took[_JOIN].append(time.perf_counter() - began)
                began = time.perf_counter()
                os.kill(pids.pop(0), change)
                if change == signal.SIGKILL:
                    await _note(took, began, await work())
                await _until(lambda: shared(2))
                if change == signal.SIGTERM:
                    took[_LEAVE].append(time.perf_counter() - began)
    return took


async def _note(took: Took, began: float, work: dict[str, Coroutine[Any, Any, None]]) -> None:
    """Wait for all *work*; note when each was done."""

    async def timed(what: str, done: Coroutine[Any, Any, None]) -> None:
        await asyncio.wait_for(done, PATIENCE_S)
        took[f"{what} {_KILL}"].append(time.perf_counter() - began)

    await asyncio.gather(*(timed(what, done) for what, done in work.items()))


async def _until(holds: Look) -> None:
    until = time.perf_counter() + PATIENCE_S
    while not await holds():
        assert time.perf_counter() < until, "the processes do not come to an end"
        await asyncio.sleep(LOOK_S)


class Projecting:
    """What projectors do: read models, and the signed trees."""

    def __init__(self, system: System, store: MongoReadStore, places: Sequence[Place]) -> None:
        self._log, self._store, self._places = system.log, store, places

    async def shared(self, count: int) -> bool:
        """Return whether so many projectors have as many partitions as each should."""
        held: defaultdict[str, list[int]] = defaultdict(list)
        async for one in self._store.database[LEASE_RECORDS].find().sort("_id"):
            held[one["owner"]].append(one["_id"])
        return sorted(held.values()) == [[*range(n, PARTS, count)] for n in range(count)]

    async def work(self) -> dict[str, Coroutine[Any, Any, None]]:
        """Record an event in each organization; return how to wait for all that follows."""
        for number, place in enumerate(self._places):
            await place.office.add_task(number)
        return {"read models": _until(self._projected), "trees": _until(self._signed)}

    async def _projected(self) -> bool:
        try:
            control = await self._store.control()
        except ReadStoreUnavailable:
            return False
        ends = {part: await self._log.last_position(part) for part in BUSY}
        return control is not None and all(
            control.part(part).position >= end for part, end in ends.items()
        )

    async def _signed(self) -> bool:
        for place in self._places:
            head = await self._log.newest_tree_head(place.office.org_id)
            if head is None or head.size < await self._log.organization_head(place.office.org_id):
                return False
        return True


class Working:
    """What workers do: webhooks, and mails."""

    def __init__(
        self,
        database: psycopg.Connection[Any],
        receiver: WebhookReceiver,
        places: Sequence[Place],
    ) -> None:
        self._database, self._receiver, self._places = database, receiver, places
        self._mails = 0

    async def shared(self, count: int) -> bool:
        """Return whether so many workers serve the webhooks that each should."""
        asked = 'SELECT "member" FROM crew_members WHERE "crew" = %s ORDER BY "member"'
        members = [_process(name) for (name,) in self._database.execute(asked, [WORKER_CREW])]
        serving = self._database.execute('SELECT "id", "owner" FROM webhook_endpoints').fetchall()
        return (
            len(members) == count
            and len(serving) == WEBHOOKS * len(BUSY)
            and all(_process(owner) == members[slot_of(each) % count] for each, owner in serving)
        )

    async def work(self) -> dict[str, Coroutine[Any, Any, None]]:
        """Record an event and invite somebody in each organization."""
        arrivals = [
            self._receiver.expect(str(webhook))
            for each in self._places
            for webhook in each.webhooks
        ]
        for number, place in enumerate(self._places):
            await place.office.add_task(number)
            await place.office.do(_invitation(place.office))
        self._mails += len(self._places)

        async def arrived() -> None:
            await asyncio.gather(*arrivals)

        return {"webhooks": arrived(), "mails": _until(self._mailed)}

    async def _mailed(self) -> bool:
        asked = "SELECT count(*) FROM mails WHERE \"type\" = 'member.invited'"
        return self._database.execute(asked).fetchall() == [(self._mails,)]


def _process(member: str) -> str:
    """Return which process a name that it gave itself is of."""
    return member.rpartition("-")[0]


def _invitation(office: Office) -> InviteMember:
    made = uuid4()
    return InviteMember(
        organization_id=office.org_id,
        invitation_id=made,
        email=f"{made.hex}@example.com",
        role=Role.MEMBER,
        token_hash=made.hex,
        expires_at=datetime.now(UTC) + timedelta(days=7),
        mailed=True,
    )


def _figures(who: str, took: Took) -> list[Figure]:
    return [
        Figure(
            what=f"{who}: {what}",
            unit="s",
            rounds=rounds,
            target=TAKEN_OVER_MAX_S if what.endswith(_KILL) else SHARED_MAX_S,
            at_least=False,
        )
        for what, rounds in took.items()
    ]
