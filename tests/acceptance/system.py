"""The whole product as real processes, started by ``trackrecord up`` in a directory of its own."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import httpx

from cli.running import Running, find_running
from devstack.port import HeldPort
from tests.acceptance.customers import ANSWER_S_MAX

ROOT = Path(__file__).parents[2]
START_S = 90.0
POLL_S = 0.05
RESTART_S = 60.0
T = TypeVar("T")
COMMAND = [sys.executable, "-m", "cli"]


def environment(data_dir: Path, **more: str) -> dict[str, str]:
    """Return a clean environment without the caller's settings."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR")}
    return {**kept, "PYTHONPATH": str(ROOT), "DATA_DIR": str(data_dir), **more}


def eventually(ask: Callable[[], T | None], what: str, timeout_s: float = 60.0) -> T:
    """Return the result of *ask* once it is not None."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        found = ask()
        if found is not None:
            return found
        time.sleep(POLL_S)
    raise AssertionError(f"{what}: not within {timeout_s:.0f} s")


def command_beside(
    environment: dict[str, str], *arguments: str, timeout_s: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run an operator's command with the settings of a running system."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


class System:
    """A running ``up``."""

    victims: Sequence[str] = ("serve", "follow", "redis")
    options: Sequence[str] = ("--no-demo",)

    def __init__(self, data_dir: Path, **more: str) -> None:
        self.data_dir = data_dir
        self.port = HeldPort()
        self.environment = environment(
            data_dir, PORT=str(int(self.port)), RATE_LIMITS="off", **more
        )
        self.output = data_dir / "up.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.output.open("ab") as output:
            command = [*COMMAND, "up", *self.options]
            self.process = subprocess.Popen(
                command, env=self.environment, cwd=ROOT, stdout=output, stderr=output
            )
        eventually(self._started, f"up: {self.output.read_text()}", START_S)

    def _started(self) -> Running | None:
        assert self.process is not None
        assert self.process.poll() is None, self.output.read_text()
        return find_running(self.data_dir)

    @property
    def running(self) -> Running:
        found = find_running(self.data_dir)
        assert found is not None, self.output.read_text()
        return found

    async def kill(self, name: str) -> None:
        """Kill one process and wait until it was restarted."""
        old = self.running.processes[name]
        os.kill(old, signal.SIGKILL)
        deadline = time.monotonic() + RESTART_S
        while self.running.processes.get(name) in (None, old):
            assert time.monotonic() < deadline, f"{name} is not started again"
            await asyncio.sleep(POLL_S)

    def check_that_nothing_else_died(self) -> None:
        """Fail if the supervisor ended, or restarted what nobody killed."""
        assert self.process is not None
        assert self.process.poll() is None, self.output.read_text()
        said = self.output.read_text()
        assert "does not advance" not in said, said

    def command(self, *arguments: str, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        """Run an operator's command next to the running system."""
        return command_beside(self.environment, *arguments, timeout_s=timeout_s)

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"{self.running.url}/api", timeout=ANSWER_S_MAX)

    def stop(self) -> int:
        """Stop as with Ctrl-C; return the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


@contextmanager
def data_directory() -> Iterator[Path]:
    """Yield a directory that servers under another account may enter; delete it afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="trackrecord-"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def system(partitions: int = 1, **more: str) -> Iterator[System]:
    """Run the product until the block ends."""
    with data_directory() as directory:
        url = f"sqlite:///{directory / 'events.db'}?partitions={partitions}"
        started = System(directory, EVENTS_URL=url, **more)
        try:
            started.start()
            yield started
        finally:
            if started.process is not None and started.process.poll() is None:
                started.stop()
