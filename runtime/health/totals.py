"""The counters of the processes of one API, added up."""

import os
from pathlib import Path

import msgspec
from msgspec import Struct
from prometheus_client import ProcessCollector

from eventstore.counters import DriverCounters, all_counters, batch_sizes
from runtime.health.streams import open_streams

SHARED_DIR = "METRICS_SHARED_DIR"
"""The variable with the directory in which the API processes of one port share their counters."""


CPU = "process_cpu_seconds_total"
PROCESS_SUMS = (
    CPU,
    "process_resident_memory_bytes",
    "process_virtual_memory_bytes",
    "process_open_fds",
)
"""Figures of the operating system that are added up; of the others, the smallest counts."""

_of_this_process = ProcessCollector(registry=None)


class Counted(Struct):
    """The counters of one process, or of several added up: by driver, and commits by size.

    ``process`` has the figures of the operating system by their names in Prometheus.
    """

    drivers: dict[str, list[int]]
    batches: list[int]
    commands: int
    process: dict[str, float] = {}
    streams: int = 0
    """Open streams of live events."""

    def add(self, other: "Counted", *, alive: bool = True) -> None:
        """Add what another process has counted; of one that has ended, the CPU time remains."""
        for driver, counts in other.drivers.items():
            known = self.drivers.get(driver, [0] * len(counts))
            self.drivers[driver] = [a + b for a, b in zip(known, counts, strict=True)]
        self.batches = [a + b for a, b in zip(self.batches, other.batches, strict=True)]
        self.commands += other.commands
        self.streams += alive * other.streams
        for name, value in other.process.items():
            if name in PROCESS_SUMS:
                counted = alive or name == CPU
                self.process[name] = self.process.get(name, 0.0) + counted * value
            elif alive:
                self.process[name] = min(self.process.get(name, value), value)


def counted_here() -> Counted:
    """Return what this process has counted."""
    drivers = {one.driver: _counts(one) for one in all_counters()}
    process = {
        sample.name: sample.value
        for family in _of_this_process.collect()
        for sample in family.samples
    }
    return Counted(drivers, list(batch_sizes.counts), batch_sizes.sum, process, open_streams.count)


def _counts(one: DriverCounters) -> list[int]:
    return [
        one.pools_created,
        one.pools_closed,
        one.connections_created,
        one.connections_closed,
        one.commands,
        one.errors,
        one.slow,
        one.retries,
        one.health_checks_failed,
    ]


class SharedCounts:
    """The counters of all API processes of one port, as files in a directory.

    A scrape reaches any one of them. The counters of a process that has ended are kept, so that no
    counter decreases. Without a directory, only this process is counted.
    """

    def __init__(self, directory: str | None = None) -> None:
        given = os.environ.get(SHARED_DIR, "") if directory is None else directory
        self._directory = Path(given) if given else None

    def publish(self) -> None:
        """Write the counters of this process to its file."""
        if self._directory is not None:
            file = self._directory / str(os.getpid())
            fresh = file.with_suffix(".new")
            fresh.write_bytes(msgspec.msgpack.encode(counted_here()))
            fresh.replace(file)

    def total(self) -> Counted:
        """Return what all processes have counted.

        Every process adds up the same files, including its own, so that no counter decreases from
        one scrape to the next.
        """
        if self._directory is None:
            return counted_here()
        self.publish()
        total = Counted({}, [0] * len(batch_sizes.counts), 0)
        for file in self._directory.iterdir():
            if file.name.isdecimal():
                counted = msgspec.msgpack.decode(file.read_bytes(), type=Counted)
                total.add(counted, alive=_is_alive(int(file.name)))
        return total


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)  # sends nothing
    except (ProcessLookupError, PermissionError):  # gone, or by now somebody else's
        return False
    return True
