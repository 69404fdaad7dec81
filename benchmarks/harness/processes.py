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
    """One environment, and the processes that run in it until the block ends."""

    def __init__(self, directory: Path, environment: Mapping[str, str], stack: ExitStack) -> None:
        self._directory, self._environment, self._stack = directory, dict(environment), stack

    @property
    def address(self) -> tuple[str, int]:
        """Where the API listens."""
        return HOST, int(self._environment["PORT"])

    @contextmanager
    def running(self, module: str) -> Generator[int]:
        """Run a process while the block lasts; give its process id."""
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
        """Run a process until the stack is taken down; return its process id."""
        return self._stack.enter_context(self.running(module))


@contextmanager
def stack(directory: Path) -> Generator[Stack]:
    """Give embedded read models and wake-ups, an empty SQLite log, and no process yet."""
    with ExitStack() as things:
        port = HeldPort()
        environment = {
            **os.environ,
            "APP_ENV": "test",
            "DATA_DIR": str(directory),
            "PORT": str(int(port)),
            "EVENTS_URL": f"sqlite:///{directory / 'events.db'}",
            "MONGODB_URI": things.enter_context(mongo(directory / "mongo")).url,
            "REDIS_URL": things.enter_context(redis(directory / "redis")).url,
            "RATE_LIMITS": "off",
            "WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8",
        }
        yield Stack(directory, environment, things)


def cpu_clock(pid: int) -> Clock:
    """Return the clock of the CPU time of a process, all its threads together.

    What ``clock_getcpuclockid(3)`` computes on Linux, which Python offers for threads only.
    """
    return (~pid << 3) | 2


def cpu_seconds(clock: Clock) -> float:
    return time.clock_gettime(clock)
