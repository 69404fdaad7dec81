"""Rate limits hold over all API processes, and each process alone while Redis is away."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from api.http.rates import Asked, Rates
from devstack.redis import redis
from devstack.server import Server
from runtime.rate_limit import parse_rate_limits
from runtime.redis_rates import ANSWER_DEADLINE_S, RedisRates
from tests.api.stage import unique

pytestmark = pytest.mark.servers
DEADLINE_S = 20.0
POLL_S = 0.01


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with redis(tmp_path_factory.mktemp("redis")) as started:
        yield started


@pytest.fixture
async def connections(server: Server) -> AsyncIterator[list[RedisRates]]:
    """Yield the connections of two processes."""
    opened = [RedisRates(server.url) for _ in range(2)]
    yield opened
    for each in opened:
        await each.close()


def processes(connections: list[RedisRates], limits: str) -> list[Rates]:
    return [Rates(parse_rate_limits(limits), shared=shared) for shared in connections]


async def passed(processes: list[Rates], asked: Asked, count: int) -> int:
    """Return how many of *count* requests pass, sent to all processes in turn, four at a time."""
    taken = 0
    for start in range(0, count, 4):
        some = [processes[n % len(processes)].take(asked) for n in range(start, start + 4)]
        taken += sum(allowances[-1].allowed for allowances in await asyncio.gather(*some))
    return taken


async def kill(server: Server) -> None:
    """Kill Redis and return once it is dead: until then, it answers and grants."""
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    until = time.monotonic() + DEADLINE_S
    while server.alive():
        assert time.monotonic() < until
        await asyncio.sleep(POLL_S)


async def test_two_processes_share_a_limit(connections: list[RedisRates]) -> None:
    two, ana = processes(connections, "login=10/3600"), Asked("login", unique())

    assert await passed(two, ana, 40) == 10

    assert await passed(two, Asked("login", unique()), 40) == 10


async def test_a_high_limit_is_drawn_ahead_and_never_exceeded(
    connections: list[RedisRates],
) -> None:
    two, ana = processes(connections, "api=500/3600"), Asked("api", unique())

    assert 490 <= await passed(two, ana, 600) <= 500


async def test_an_exact_limit_lets_half_of_it_pass_at_once(connections: list[RedisRates]) -> None:
    two, ana = processes(connections, "failures=9/86400"), Asked("failures", unique())

    assert await passed(two, ana, 40) == 5

    [refused] = await two[0].take(ana)
    assert (refused.allowed, refused.policy) == (False, '"failures";q=9;w=86400')
    assert 17_200 <= refused.wait_s <= 17_280  # a fifth of a day


async def test_the_headers_are_those_of_the_shared_limit(connections: list[RedisRates]) -> None:
    one, other = processes(connections, "login=3/30000")
    ana = Asked("login", unique())
    await one.take(ana)

    [allowance] = await other.take(ana)

    policy, left = allowance.headers()
    assert policy == (b"ratelimit-policy", b'"login";q=3;w=30000')
    assert left[0] == b"ratelimit"
    assert left[1].startswith(b'"login";r=1;t=')
    assert 20_000 - DEADLINE_S <= int(left[1].rpartition(b"=")[2]) <= 20_000
    await one.take(ana)
    [refused] = await other.take(ana)
    assert (refused.allowed, refused.remaining) == (False, 0)
    assert 10_000 - DEADLINE_S <= refused.wait_s <= 10_000


async def test_nested_networks_are_asked_in_one_script(connections: list[RedisRates]) -> None:
    two, wide = processes(connections, "login=2/3600"), unique()

    answers = [
        await two[n % 2].take(Asked("login", unique()), Asked("login", wide, 4)) for n in range(20)
    ]

    assert sum(all(allowance.allowed for allowance in answer) for answer in answers) == 8


async def test_a_forgotten_key_has_its_whole_allowance_again(
    connections: list[RedisRates],
) -> None:
    two, ana = processes(connections, "account=2/3600"), Asked("account", unique())
    await passed(two, ana, 8)

    await two[0].forget("account", ana.key)

    assert await passed(two, ana, 8) == 2


async def test_each_process_counts_for_itself_while_redis_is_dead(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        server = stack.enter_context(redis(tmp_path / "first"))
        connections = [RedisRates(server.url) for _ in range(2)]
        for each in connections:
            stack.push_async_callback(each.close)
        two, ana = processes(connections, "login=10/3600"), Asked("login", unique())
        before = await passed(two, ana, 8)
        await kill(server)

        after = await passed(two, ana, 80)

        assert before == 8
        assert after == 2 * 10 - 8  # each process knows what it let pass before
        server.start()
        server.wait_ready()
        until = time.monotonic() + DEADLINE_S
        while await connections[0].take([]) is None:  # it is asked again after a while
            assert time.monotonic() < until
            await asyncio.sleep(POLL_S)


async def test_a_redis_that_hangs_is_not_waited_for(
    server: Server, connections: list[RedisRates]
) -> None:
    two, ana = processes(connections, "login=10/3600"), Asked("login", unique())
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(ANSWER_DEADLINE_S * 50):  # 100 times, if each turn waited
            assert await passed(two[:1], ana, 400) == 10
    finally:
        os.kill(pid, signal.SIGCONT)
