"""How long do lists take while the receiver of 12 webhooks hangs, and does everything arrive later?

Eight clients create 60 tasks and list them after each, while nobody answers the webhooks' requests.
Then the receiver answers them all.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from statistics import median

import uvloop

from benchmarks.harness.figures import Figure
from benchmarks.harness.http_client import Client, RequestFailed
from benchmarks.harness.processes import API, FOLLOWERS, stack
from benchmarks.harness.workplace import workplace
from devstack.port import HOST

WEBHOOKS, CLIENTS, TASKS = 12, 8, 60
LIST_MS_MAX = 100.0
PATIENCE_S = 60.0
"""Longer than the pause before a delivery that nobody answered is sent again."""
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


def measure() -> list[Figure]:
    """Return how long lists took, what was never delivered, and when the rest was."""
    with workplace() as directory, stack(directory) as processes:
        processes.start(API)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            client = Client(processes.address)
            project = runner.run(client.log_in())
            # Only after the first login, so that there is a log to follow.
            processes.start(FOLLOWERS)
            return runner.run(_measure(client, f"/api/project/{project}/tasks"))


class _Receiver:
    """Answers nothing before it recovers, and remembers what it got."""

    def __init__(self) -> None:
        self.recovered, self.complete = asyncio.Event(), asyncio.Event()
        self.got: set[tuple[bytes, bytes]] = set()
        """The path and the id of each event."""

    async def receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Receive the requests of one connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                fields = dict(line.partition(b": ")[::2] for line in head.lower().split(b"\r\n"))
                await reader.readexactly(int(fields[b"content-length"]))
                await self.recovered.wait()
                self.got.add((head.split()[1], fields[b"webhook-id"]))
                if len(self.got) == WEBHOOKS * TASKS:
                    self.complete.set()
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            writer.close()


async def _measure(client: Client, path: str) -> list[Figure]:
    receiver = _Receiver()
    server = await asyncio.start_server(receiver.receive, HOST, 0)
    url = f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
    for n in range(WEBHOOKS):
        await client.ask("POST", "/api/webhook", {"url": f"{url}/{n}", "events": ["task.created"]})
    await _until_listed(client, path)
    numbers = iter(range(TASKS))
    clients = await asyncio.gather(*_clients(client, path, numbers))
    took = [seconds for some in clients for seconds in some]
    receiver.recovered.set()
    recovered = time.perf_counter()
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            await receiver.complete.wait()
    delivered_s = time.perf_counter() - recovered
    server.close()
    missing = float(WEBHOOKS * TASKS - len(receiver.got))
    return [
        Figure(
            what="a list while receivers hang, slowest",
            unit="ms",
            rounds=[max(took) * 1_000],
            target=LIST_MS_MAX,
            at_least=False,
        ),
        Figure(what="a list while receivers hang, p50", unit="ms", rounds=[median(took) * 1_000]),
        Figure(
            what="deliveries that never came",
            unit="deliveries",
            rounds=[missing],
            target=0.0,
            at_least=False,
        ),
        Figure(what="until everything was delivered", unit="s", rounds=[delivered_s]),
    ]


async def _until_listed(client: Client, path: str) -> None:
    """Wait until the read models are shown for the first time."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with suppress(RequestFailed):
                await client.ask("GET", path)
                return
            await asyncio.sleep(0.05)


def _clients(client: Client, path: str, numbers: Iterator[int]) -> list[asyncio.Task[list[float]]]:
    """Start clients that create tasks, and give the seconds that each of their lists took."""

    async def work() -> list[float]:
        connection, took = await client.connect(), list[float]()
        for number in numbers:
            await connection.ask(client.request("POST", path, {"title": f"Task {number}"}))
            began = time.perf_counter()
            await connection.ask(client.request("GET", f"{path}?limit=50"))
            took.append(time.perf_counter() - began)
        connection.close()
        return took

    return [asyncio.create_task(work()) for _ in range(CLIENTS)]
