"""Runs whole commands of the checkout that it is started in, in a process of its own.

Started as a script in the root of this version or of 0.1, it reads one task per line from standard
input and answers each with a line of JSON. The modules of 0.1 have other names, so both are
looked up by name.
"""

import asyncio
import gc
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

WRITERS = 64
STORED = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
[pages], [size] = (connection.execute(f"PRAGMA page_{w}").fetchone() for w in ("count", "size"))
print(pages * size)
"""
STATUS_CHANGES, CREATED = 25, 10
"""By each writer, in one measurement; a free plan has room for the tasks of one."""


def one_of(*names: str) -> ModuleType:
    """Import the first of *names* that this checkout has."""
    for name in names:
        try:
            return import_module(name)
        except ModuleNotFoundError:
            continue
    raise ModuleNotFoundError(names[0])


class Commands:
    """Commands on one log in SQLite, each measurement in an organization of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # Any: two versions of these modules, of which only one is here.
        self._seeding: Any = one_of("benchmarks.harness.seeding", "benchmarks.seeding")
        self._tasks: Any = one_of("commands.work.task", "commands.task")
        self._log: Any = None

    async def open(self) -> None:
        """Open the log."""
        store = one_of("eventstore.sqlite").SqliteStore(str(self._path))
        self._log = await self._seeding.open_log(store)

    async def close(self) -> None:
        """Close the log."""
        await self._log.close()

    async def measure(self) -> dict[str, dict[str, float]]:
        """Return what status changes and created tasks cost, by kind of command."""
        office = self._seeding.Office(self._log)
        await office.furnish()
        tasks = await office.add_tasks(WRITERS)

        async def change(writer: int) -> None:
            for step in range(STATUS_CHANGES):
                to = self._seeding.ROUND_TRIP[step % 4]
                await office.do(self._tasks.ChangeTaskStatus(task_id=tasks[writer], to=to))

        async def create(writer: int) -> None:
            for step in range(CREATED):
                await office.add_task(writer * CREATED + step)

        return {
            "status": await self._cost(change, STATUS_CHANGES),
            "create": await self._cost(create, CREATED),
        }

    async def _cost(
        self, work: Callable[[int], Awaitable[None]], commands_each: int
    ) -> dict[str, float]:
        stored, cpu, wall = self._stored(), time.process_time(), time.perf_counter()
        await asyncio.gather(*(work(writer) for writer in range(WRITERS)))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        count = WRITERS * commands_each
        return {
            "cpu_us": cpu / count * 1e6,
            "per_second": count / wall,
            "bytes": (self._stored() - stored) / count,
        }

    def _stored(self) -> int:
        """Return the size of the database without its write-ahead log.

        Another process looks, as this one must not open the file by a second copy of SQLite.
        """
        command = [sys.executable, "-c", STORED, str(self._path)]
        return int(subprocess.run(command, check=True, capture_output=True).stdout)


async def main(path: Path) -> None:
    """Measure whenever a line comes, until standard input ends."""
    commands = Commands(path)
    await commands.open()
    places = map(one_of, ("api.serving", "runtime.process"))  # of each version
    threshold = next(each.GC_THRESHOLD for each in places if hasattr(each, "GC_THRESHOLD"))
    gc.collect()
    gc.freeze()
    gc.set_threshold(threshold, 50, 100)
    while sys.stdin.readline():
        print(json.dumps(await commands.measure()), flush=True)
    await commands.close()


if __name__ == "__main__":
    with TemporaryDirectory(prefix="trackrecord-bench-") as directory:
        one_of("uvloop").run(main(Path(directory) / "events.db"))
