"""Exports over HTTP: other requests are served meanwhile; an organization has one at a time."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar

from audit.running import EXPORT_STALLED_S, RunningExports
from domain.audit import ExportInProgress
from domain.base import OrgId, TaskId
from domain.work.task.events import TaskRetitled
from eventstore.engine.turns import PIECE
from eventstore.operations.memory import MemoryOperations
from eventstore.operations.store import OperationsUnavailable
from runtime.rate_limit import parse_rate_limits
from runtime.system import System
from tests.api.conftest import Make
from tests.api.stage import Person, done, refused, sign_up
from tests.spec import on, record

ORG = OrgId(UUID(int=7))
PIECES = 8


async def a_long_history(system: System, person: Person) -> None:
    """Record so many events that they are more than one piece of work."""
    task = done(await person.get("/audit?type=task.created"), 200)["items"][0]["stream"]["id"]
    events = [TaskRetitled(from_="-", to=f"Title {n}") for n in range(PIECES * PIECE)]
    await record(system.log, on(TaskId(UUID(task)), *events, org_id=OrgId(UUID(person.org_id))))


async def chunks_among_others(person: Person, app: Litestar, path: str) -> list[str]:
    """Ask for *path* and, meanwhile, for the profile again and again; return what came when."""
    came: list[str] = []

    async def noting(scope: Any, receive: Any, send: Any) -> None:
        async def note(message: Any) -> None:
            if scope["path"] != "/api/auth/profile" and message.get("body"):
                came.append("chunk")
            await send(message)

        await app(scope, receive, note)

    transport: Any = person.client._transport  # pyright: ignore[reportPrivateUsage]  # the test looks inside
    transport.app = noting
    running = asyncio.create_task(person.get(path))
    while not running.done():
        done(await person.get("/auth/profile"), 200)
        came.append("profile")
        await asyncio.sleep(0)  # a real client waits for the network here
    assert (await running).status_code == 200
    return came


@pytest.mark.parametrize("export_format", ["jsonl", "csv", "ocsf"])
async def test_requests_are_answered_between_the_chunks_of_an_export(
    system: System, ana: Person, app: Litestar, export_format: str
) -> None:
    await ana.task(await ana.project())
    await a_long_history(system, ana)

    came = await chunks_among_others(ana, app, f"/audit/export?format={export_format}")

    chunks = [at for at, what in enumerate(came) if what == "chunk"]
    assert len(chunks) > PIECES
    assert "profile" in came[chunks[0] : chunks[-1]]


async def test_requests_are_answered_while_the_log_is_searched(
    system: System, ana: Person, app: Litestar
) -> None:
    await ana.task(await ana.project())
    await a_long_history(system, ana)
    await ana.get("/auth/profile")

    came = await chunks_among_others(ana, app, "/audit?ip=203.0.113.99")

    assert came.index("chunk") > 1, "the search did not let another request through"


async def test_an_organization_has_one_export_at_a_time_through_all_processes(
    system: System, ana: Person, dan: Person
) -> None:
    elsewhere = RunningExports(system.operations)
    held = await elsewhere.begin(OrgId(UUID(ana.org_id)))

    problem = await ana.get("/audit/export")
    other = await dan.get("/audit/export")

    refused(problem, 409, "export_in_progress")
    assert other.status_code == 200
    await elsewhere.end(OrgId(UUID(ana.org_id)), held)
    assert (await ana.get("/audit/export")).status_code == 200
    assert (await ana.get("/audit/export")).status_code == 200


async def test_exports_have_a_limit_of_their_own(make_app: Make) -> None:
    eva = await sign_up(make_app(rate_limits=parse_rate_limits("export=2/60")))
    for _ in range(2):
        assert (await eva.get("/audit/export")).status_code == 200

    refused(await eva.get("/audit/export"), 429, "rate_limited")

    assert (await eva.get("/audit")).status_code == 200


async def parts(count: int) -> AsyncIterator[bytes]:
    for number in range(count):
        yield b"%d" % number


async def test_the_place_of_an_export_is_free_when_its_client_leaves() -> None:
    exports = RunningExports(MemoryOperations())
    sending = exports.sent(ORG, await exports.begin(ORG), parts(3))
    await anext(sending)
    with pytest.raises(ExportInProgress):
        await exports.begin(ORG)

    await sending.aclose()

    await exports.begin(ORG)


async def test_the_place_is_released_although_the_request_is_cancelled() -> None:
    operations = HeldOperations()
    exports = RunningExports(operations)
    place = await exports.begin(ORG)
    ending = asyncio.create_task(exports.end(ORG, place))
    await operations.reached.wait()
    ending.cancel()
    operations.released.set()
    with pytest.raises(asyncio.CancelledError):
        await ending

    await exports.close()

    await exports.begin(ORG)


async def test_an_export_that_stalls_gives_its_place_to_another() -> None:
    now = 0.0
    operations = ExpiringOperations()
    exports = RunningExports(operations, lambda: now)
    stalled = exports.sent(ORG, await exports.begin(ORG), parts(3))
    await anext(stalled)
    operations.lease_s = EXPORT_STALLED_S
    second = await exports.begin(ORG)
    now += EXPORT_STALLED_S

    assert [part async for part in stalled] == [b"1", b"2"]  # continues, but takes no place

    with pytest.raises(ExportInProgress):
        await exports.begin(ORG)
    await exports.end(ORG, second)


async def test_an_export_that_is_slow_but_not_stalled_keeps_its_place() -> None:
    now = 0.0
    operations = CountingOperations()
    exports = RunningExports(operations, lambda: now)
    slow = exports.sent(ORG, await exports.begin(ORG), parts(8))
    async for _ in slow:
        now += EXPORT_STALLED_S / 2

    assert operations.taken == 8  # at the start, and before each chunk but the first


async def test_an_export_goes_on_while_its_lease_cannot_be_renewed() -> None:
    now = 0.0
    operations = BrokenOperations()
    exports = RunningExports(operations, lambda: now)
    sending = exports.sent(ORG, await exports.begin(ORG), parts(3))
    await anext(sending)
    operations.broken, now = True, EXPORT_STALLED_S

    assert [part async for part in sending] == [b"1", b"2"]


class HeldOperations(MemoryOperations):
    """A store in which leases are dropped only once the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.released = asyncio.Event(), asyncio.Event()

    async def drop_lease(self, lease: str, owner: str) -> None:
        self.reached.set()
        await self.released.wait()
        await super().drop_lease(lease, owner)


class ExpiringOperations(MemoryOperations):
    """A store whose leases last for as long as the test says."""

    lease_s = 0.0

    async def take_lease(self, lease: str, owner: str, lease_s: float) -> bool:
        assert lease_s == EXPORT_STALLED_S
        return await super().take_lease(lease, owner, self.lease_s)


class CountingOperations(MemoryOperations):
    """A store that counts how often a lease is taken or renewed."""

    taken = 0

    async def take_lease(self, lease: str, owner: str, lease_s: float) -> bool:
        self.taken += 1
        return await super().take_lease(lease, owner, lease_s)


class BrokenOperations(MemoryOperations):
    """A store that can be made to answer nothing about leases."""

    broken = False

    async def take_lease(self, lease: str, owner: str, lease_s: float) -> bool:
        if self.broken:
            raise OperationsUnavailable
        return await super().take_lease(lease, owner, lease_s)

    async def drop_lease(self, lease: str, owner: str) -> None:
        if self.broken:
            raise OperationsUnavailable
        await super().drop_lease(lease, owner)
