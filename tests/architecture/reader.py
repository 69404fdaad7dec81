"""Somebody who follows a page of the documentation on the whole product."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from devstack.port import HeldPort
from tests.architecture.sources import ROOT

BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
START_S = 120.0
DELIVERY_S = 30.0


class Reader:
    """Follows a page in a folder of its own, on other ports."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder, self.port, self.receiving = folder, int(HeldPort()), int(HeldPort())
        self._settings = settings

    def ours(self, text: str) -> str:
        """Return *text* of the page with our ports and the program under test."""
        text = text.replace(":3000", f":{self.port}").replace(":9000", f":{self.receiving}")
        text = text.replace("9000)", f"{self.receiving})")
        programs = {"trackrecord": f"{sys.executable} -m cli", "python": sys.executable}
        named = re.compile(r"(?:\.\./)?\.venv/bin/(\w+)")
        return named.sub(lambda found: programs[found[1]], text)

    def environment(self) -> dict[str, str]:
        """Return the environment of everything that the reader starts."""
        own = {
            "DATA_DIR": str(self.folder / "data"),
            "PORT": str(self.port),
            "API_URL": f"http://127.0.0.1:{self.port}",
        }
        return {**os.environ, **own, **self._settings, "PYTHONPATH": str(ROOT)}

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a shell script in the reader's folder."""
        return subprocess.run(
            ["/usr/bin/env", "bash", "-c", script],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=START_S + DELIVERY_S,
            check=False,
        )

    def follow(self, page: Path) -> list[str]:
        """Run all commands of a page, and return the lines that they print."""
        steps = [self.ours(text) for _, text in BLOCK.findall(page.read_text(encoding="utf-8"))]
        told = self.run("set -eu\n" + "\n".join(steps))
        assert told.returncode == 0, told.stdout + told.stderr
        return [line for line in told.stdout.splitlines() if line]


@contextmanager
def reading(folder: Path, **settings: str) -> Generator[Reader]:
    """Start the product as `make run` does, with a data directory of its own and *settings*."""
    reader = Reader(folder, **settings)
    for each in (folder, *folder.parents[:2]):  # the stores run as somebody else
        each.chmod(0o755)
    output = folder / "up.txt"
    with output.open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "cli", "up"],
            cwd=ROOT,
            env=reader.environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _until(lambda: "Ctrl-C stops" in output.read_text(), START_S, output, child)
        yield reader
    finally:
        child.send_signal(signal.SIGINT)
        child.wait(60)


def _until(
    holds: Callable[[], bool], timeout_s: float, output: Path, child: subprocess.Popen[bytes]
) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert child.poll() is None, output.read_text()
        assert time.monotonic() < deadline, output.read_text()
        time.sleep(0.1)
