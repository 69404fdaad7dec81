"""The results of a benchmark: figures with all their rounds, and the machine they are from."""

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TypeVar

from msgspec import Struct

from benchmarks.harness.calm import wait_for_calm
from devstack.mongo import mongo_engine
from eventstore.engine.sqlite.driver import SQLITE_VERSION

T = TypeVar("T")

LIBRARIES = (
    "eventsourcing",
    "msgspec",
    "cryptography",
    "psycopg",
    "pymongo",
    "litestar",
    "uvloop",
    "apsw",
)


class Figure(Struct, frozen=True, kw_only=True):
    """One number, measured once per round, perhaps with a target."""

    what: str
    unit: str
    rounds: list[float]
    target: float | None = None
    at_least: bool = True

    @property
    def measured(self) -> float:
        """The median of the rounds, which one disturbed round does not change."""
        return median(self.rounds)

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without a target."""
        if self.target is None:
            return None
        return self.measured >= self.target if self.at_least else self.measured <= self.target


class Machine(Struct, frozen=True):
    """Where and when the figures were measured."""

    cpu: str
    cores: int
    system: str
    python: str
    libraries: dict[str, str]
    at: datetime
    load_average: float
    """In the minute before the benchmark started: above 0, others were using the machine."""


class Result(Struct, frozen=True):
    """One benchmark, as stored in ``results/<name>.json``."""

    name: str
    question: str
    machine: Machine
    figures: list[Figure]


def this_machine() -> Machine:
    """Return what is known about this machine now."""
    libraries = {name: version(name) for name in LIBRARIES}
    return Machine(
        cpu=_cpu(),
        cores=os.cpu_count() or 1,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        libraries={
            **libraries,
            "SQLite": SQLITE_VERSION,
            "MongoDB's protocol by": mongo_engine() or "nothing",
        },
        at=datetime.now(UTC).replace(microsecond=0),
        load_average=round(os.getloadavg()[0], 2),
    )


def _cpu() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def interleaved(rounds: int, cells: Mapping[str, Callable[[], T]]) -> dict[str, list[T]]:
    """Measure all cells in each round, one right after the other.

    Whatever disturbs a noisy machine then disturbs the cells of a round alike, so that ratios
    within a round are reliable even if absolute numbers are not. An extra first round is discarded:
    it fills caches and prepares statements. Each round waits briefly for a calm moment.
    """
    measured: dict[str, list[T]] = {name: [] for name in cells}
    for turn in range(rounds + 1):
        wait_for_calm()
        for name, cell in cells.items():
            value = cell()
            if turn:
                measured[name].append(value)
    return measured


def ratios(over: Sequence[float], under: Sequence[float]) -> list[float]:
    """Return the ratios of values measured in the same round."""
    return [a / b for a, b in zip(over, under, strict=True)]
