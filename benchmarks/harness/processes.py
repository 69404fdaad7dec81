"""Our own processes and their stores, as in production, for benchmarks over HTTP."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from benchmarks.harness.replies import quick_replies
from devstack.mongo import MONGOD, mongo
from devstack.port import HOST, HeldPort
from devstack.postgres import postgres
from devstack.redis import redis
from devstack.server import Server

ROOT = Path(__file__).parents[2]
STOP_S = 20.0
API = "benchmarks.harness.http_server"
"""The real server with three additional routes for comparison."""
FORGETFUL_API = "benchmarks.harness.forgetful_server"
"""The same, but no page is answered from memory."""
PROJECTORS = "workers.projecting"
WORKER = "workers"
FLOOR = "benchmarks.harness.floor_server"
"""The least that a durable POST costs; see there."""
FOLLOWERS = "workers.following"
"""Projectors and worker in one process, as ``make run`` starts them."""

Clock = int


class Stack:
    """An environment and the processes that run in it until the block ends."""

    def __init__(
        self,
        directory: Path,
        environment: Mapping[str, str],
        stack: ExitStack,
        servers: Sequence[Server] = (),
    ) -> None:
        self._directory, self._environment, self._stack = directory, dict(environment), stack
        self._pids = [server.pid for server in servers if server.pid is not None]
        self._stand_ins = [
            server.pid
            for server in servers
            if server.pid is not None and server.name == "mongo" and server.engine != MONGOD
        ]

    @property
    def address(self) -> tuple[str, int]:
        """The address of the API."""
        return HOST, int(self._environment["PORT"])

    @property
    def floor(self) -> tuple[str, int]:
        """The address of the server of the floor."""
        return HOST, int(self._environment["FLOOR_PORT"])

    @contextmanager
    def running(self, module: str, **more: str) -> Generator[int]:
        """Run a process during the block, with *more* settings; yield its process id."""
        with (self._directory / f"{module}.log").open("ab") as log:
            environment = self._environment | more
            process = subprocess.Popen(
                [sys.executable, "-m", module], env=environment, cwd=ROOT, stderr=log
            )
        try:
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(STOP_S)

    def start(self, module: str, **more: str) -> int:
        """Start a process that runs until the stack ends; return its process id."""
        pid = self._stack.enter_context(self.running(module, **more))
        self._pids.append(pid)
        return pid

    @property
    def mongodb_uri(self) -> str:
        """The address of the server of the read models."""
        return self._environment["MONGODB_URI"]

    @property
    def events_url(self) -> str:
        """The address of the server of the log, without our own options."""
        return self._environment["EVENTS_URL"].partition("?")[0]

    @property
    def environment(self) -> Mapping[str, str]:
        """The settings of all processes."""
        return self._environment

    def cpu_seconds(self) -> float:
        """Return the CPU time of all started processes and of the servers of the stores."""
        return trees_cpu_seconds(self._pids)

    def stand_in_cpu_seconds(self) -> float:
        """Return the CPU time of the server that stands in for MongoDB, if one does."""
        return trees_cpu_seconds(self._stand_ins)


@contextmanager
def stack(
    directory: Path,
    *,
    mongodb: bool = False,
    quick: bool = False,
    postgresql: int = 0,
    settings: Mapping[str, str] | None = None,
) -> Generator[Stack]:
    """Yield a stack with embedded stores and an empty log, without processes.

    Its log is in SQLite, or in PostgreSQL, in as many partitions as *postgresql* says. Its read
    models are in SQLite, or with *mongodb* in the best server that there is; if *quick*, repeated
    reads are answered from memory where that is not ``mongod``. *settings* are added to the
    environment.
    """
    with ExitStack() as things:
        port, floor = HeldPort(), HeldPort()
        servers = [things.enter_context(redis(directory / "redis"))]
        environment = {
            **os.environ,
            "APP_ENV": "test",
            # Its own: our processes close it to others, whom the servers of the stores may run as.
            "DATA_DIR": str(directory / "data"),
            "PORT": str(int(port)),
            "FLOOR_PORT": str(int(floor)),
            "EVENTS_URL": f"sqlite:///{directory / 'events.db'}",
            "REDIS_URL": servers[0].url,
            "RATE_LIMITS": "off",
            "WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8",
            **(settings or {}),
        }
        if mongodb:
            servers.append(things.enter_context(mongo(directory / "mongo")))
            environment["MONGODB_URI"] = servers[-1].url
            if quick and servers[-1].engine != MONGOD:
                replies = things.enter_context(quick_replies(int(servers[-1].port)))
                environment["MONGODB_URI"] = replies
        if postgresql:
            servers.append(things.enter_context(postgres(directory / "postgres")))
            environment["EVENTS_URL"] = f"{servers[-1].url}?partitions={postgresql}"
            migrate = [sys.executable, "-m", "cli", "migrate"]
            subprocess.run(migrate, env=environment, cwd=ROOT, check=True, capture_output=True)
        yield Stack(directory, environment, things, servers)


def cpu_clock(pid: int) -> Clock:
    """Return the clock of the CPU time of a process with all its threads.

    Computed like ``clock_getcpuclockid(3)`` on Linux, which Python offers only for threads.
    """
    return (~pid << 3) | 2


def cpu_seconds(clock: Clock) -> float:
    return time.clock_gettime(clock)


def trees_cpu_seconds(roots: Iterable[int]) -> float:
    """Return the CPU time of processes and all their descendants that still run."""
    waiting, total = list(roots), 0.0
    while waiting:
        pid = waiting.pop()
        with suppress(OSError):  # it has just ended
            total += cpu_seconds(cpu_clock(pid))
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                waiting += map(int, children.read_text().split())
    return total
