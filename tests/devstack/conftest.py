"""A data directory for servers, and helpers that wait for processes."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it has no types
import pytest

DEADLINE_S = 15.0


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Yield a directory that any account can enter; pytest's own are accessible only to us."""
    top = Path(tempfile.mkdtemp(prefix="devstack-"))
    top.chmod(0o755)
    yield top / "server"
    shutil.rmtree(top)


def eventually(fact: Callable[[], bool]) -> bool:
    """Return True as soon as `fact` holds, False if it does not before the deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while not fact():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def processes_in(directory: Path) -> list[psutil.Process]:
    """Return the running processes whose command line or working directory is in `directory`."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            places = [process.cwd(), *process.cmdline()]
            if process.status() != psutil.STATUS_ZOMBIE and any(
                str(directory) in p for p in places
            ):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found
