"""Freezing a process: a store that hangs instead of dying."""

import os
import signal
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

DEADLINE_S = 10.0


def freeze(pid: int) -> None:
    """Stop a process and return once none of its threads runs any more.

    A signal is only on its way when ``kill`` returns: a call that is made at once may still be
    answered.
    """
    os.kill(pid, signal.SIGSTOP)
    deadline = time.monotonic() + DEADLINE_S
    while not all(map(_is_stopped, Path(f"/proc/{pid}/task").iterdir())):
        assert time.monotonic() < deadline, f"process {pid} does not stop"
        os.sched_yield()


@contextmanager
def frozen(pid: int) -> Generator[None]:
    """Freeze a server with all its children until the block ends; then it goes on."""
    stopped: list[int] = []
    try:
        freeze(pid)  # first: it starts no more children
        stopped.append(pid)
        for child in list(_descendants(pid)):
            freeze(child)
            stopped.append(child)
        yield
    finally:
        for each in reversed(stopped):
            os.kill(each, signal.SIGCONT)


def _descendants(pid: int) -> Iterator[int]:
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            yield child
            yield from _descendants(child)


def _is_stopped(thread: Path) -> bool:
    # The name in brackets may have spaces; the state is the first word after it (proc(5)).
    try:
        return (thread / "stat").read_text().rpartition(") ")[2].startswith("T")
    except (FileNotFoundError, ProcessLookupError):
        return True  # the thread ended meanwhile
