"""What does the activity cost the projector, which writes a document for every event of the work?

All read models are projected into SQLite, with the activity and without it, alternately.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import uvloop

from benchmarks.harness.calm import PYTHON_SPEED, python_speed
from benchmarks.harness.figures import Figure, interleaved
from benchmarks.harness.workplace import workplace
from benchmarks.projecting import BATCH, history, project
from eventstore.log import EventLog
from projections.base import Projection
from projections.catalog import PROJECTIONS
from projections.engine.sqlite.store import SQLiteReadStore
from projections.work.activity import Activity

ROUNDS = 5
OTHERS = tuple(each for each in PROJECTIONS if not isinstance(each, Activity))


def measure() -> list[Figure]:
    """Return CPU microseconds of the projector per event."""
    with workplace() as directory, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        log = runner.run(history())
        events = runner.run(log.last_position()) - BATCH

        def cell(projections: Sequence[Projection[Any]]) -> float:
            return runner.run(_seconds(log, directory, projections)) / events * 1e6

        cells: dict[str, Callable[[], float]] = {
            "all": partial(cell, PROJECTIONS),
            "others": partial(cell, OTHERS),
            "machine": python_speed,
        }
        measured = interleaved(ROUNDS, cells)
        runner.run(log.close())
    pairs = zip(measured["all"], measured["others"], strict=True)
    return [
        Figure(what="the activity", unit="µs CPU", rounds=[a - b for a, b in pairs]),
        Figure(what="all read models", unit="µs CPU", rounds=measured["all"]),
        Figure(what="all others", unit="µs CPU", rounds=measured["others"]),
        Figure(what=PYTHON_SPEED, unit="million/s CPU", rounds=measured["machine"]),
    ]


async def _seconds(log: EventLog, directory: Path, projections: Sequence[Projection[Any]]) -> float:
    store = SQLiteReadStore(directory / f"{uuid4().hex}.db")
    return await project(log, store, time.process_time, projections)
