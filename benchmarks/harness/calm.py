"""How busy and how fast the machine is: neighbours can slow a shared core down by a third."""

import time
from pathlib import Path

BUSY_CORES_MAX = 0.3
PATIENCE_S = 5.0
LOOK_S = 0.3

PYTHON_SPEED = "speed of the machine: multiplications and additions in a plain loop"
_PRODUCTS = 300_000

_STAT = Path("/proc/stat")
_TICKS_PER_S = 100  # USER_HZ, the same on every Linux architecture of ours


def wait_for_calm() -> None:
    """Return once the machine is almost idle, or after ``PATIENCE_S`` seconds.

    Without ``/proc/stat`` it returns at once.
    """
    until = time.monotonic() + PATIENCE_S
    while _STAT.exists() and time.monotonic() < until:
        before = _busy_ticks()
        time.sleep(LOOK_S)
        if (_busy_ticks() - before) / _TICKS_PER_S / LOOK_S < BUSY_CORES_MAX:
            return


def python_speed() -> float:
    """Return how many millions of multiplications and additions plain Python does per CPU second.

    Absolute CPU times can be compared only if this is the same.
    """
    began, total = time.thread_time_ns(), 0
    for n in range(_PRODUCTS):
        total += n * n
    return _PRODUCTS / (time.thread_time_ns() - began) * 1000


def _busy_ticks() -> int:
    """Return how long all cores have worked since boot: user, nice, system, interrupts."""
    ticks = [int(word) for word in _STAT.read_text().split(maxsplit=9)[1:9]]
    return sum(ticks[:3]) + sum(ticks[5:7])
