"""How fast commands ran, and how much CPU they used."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager


class Pace:
    """A number of commands with the wall time and the CPU time that they took.

    *cpu* returns the CPU seconds used so far by the process, by default this one.
    """

    def __init__(self, cpu: Callable[[], float] = time.process_time) -> None:
        self.done = 0
        self._cpu = cpu
        self._seconds = self._cpu_seconds = 0.0

    @contextmanager
    def timed(self) -> Generator[None]:
        """Measure the time of the block."""
        wall, cpu = time.perf_counter(), self._cpu()
        yield
        self._seconds += time.perf_counter() - wall
        self._cpu_seconds += self._cpu() - cpu

    @property
    def per_second(self) -> float:
        return self.done / self._seconds

    @property
    def cpu_us(self) -> float:
        """CPU microseconds per command, which neighbours affect less than wall time."""
        return self._cpu_seconds / self.done * 1e6
