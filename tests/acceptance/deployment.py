"""The product as in production: every process of its own, beside three servers."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

import httpx

from devstack.mongo import mongo
from devstack.port import HeldPort
from devstack.postgres import postgres
from devstack.redis import redis
from devstack.server import Server
from tests.acceptance.customers import ANSWER_S_MAX
from tests.acceptance.system import (
    ROOT,
    START_S,
    command_beside,
    data_directory,
    environment,
    eventually,
)

PROCESSES = {"serve": "api", "project": "workers.projecting", "work": "workers"}
API_WORKERS = 2
STOP_S = 20.0


class Deployment:
    """``serve`` with two processes, ``project`` and ``work``; PostgreSQL, MongoDB and Redis.

    The first copy of each is called so, the others ``serve 2`` and so on. Each ``serve`` has a port
    of its own.
    """

    def __init__(
        self,
        directory: Path,
        partitions: int = 1,
        copies: Mapping[str, int] | None = None,
        **more: str,
    ) -> None:
        """Take how many *copies* there are of each process, and *more* settings."""
        self.data_dir = directory / "data"
        self.data_dir.mkdir()
        many = dict.fromkeys(PROCESSES, 1) | dict(copies or {})
        self.names = [
            name if n == 1 else f"{name} {n}"
            for name in PROCESSES
            for n in range(1, many[name] + 1)
        ]
        self._ports = {name: HeldPort() for name in self.names if _kind(name) == "serve"}
        self.urls = [f"http://127.0.0.1:{int(port)}" for port in self._ports.values()]
        self.url = self.urls[0]
        self._metrics_ports = {name: HeldPort() for name in self.names}
        self.servers: dict[str, Server] = {
            "postgres": postgres(directory / "postgres"),
            "mongo": mongo(directory / "mongo"),
            "redis": redis(directory / "redis"),
        }
        settings = {
            "RATE_LIMITS": "off",
            "API_WORKERS": str(API_WORKERS),
            "WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8",
            "EVENTS_URL": f"{self.servers['postgres'].url}?partitions={partitions}",
            "MONGODB_URI": self.servers["mongo"].url,
            "REDIS_URL": self.servers["redis"].url,
        }
        self.environment = environment(self.data_dir, **(settings | more))
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start the servers, create the tables and start the processes."""
        for server in self.servers.values():
            server.start()
        for server in self.servers.values():
            server.wait_ready()
        migrated = self.command("migrate")
        assert migrated.returncode == 0, migrated.stderr
        for name in self.names:
            self._start(name)
        eventually(self._ready, "the deployment is ready", START_S)

    def _start(self, name: str) -> None:
        with self._log(name).open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", PROCESSES[_kind(name)]],
                env={
                    **self.environment,
                    "METRICS_PORT": str(int(self._metrics_ports[name])),
                    "PORT": str(int(self._ports.get(name, self._ports["serve"]))),
                },
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _log(self, name: str) -> Path:
        return self.data_dir.parent / f"{name}.log"

    def _ready(self) -> bool | None:
        self.check_that_nothing_else_died()
        with contextlib.suppress(httpx.TransportError):
            answers = [httpx.get(f"{url}/api/health/ready", timeout=5) for url in self.urls]
            return True if {answer.status_code for answer in answers} == {200} else None
        return None

    @property
    def metrics_urls(self) -> dict[str, str]:
        """Where each process shows its metrics; ``serve`` shows them on its own port."""
        return {n: f"http://127.0.0.1:{int(p)}/metrics" for n, p in self._metrics_ports.items()}

    @property
    def victims(self) -> Sequence[str]:
        return (*self.names, *self.servers)

    @property
    def stores(self) -> dict[str, int]:
        """The process ids of the servers that hold data."""
        return {name: server.pid for name, server in self.servers.items() if server.pid is not None}

    async def kill(self, name: str) -> None:
        """Kill one process or server, and start it again at once, from this thread."""
        if name in self.servers:
            server = self.servers[name]
            assert server.pid is not None
            os.kill(server.pid, signal.SIGKILL)
            eventually(lambda: None if server.alive() else True, f"{name} dies")
            server.start()
            return
        self._processes[name].kill()
        self._processes[name].wait()
        self._start(name)

    async def terminate(self, *names: str) -> None:
        """Stop processes as a supervisor does: all at once, and each must end by itself in time."""
        await asyncio.to_thread(self._terminate, names)

    def _terminate(self, names: Sequence[str]) -> None:
        for name in names:
            self._processes[name].terminate()
        deadline = time.monotonic() + STOP_S
        codes = {name: self._code(name, deadline) for name in names}
        said = {name: self._log(name).read_text()[-2000:] for name in names if codes[name]}
        assert not said, f"exit codes {codes}: {said}"

    def _code(self, name: str, deadline: float) -> int:
        """Return the exit code of a process, which is killed if it does not end by itself."""
        try:
            return self._processes[name].wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            self._processes[name].kill()
            return self._processes[name].wait()

    def resume(self, *names: str) -> None:
        """Start processes that were stopped; call it from the main thread."""
        for name in names:
            self._start(name)

    def check_that_nothing_else_died(self) -> None:
        """Fail if a process ended that nobody killed."""
        for name, process in self._processes.items():
            assert process.poll() is None, f"{name} ended:\n{self._log(name).read_text()[-4000:]}"

    def command(self, *arguments: str, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        """Run an operator's command."""
        return command_beside(self.environment, *arguments, timeout_s=timeout_s)

    def http(self, number: int = 0) -> httpx.AsyncClient:
        """Return a client of one ``serve``, the first if none is named."""
        return httpx.AsyncClient(base_url=f"{self.urls[number]}/api", timeout=ANSWER_S_MAX)

    def stop(self) -> None:
        """Stop the processes as a supervisor does, then the servers."""
        try:
            self._terminate(list(self._processes))
        finally:
            for process in self._processes.values():
                process.kill()
                process.wait()
            for server in self.servers.values():
                server.stop()


def _kind(name: str) -> str:
    return name.partition(" ")[0]


@contextlib.contextmanager
def deployment(
    partitions: int = 1, copies: Mapping[str, int] | None = None, **more: str
) -> Generator[Deployment]:
    """Run the product on three servers until the block ends."""
    with data_directory() as directory:
        started = Deployment(directory, partitions, copies, **more)
        try:
            started.start()
            yield started
        finally:
            started.stop()
