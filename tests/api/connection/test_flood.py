"""A flood of header fields costs neither memory nor the other clients."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it has no types
import pytest

from tests.api.connection.serving import DEADLINE_S, HEALTH, client_at, eventually

pytestmark = pytest.mark.servers

ROOT = Path(__file__).parents[3]
SCRIPT = """
import socket, uvicorn
from api.connection.protocol import BoundedProtocol
held = socket.create_server(("127.0.0.1", 0))
print(held.getsockname()[1], flush=True)
config = uvicorn.Config("tests.api.connection.flooded:application", http=BoundedProtocol, ws="none",
                        loop="uvloop", lifespan="off", log_config=None, access_log=False)
uvicorn.Server(config).run(sockets=[held])
"""
FLOODERS, EACH_BYTES, CHUNK = 60, 4 * 1024 * 1024, b"x" * 65_536
GROWTH_BYTES_MAX = 32 * 1024 * 1024
"""The flood is 240 MiB; what the bounds let through is 2 MiB."""


@pytest.fixture
def server() -> Iterator[tuple[int, psutil.Process]]:
    """Run a server process; give its port and the process."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", SCRIPT]
    with subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline()), psutil.Process(process.pid)
        finally:
            process.kill()


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nX: ",
        b"GET /",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ",
    ],
)
async def test_other_clients_are_served_during_a_flood(
    server: tuple[int, psutil.Process], head: bytes
) -> None:
    port, process = server
    flooded = 0

    async def flood() -> None:
        nonlocal flooded
        async with client_at(port) as client:
            await client.send(head)
            for _ in range(EACH_BYTES // len(CHUNK)):
                await client.send(CHUNK)
        flooded += 1

    async with client_at(port) as other:
        assert (await other.ask(HEALTH))[0] == 204
        before = process.memory_info().rss
        async with asyncio.timeout(3 * DEADLINE_S), asyncio.TaskGroup() as group:
            for _ in range(FLOODERS):
                group.create_task(flood())
            answered = most = 0
            while flooded < FLOODERS or not answered:
                assert (await other.ask(HEALTH))[0] == 204
                answered += 1
                most = max(most, process.memory_info().rss)

    assert most - before < GROWTH_BYTES_MAX
    await eventually(lambda: len(process.net_connections("tcp")) <= 1)


async def test_requests_sent_ahead_are_not_piled_up(server: tuple[int, psutil.Process]) -> None:
    port, process = server
    before = process.memory_info().rss

    async with client_at(port) as client:
        for _ in range(20):
            await client.send(HEALTH * 5_000)
        while (await client.response())[0] == 204:
            pass

    assert process.memory_info().rss - before < GROWTH_BYTES_MAX
