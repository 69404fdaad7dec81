"""Our own processes and their stores, as in production, for benchmarks over HTTP."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from devstack.mongo import mongo
from devstack.port import HOST, HeldPort
from devstack.redis import redis

ROOT = Path(__file__).parents[2]
STOP_S = 20.0
API = "benchmarks.harness.http_server"
"""The real server with two more routes; see there."""
PROJECTORS = "workers.projecting"
WORKER = "workers"

Clock = int


class Stack:
    """An environment and the processes that run in it until the block ends."""

    def __init__(self, directory: Path, environment: Mapping[str, str], stack: ExitStack) -> None:
        self._directory, self._environment, self._stack = directory, dict(environment), stack

    @property
    def address(self) -> tuple[str, int]:
        """The address of the API."""
        return HOST, int(self._environment["PORT"])

    @contextmanager
    def running(self, module: str) -> Generator[int]:
        """Run a process during the block; yield its process id."""
        with (self._directory / f"{module}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module], env=self._environment, cwd=ROOT, stderr=log
            )
        try:
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(STOP_S)

    def start(self, module: str) -> int:
        """Start a process that runs until the stack ends; return its process id."""
        return self._stack.enter_context(self.running(module))


@contextmanager
def stack(directory: Path, *, mongodb: bool = False) -> Generator[Stack]:
    """Yield a stack with embedded stores and an empty SQLite log, without processes.

    Its read models are in SQLite, or with *mongodb* in the best server that there is.
    """
    with ExitStack() as things:
        port = HeldPort()
        environment = {
            **os.environ,
            "APP_ENV": "test",
            "DATA_DIR": str(directory),
            "PORT": str(int(port)),
            "EVENTS_URL": f"sqlite:///{directory / 'events.db'}",
            "REDIS_URL": things.enter_context(redis(directory / "redis")).url,
            "RATE_LIMITS": "off",
            "WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8",
        }
        if mongodb:
            environment["MONGODB_URI"] = things.enter_context(mongo(directory / "mongo")).url
        yield Stack(directory, environment, things)


def cpu_clock(pid: int) -> Clock:
    """Return the clock of the CPU time of a process with all its threads.

    Computed like ``clock_getcpuclockid(3)`` on Linux, which Python offers only for threads.
    """
    return (~pid << 3) | 2


def cpu_seconds(clock: Clock) -> float:
    return time.clock_gettime(clock)
