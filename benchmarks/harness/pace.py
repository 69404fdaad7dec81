"""How quickly something was done, and what it cost."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager


class Pace:
    """A count of commands with the wall time and the CPU time of one process that they took.

    *cpu* gives the CPU seconds that the process, this one unless said otherwise, has used so far.
    """

    def __init__(self, cpu: Callable[[], float] = time.process_time) -> None:
        self.done = 0
        self._cpu = cpu
        self._seconds = self._cpu_seconds = 0.0

    @contextmanager
    def timed(self) -> Generator[None]:
        """Take the time of what happens inside."""
        wall, cpu = time.perf_counter(), self._cpu()
        yield
        self._seconds += time.perf_counter() - wall
        self._cpu_seconds += self._cpu() - cpu

    @property
    def per_second(self) -> float:
        return self.done / self._seconds

    @property
    def cpu_us(self) -> float:
        """CPU microseconds a command; neighbours move it less than the pace."""
        return self._cpu_seconds / self.done * 1e6
