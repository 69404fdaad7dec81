"""How long do the tests of each kind take?"""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.harness.figures import Figure

ROOT = Path(__file__).parent.parent
_PYTEST = (sys.executable, "-m", "pytest", "-q", "-m")


class Part(NamedTuple):
    """A command that runs some of the tests, and how long it may take."""

    command: tuple[str, ...]
    target_s: float


PARTS = {
    "unit tests": Part(("make", "unit"), 15),
    "tests with servers": Part((*_PYTEST, "servers and not acceptance"), 480),
    "tests of the whole product": Part((*_PYTEST, "acceptance and not fuzz and not browser"), 480),
    "tests with generated requests": Part((*_PYTEST, "fuzz"), 300),
    "tests in a browser": Part((*_PYTEST, "browser"), 240),
}
"""The limits in CI, as CONTRIBUTING.md lists them."""


class TestsFailed(Exception):
    """A test failed, so its time means nothing."""


def measure() -> list[Figure]:
    """Return wall and CPU seconds of a single round, because all tests take minutes."""
    figures: list[Figure] = []
    for what, part in PARTS.items():
        wall_s, cpu_s = _run(part.command)
        figures.append(
            Figure(what=what, unit="s", rounds=[wall_s], target=part.target_s, at_least=False)
        )
        figures.append(Figure(what=what, unit="s CPU", rounds=[cpu_s]))
    return figures


def _run(command: tuple[str, ...]) -> tuple[float, float]:
    before, began = os.times(), time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    seconds, after = time.perf_counter() - began, os.times()
    if done.returncode:
        raise TestsFailed(done.stdout[-2000:])
    cpu = (after.children_user + after.children_system) - (
        before.children_user + before.children_system
    )
    return seconds, cpu
