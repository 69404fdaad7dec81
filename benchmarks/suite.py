"""How long do the tests take, without servers and in all?"""

import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.harness.figures import Figure

ROOT = Path(__file__).parent.parent
UNIT = ("-m", "not servers and not acceptance", "--hypothesis-profile=quick")
TARGET_UNIT_S = 15
TARGET_ALL_S = 360


class TestsFailed(Exception):
    """A test failed, so its time means nothing."""


def measure() -> list[Figure]:
    """Return wall and CPU seconds of a single round, because all tests take minutes."""
    unit_s, unit_cpu_s = _run(*UNIT)
    all_s, all_cpu_s = _run()
    return [
        Figure(
            what="tests without servers (make unit)",
            unit="s",
            rounds=[unit_s],
            target=TARGET_UNIT_S,
            at_least=False,
        ),
        Figure(
            what="all tests (pytest, as in make test)",
            unit="s",
            rounds=[all_s],
            target=TARGET_ALL_S,
            at_least=False,
        ),
        Figure(what="tests without servers", unit="s CPU", rounds=[unit_cpu_s]),
        Figure(what="all tests", unit="s CPU", rounds=[all_cpu_s]),
    ]


def _run(*options: str) -> tuple[float, float]:
    before, began = os.times(), time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-q", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    seconds, after = time.perf_counter() - began, os.times()
    if done.returncode:
        raise TestsFailed(done.stdout[-2000:])
    cpu = (after.children_user + after.children_system) - (
        before.children_user + before.children_system
    )
    return seconds, cpu
