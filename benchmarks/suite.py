"""How long do the tests of each kind take?"""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.harness.figures import Figure

ROOT = Path(__file__).parent.parent
IN_MEMORY = Path("/dev/shm")


class Part(NamedTuple):
    """The tests that pytest selects with some options, and how long they may take."""

    options: tuple[str, ...]
    target_s: float
    in_memory: bool = False


PARTS = {
    "unit tests (make unit)": Part(
        ("-m", "not servers and not acceptance", "--hypothesis-profile=quick"), 15, in_memory=True
    ),
    "tests with servers": Part(("-m", "servers and not acceptance"), 480),
    "tests of the whole product": Part(("-m", "acceptance and not fuzz and not browser"), 480),
    "tests with generated requests": Part(("-m", "fuzz"), 300),
    "tests in a browser": Part(("-m", "browser"), 240),
}
"""The limits in CI, as CONTRIBUTING.md lists them."""


class TestsFailed(Exception):
    """A test failed, so its time means nothing."""


def measure() -> list[Figure]:
    """Return wall and CPU seconds of a single round, because all tests take minutes."""
    figures: list[Figure] = []
    for what, part in PARTS.items():
        wall_s, cpu_s = _run(part)
        figures.append(
            Figure(what=what, unit="s", rounds=[wall_s], target=part.target_s, at_least=False)
        )
        figures.append(Figure(what=what, unit="s CPU", rounds=[cpu_s]))
    return figures


def _run(part: Part) -> tuple[float, float]:
    before, began = os.times(), time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-q", *part.options]
    in_memory = part.in_memory and IN_MEMORY.exists()
    environment = {**os.environ, "TMPDIR": str(IN_MEMORY)} if in_memory else None
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    seconds, after = time.perf_counter() - began, os.times()
    if done.returncode:
        raise TestsFailed(done.stdout[-2000:])
    cpu = (after.children_user + after.children_system) - (
        before.children_user + before.children_system
    )
    return seconds, cpu
