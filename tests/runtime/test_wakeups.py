"""Wake-ups reach waiting processes, with and without Redis."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.redis import redis
from runtime import wakeups as module
from runtime.wakeups import PAUSE_S, Wakeups

LONG_S = 20.0


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data: Path = tmp_path_factory.mktemp("redis")
    with redis(data) as server:
        yield server.url


async def woken(wakeups: Wakeups) -> bool:
    """Wait for a wake-up and return whether it came in time."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await wakeups.listener()(LONG_S)
    return loop.time() - began < LONG_S / 2


async def test_a_commit_in_the_same_process_wakes_without_redis() -> None:
    wakeups = Wakeups()
    waiting = asyncio.create_task(woken(wakeups))
    await asyncio.sleep(0)

    wakeups.committed(1)

    assert await waiting
    await wakeups.close()


async def test_waiting_ends_after_the_timeout() -> None:
    wakeups = Wakeups()

    assert not await wakeups.listener()(0.01)

    await wakeups.close()


async def test_what_is_committed_while_a_follower_works_ends_its_next_wait() -> None:
    wakeups = Wakeups()
    wait = wakeups.listener()

    wakeups.committed(1)
    await asyncio.sleep(0)

    assert await wait(LONG_S)
    assert not await wait(0.01)
    await wakeups.close()


async def test_a_stream_of_commits_is_announced_in_groups_and_its_last_one_too() -> None:
    wakeups = Wakeups()
    wait, woken_up = wakeups.listener(), 0

    for position in range(1, 101):
        wakeups.committed(position)
        await asyncio.sleep(0)
    async with asyncio.timeout(LONG_S):
        while await wait(LONG_S if woken_up == 0 else 20 * PAUSE_S):
            woken_up += 1

    assert woken_up == 2
    await wakeups.close()


async def test_what_somebody_waits_for_is_announced_sooner(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "PAUSE_S", 1_000.0)
    wakeups = Wakeups()
    wait = wakeups.listener()
    wakeups.committed(1)
    assert await wait(LONG_S)

    wakeups.committed(2)
    wakeups.hurry()

    assert await wait(LONG_S)
    await wakeups.close()


@pytest.mark.servers
async def test_a_commit_in_another_process_wakes_through_redis(redis_url: str) -> None:
    here, there = Wakeups(redis_url), Wakeups(redis_url)
    assert not here.hears
    here.listen()
    waiting = asyncio.create_task(woken(here))
    while not waiting.done():  # until the subscription is active, a wake-up may be missed
        there.committed(1)
        await asyncio.wait([waiting], timeout=0.02)

    assert await waiting
    assert here.hears
    assert await here.trouble() is None

    hurried = asyncio.create_task(woken(here))
    await asyncio.sleep(0)
    there.hurry()  # for what a third process has recorded

    assert await hurried
    await here.close()
    await there.close()


@pytest.mark.servers
async def test_no_process_is_woken_by_what_it_announced_itself(redis_url: str) -> None:
    here, there = Wakeups(redis_url), Wakeups(redis_url)
    here.listen()
    there.listen()
    while not (here.hears and there.hears):  # noqa: ASYNC110  Redis has to answer both
        await asyncio.sleep(0.01)
    rings: list[str] = []
    here.on_ring(lambda: rings.append("here"))

    for one, other in ((here, there), (there, here)):
        waiting = asyncio.create_task(woken(other))
        await asyncio.sleep(0)
        one.committed(1)
        assert await waiting

    assert len(rings) == 2  # for its own announcement at once, for the other one when it came
    await here.close()
    await there.close()


async def test_redis_may_be_down() -> None:
    wakeups = Wakeups("redis://127.0.0.1:1/0")
    wakeups.listen()

    wakeups.committed(1)
    await wakeups.listener()(0.01)

    assert await wakeups.trouble()
    assert not wakeups.hears
    await wakeups.close()


async def test_a_redis_that_hangs_does_not_delay_the_followers_in_the_same_process() -> None:
    connected: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _, writer: connected.append(writer), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    wakeups = Wakeups(f"redis://127.0.0.1:{port}/0", deadline_s=LONG_S)
    try:
        for position in (1, 2, 3):
            waiting = asyncio.create_task(woken(wakeups))
            await asyncio.sleep(0)
            wakeups.committed(position)
            assert await waiting
    finally:
        await wakeups.close()
        for writer in connected:
            writer.close()
        silent.close()
        await silent.wait_closed()
