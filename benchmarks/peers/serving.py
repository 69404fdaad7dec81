"""Starts the peers, each in an environment of its own."""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.harness.http_client import Address
from benchmarks.harness.processes import ROOT, STOP_S, trees_cpu_seconds
from devstack.port import HOST, HeldPort
from devstack.postgres import postgres

LOCK = Path(__file__).parent / "requirements.lock"
HOME = ROOT / ".venv" / "peers"
"""Where the peers' libraries are installed: apart from ours, and removed with them."""


class Peer:
    """A running peer with its database."""

    def __init__(self, address: Address, roots: list[int]) -> None:
        self.address = address
        self._roots = roots

    def cpu_seconds(self) -> float:
        """Return the CPU time of its process and of its database."""
        return trees_cpu_seconds(self._roots)

    def stand_in_cpu_seconds(self) -> float:
        """Return 0.0: no server stands in for another."""
        return 0.0


@contextmanager
def crud(directory: Path) -> Generator[Peer]:
    """Run the CRUD service with one process on a PostgreSQL of its own during the block."""
    python, port = _python(), HeldPort()
    with postgres(directory / "postgres") as database:
        url = database.url.replace("postgresql://", "postgresql+asyncpg://")
        options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log"]
        command = [
            *(str(python), "-m", "uvicorn", "benchmarks.peers.crud.app:app"),
            *("--host", HOST, "--port", str(int(port)), "--log-level", "warning", *options),
        ]
        environment = {**os.environ, "DATABASE_URL": url, "PYTHONPATH": str(ROOT)}
        with (directory / "crud.log").open("ab") as log:
            process = subprocess.Popen(command, env=environment, cwd=ROOT, stderr=log)
        try:
            assert database.pid is not None
            yield Peer((HOST, int(port)), [process.pid, database.pid])
        finally:
            process.terminate()
            process.wait(STOP_S)


def _python() -> Path:
    """Return the peers' Python, after installing what they run on if the lock has changed."""
    python, installed = HOME / "bin" / "python", HOME / "requirements.lock"
    if not installed.exists() or installed.read_bytes() != LOCK.read_bytes():
        print("installing what the peers run on (once) ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", HOME], check=True)
        install = ["install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        subprocess.run([python, "-m", "pip", *install, "-r", LOCK], check=True)
        installed.write_bytes(LOCK.read_bytes())
    return python
