"""How fast does an event reach 1,000 live readers of one API process, and what does one cost?

The readers are 50 members with 20 streams each, on connections of their own. A time is from the
command's response until the last reader has the event.
"""

import asyncio
import time
from pathlib import Path
from statistics import median

import uvloop

from benchmarks.harness.calm import wait_for_calm
from benchmarks.harness.figures import Figure
from benchmarks.harness.http_client import Client, Connection
from benchmarks.harness.processes import API, stack
from benchmarks.harness.workplace import workplace

MEMBERS = 50
STREAMS = 20
READERS = MEMBERS * STREAMS
ROUNDS = 7
EVENTS = 10
PAUSE_S = 0.2
"""Between an event's arrival and the next command, so that the process is idle again."""
PATIENCE_S = 30.0
TARGET_MS = 250.0
TARGET_KIB = 40.0
NAME = b"event: task.created"
ALL_TRUSTED = {"TRUSTED_PROXIES": "127.0.0.0/8"}
"""So that one address may have more connections than a client's network."""


def measure() -> list[Figure]:
    """Return KiB of a reader, and milliseconds until the last one has an event."""
    with workplace() as directory, stack(directory, settings=ALL_TRUSTED) as processes:
        pid = processes.start(API)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            client = Client(processes.address)
            project = runner.run(client.log_in())
            return runner.run(_measure(client, f"/api/project/{project}/tasks", pid))


async def _measure(client: Client, path: str, pid: int) -> list[Figure]:
    members = [await _member(client, number) for number in range(MEMBERS)]
    await client.ask("POST", path, {"title": "Before"})
    readers = [await _open(members[0]) for _ in range(STREAMS)]  # what is needed only once
    await _told(client, path, readers)
    before = _resident_kib(pid)
    for member in members[1:]:
        readers += [await _open(member) for _ in range(STREAMS)]
    cost = (_resident_kib(pid) - before) / (READERS - STREAMS)
    last: list[list[float]] = []
    for turn in range(ROUNDS + 1):
        await asyncio.to_thread(wait_for_calm)
        times: list[float] = []
        for _ in range(EVENTS):
            times.append(await _told(client, path, readers))
            await asyncio.sleep(PAUSE_S)
        if turn:
            last.append(times)
    for reader in readers:
        reader.close()
    return [
        Figure(
            what=f"until {READERS:,} readers have an event, median",
            unit="ms",
            rounds=[median(times) for times in last],
            target=TARGET_MS,
            at_least=False,
        ),
        Figure(
            what=f"until {READERS:,} readers have an event, longest",
            unit="ms",
            rounds=[max(times) for times in last],
        ),
        Figure(
            what="memory of an idle reader",
            unit="KiB",
            rounds=[cost],
            target=TARGET_KIB,
            at_least=False,
        ),
    ]


async def _told(client: Client, path: str, readers: "list[_Reader]") -> float:
    """Create a task, and return the milliseconds until the last reader was told."""
    for reader in readers:
        reader.expect()
    await client.ask("POST", path, {"title": "Say what the task is about"})
    began = time.perf_counter()
    async with asyncio.timeout(PATIENCE_S):
        at = [await reader.told for reader in readers]
    return (max(at) - began) * 1000


async def _member(client: Client, number: int) -> Client:
    """Have somebody join, and return them."""
    email = f"member{number}@example.com"
    path = f"/api/org/{client.organization}/invitations"
    link = (await client.ask("POST", path, {"email": email, "role": "MEMBER"}))["link"]
    body = {"token": link.rpartition("#")[2], "name": "Kim", "password": "tulip-Harbour-91-quiet"}
    member = Client(client.address)
    joined = await member.ask("POST", "/api/invitations/accept", body)
    await member.present(joined["accessToken"])
    return member


async def _open(member: Client) -> "_Reader":
    reader = await member.connect_as(_Reader)
    reader.send(member.request("GET", "/api/events"))
    async with asyncio.timeout(PATIENCE_S):
        await reader.told
    return reader


class _Reader(Connection):
    """A stream that notes when it is told of a task; first, when it begins."""

    def __init__(self) -> None:
        super().__init__()
        self._name = b"retry: "
        self.told: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def expect(self) -> None:
        """Wait for the next task."""
        self._name = NAME
        self.told = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        if self._name in data and not self.told.done():
            self.told.set_result(time.perf_counter())


def _resident_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [line] = [each for each in lines if each.startswith("VmRSS:")]
    return int(line.split()[1])
