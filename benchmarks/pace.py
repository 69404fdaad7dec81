"""How quickly something was done, and what it cost."""

import time
from collections.abc import Generator
from contextlib import contextmanager


class Pace:
    """A count of commands with the wall and CPU time of the whole process that they took."""

    def __init__(self) -> None:
        self.done = 0
        self._seconds = self._cpu_seconds = 0.0

    @contextmanager
    def timed(self) -> Generator[None]:
        """Take the time of what happens inside."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self._seconds += time.perf_counter() - wall
        self._cpu_seconds += time.process_time() - cpu

    @property
    def per_second(self) -> float:
        return self.done / self._seconds

    @property
    def cpu_us(self) -> float:
        """CPU microseconds of this process a command; neighbours move it less than the pace."""
        return self._cpu_seconds / self.done * 1e6
