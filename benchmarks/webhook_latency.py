"""How long after an event is its webhook sent, on an otherwise idle system?"""

import asyncio
import time
from statistics import median, quantiles

import uvloop

from benchmarks.harness.calm import wait_for_calm
from benchmarks.harness.figures import Figure
from benchmarks.harness.http_client import Client
from benchmarks.harness.processes import API, WORKER, stack
from benchmarks.harness.workplace import workplace
from devstack.port import HOST

ROUNDS = 7
EVENTS = 40
PAUSE_S = 0.05
"""Between a webhook's arrival and the next request, so that the system is idle again."""
PATIENCE_S = 30.0
TARGET_MS = 30

ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


def measure() -> list[Figure]:
    """Return milliseconds from the request, and from its response, to the webhook's arrival."""
    with workplace() as directory, stack(directory) as processes:
        processes.start(API)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            client = Client(processes.address)
            project = runner.run(client.log_in())
            # Only after the first login, so that there is a log to follow.
            processes.start(WORKER)
            return runner.run(_measure(client, f"/api/project/{project}/tasks"))


async def _measure(client: Client, path: str) -> list[Figure]:
    receiver = _Receiver()
    server = await asyncio.start_server(receiver.receive, HOST, 0)
    port = server.sockets[0].getsockname()[1]
    webhook = {"url": f"http://{HOST}:{port}/", "events": ["task.created"]}
    await client.ask("POST", "/api/webhook", webhook)
    from_request: list[list[float]] = []
    from_reply: list[list[float]] = []
    for turn in range(ROUNDS + 1):
        await asyncio.to_thread(wait_for_calm)
        requested, replied = await _round(client, path, receiver)
        if turn:
            from_request.append(requested)
            from_reply.append(replied)
    server.close()
    return [
        Figure(
            what="p50, from the command's response to the webhook's POST",
            unit="ms",
            rounds=[median(times) for times in from_reply],
            target=TARGET_MS,
            at_least=False,
        ),
        Figure(what="p95", unit="ms", rounds=[_p95(times) for times in from_reply]),
        Figure(
            what="p50, from the command's request to the webhook's POST",
            unit="ms",
            rounds=[median(times) for times in from_request],
        ),
    ]


async def _round(
    client: Client, path: str, receiver: "_Receiver"
) -> tuple[list[float], list[float]]:
    from_request: list[float] = []
    from_reply: list[float] = []
    for _ in range(EVENTS):
        receiver.expect()
        sent = time.perf_counter()
        await client.ask("POST", path, {"title": "Say what the task is about"})
        replied = time.perf_counter()
        arrived = await receiver.arrival()
        from_request.append((arrived - sent) * 1000)
        from_reply.append((arrived - replied) * 1000)
        await asyncio.sleep(PAUSE_S)
    return from_request, from_reply


def _p95(times: list[float]) -> float:
    return quantiles(times, n=20)[-1]


class _Receiver:
    """The customer's side: records when a webhook arrives, and accepts it."""

    def __init__(self) -> None:
        self._arrived: asyncio.Future[float] | None = None

    def expect(self) -> None:
        """Prepare for one webhook."""
        self._arrived = asyncio.get_running_loop().create_future()

    async def arrival(self) -> float:
        """Return when it arrived.

        :raises TimeoutError: it did not.
        """
        assert self._arrived is not None
        return await asyncio.wait_for(self._arrived, PATIENCE_S)

    async def receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, asyncio.CancelledError):
                break
            now = time.perf_counter()
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length or b"0"))
            if self._arrived is not None and not self._arrived.done():
                self._arrived.set_result(now)
            writer.write(ANSWER)
        writer.close()
