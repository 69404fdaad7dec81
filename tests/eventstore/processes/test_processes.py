"""Numbers and limits hold between several processes with many clients each."""

import asyncio
import sys

import pytest

from commands.lint.walk import lint_log
from domain.identity.user.events import UserDeactivated
from eventstore.log import EventLog
from eventstore.open import open_store
from tests.commands.acme import ACCOUNTS, HERE
from tests.domain.spec import ACME, ANA
from tests.spec import on, opened, record

PROCESSES = 4


async def printed(url: str, what: str) -> list[str]:
    """Run several processes at once; return the lines that all of them printed."""
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.eventstore.processes.creating", url, what, str(n),
            stdout=asyncio.subprocess.PIPE,
        )
        for n in range(PROCESSES)
    ]  # fmt: skip
    outputs = [(await process.communicate())[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * PROCESSES
    return b"".join(outputs).decode().split()


async def prepared(url: str) -> None:
    async with opened(await asyncio.to_thread(open_store, url)) as log:
        await record(log, *ACCOUNTS, *HERE)


async def followed(log: EventLog, done: asyncio.Event) -> list[int]:
    """Follow ACME's partition until *done* and to its end; return the positions as they came."""
    seen: list[int] = []
    part, last = log.part(ACME), False
    while True:
        rows = await log.tail_rows(seen[-1] if seen else 0, 7, part=part)
        seen += [row.position for row in rows]
        if not rows and last:
            return seen
        last = done.is_set()
        await asyncio.sleep(0)  # let the processes' output be read


async def findings(url: str) -> list[str]:
    async with opened(await asyncio.to_thread(open_store, url)) as log:
        return [str(finding) async for finding in lint_log(log)]


@pytest.mark.servers
@pytest.mark.timeout(120)
async def test_64_clients_get_numbers_without_a_gap_and_without_a_conflict(url: str) -> None:
    await prepared(url)

    store = await asyncio.to_thread(open_store, url)
    async with opened(store) as log:
        done = asyncio.Event()
        following = asyncio.create_task(followed(log, done))
        numbers = [int(line) for line in await printed(url, "tasks")]
        done.set()
        positions = await following

    assert sorted(numbers) == list(range(2, 258))
    assert positions == list(range(1, len(positions) + 1))
    assert len(positions) >= 256
    assert await findings(url) == []


@pytest.mark.servers
@pytest.mark.timeout(120)
@pytest.mark.parametrize(("what", "free"), [("projects", 5 - 1), ("webhooks", 2)])
async def test_64_clients_never_get_one_too_many(url: str, what: str, free: int) -> None:
    """The plan is FREE, and there is one project already."""
    await prepared(url)

    lines = await printed(url, what)

    assert len(lines) == 64
    assert lines.count("plan_limit") == 64 - free
    assert await findings(url) == []


@pytest.mark.servers
@pytest.mark.timeout(120)
async def test_no_command_takes_effect_once_the_caller_is_known_to_be_locked_out(url: str) -> None:
    """The account is on the platform: in another partition, if there are several."""
    await prepared(url)
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.eventstore.processes.creating", url, "when asked", "0",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip

    async def asked() -> str:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdin.write(b"now\n")
        return (await other.stdout.readline()).decode().strip()

    before = [await asked() for _ in range(3)]
    async with opened(await asyncio.to_thread(open_store, url)) as log:
        await record(log, on(ANA, UserDeactivated()))
        position = await log.last_position(log.part(ACME))
        after = [await asked() for _ in range(3)]

        assert (before, after) == (["CreateTask"] * 3, ["conflict"] * 3)
        assert await log.last_position(log.part(ACME)) == position
    await other.communicate(b"")
    assert other.returncode == 0


@pytest.mark.servers
@pytest.mark.timeout(120)
async def test_64_clients_make_no_circle_of_blockers_and_their_counts_are_right(url: str) -> None:
    await prepared(url)

    lines = await printed(url, "relations")

    for became in ("AddRelation", "RemoveRelation", "ChangeTaskStatus"):
        assert lines.count(became) >= 64  # each client's own
    for became in ("open_blockers", "relation_cycle"):
        assert lines.count(became) >= 64
    assert await findings(url) == []


@pytest.mark.servers
@pytest.mark.timeout(120)
async def test_a_task_is_never_finished_over_an_open_subtask_by_any_of_64_clients(url: str) -> None:
    await prepared(url)

    lines = await printed(url, "subtasks")

    for became in ("CreateTask", "ChangeTaskStatus", "open_subtasks"):
        assert lines.count(became) >= 64  # each client's own
    assert await findings(url) == []
