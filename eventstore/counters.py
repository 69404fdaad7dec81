"""Counters of the database drivers in this process: pools, connections, commands, failures.

They are plain numbers, counted where it happens and formatted only on request. They cover the
whole process, like the drivers themselves.
"""

import logging
import time
from bisect import bisect_left
from collections.abc import Generator
from contextlib import contextmanager
from threading import Lock

LOG_DRIVER = "event_log"
OPERATIONS_DRIVER = "operations"
READ_MODELS_DRIVER = "read_models"
REDIS_DRIVER = "redis"
MAIL_DRIVER = "mail"

SLOW_S = 1.0
"""A command that takes longer is logged as a warning and counted as slow."""

BATCH_BOUNDS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
"""Upper bounds of the buckets in which commit batches are counted by size."""

_logger = logging.getLogger(__name__)


class DriverCounters:
    """What one driver has done in this process. Safe to use from several threads."""

    def __init__(self, driver: str) -> None:
        self.driver = driver
        self.pools_created = self.pools_closed = 0
        self.connections_created = self.connections_closed = 0
        self.commands = self.errors = self.slow = self.retries = 0
        self.health_checks_failed = 0
        self._lock = Lock()

    def pool_created(self) -> None:
        with self._lock:
            self.pools_created += 1

    def pool_closed(self) -> None:
        with self._lock:
            self.pools_closed += 1

    def connection_created(self) -> None:
        with self._lock:
            self.connections_created += 1

    def connection_closed(self) -> None:
        with self._lock:
            self.connections_closed += 1

    def retried(self) -> None:
        """Count an operation that is tried again."""
        with self._lock:
            self.retries += 1

    def health_check_failed(self) -> None:
        with self._lock:
            self.health_checks_failed += 1

    def command(self, name: str, took_s: float, *, failed: bool = False) -> None:
        """Count a command that took *took_s* seconds; warn once if that was too long."""
        slow = took_s > SLOW_S
        with self._lock:
            self.commands += 1
            self.errors += failed
            self.slow += slow
        if slow:
            details = {"driver": self.driver, "command": name, "ms": round(took_s * 1000)}
            _logger.warning("slow command", extra={"details": details})

    @contextmanager
    def timed(self, name: str) -> Generator[None]:
        """Count the block as one command, failed if it raises."""
        began = time.perf_counter()
        try:
            yield
        except BaseException:
            self.command(name, time.perf_counter() - began, failed=True)
            raise
        self.command(name, time.perf_counter() - began)


class BatchSizes:
    """A histogram of how many commands shared a commit."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BATCH_BOUNDS) + 1)
        self.sum = 0

    def add(self, size: int) -> None:
        self.counts[bisect_left(BATCH_BOUNDS, size)] += 1
        self.sum += size


_counters: dict[str, DriverCounters] = {}
_creating = Lock()
batch_sizes = BatchSizes()
"""The batches that the one writer of this process has committed."""


def counters_of(driver: str) -> DriverCounters:
    """Return the counters of *driver*; every caller gets the same object."""
    with _creating:
        return _counters.setdefault(driver, DriverCounters(driver))


def all_counters() -> list[DriverCounters]:
    """Return the counters of every driver that this process uses."""
    with _creating:
        return list(_counters.values())
