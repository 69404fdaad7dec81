"""How fast does one process decode and fold the log, with the rows in memory?"""

import time
from collections import Counter
from collections.abc import Sequence

import uvloop

from benchmarks.harness.calm import PYTHON_SPEED, python_speed
from benchmarks.harness.figures import Figure, interleaved
from benchmarks.harness.seeding import DESCRIPTION, ROUND_TRIP, Office, open_log
from commands.work.task import AssignTask, EditTask
from domain.base import Event, State
from domain.work.task.events import Priority
from domain.work.task.state import Task
from eventstore.keys import key_owner_in
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from eventstore.recorded import Row
from runtime.process import spare_the_collector

TASKS = 1_000
PASSES = 10
"""So that a round takes some 100 ms: on a machine that shares its cores, what a process does after
a pause is slow for some milliseconds, which nobody who replays a log would notice."""

READ = 500
"""Events decoded at once."""

ROUNDS = 15
TARGET = 0.016
"""Events for each product that a plain loop adds in the same time."""

KINDS: dict[str, type[State]] = {"task": Task}


def measure() -> list[Figure]:
    """Return the rates of decoding and folding, and of decoding alone."""
    return uvloop.run(_measure())


async def _measure() -> list[Figure]:
    log = await open_log(MemoryStore())
    rows = await _history(log)
    await log.fetch_keys(dict(map(key_owner_in, rows)))
    cells = {
        "replay": lambda: _per_second(log, rows, folding=True),
        "decode": lambda: _per_second(log, rows, folding=False),
        "machine": python_speed,
    }
    spare_the_collector()  # as all processes do
    measured = interleaved(ROUNDS, cells)
    await log.close()
    counts = Counter(row.tag for row in rows)
    mix = ", ".join(f"{n / len(rows):.0%} {tag}" for tag, n in counts.most_common())
    return [
        Figure(
            what=f"decode and fold ({mix})",
            unit="events per loop product",
            rounds=[
                events / (products * 1e6)
                for events, products in zip(measured["replay"], measured["machine"], strict=True)
            ],
            target=TARGET,
        ),
        Figure(what="decode and fold", unit="events/s CPU", rounds=measured["replay"]),
        Figure(what="decode alone", unit="events/s CPU", rounds=measured["decode"]),
        Figure(what=PYTHON_SPEED, unit="million/s CPU", rounds=measured["machine"]),
    ]


async def _history(log: EventLog) -> list[Row]:
    """Return the rows of typical tasks: created, moved, some of them edited."""
    office = Office(log)
    await office.furnish()
    start = await log.last_position()
    tasks = await office.add_tasks(TASKS)
    for number, task in enumerate(tasks):
        if number % 10 < 8:
            await office.do(AssignTask(task_id=task, user_id=office.user_id))
        await office.move(task, ROUND_TRIP[: number % 5])
        if number % 5 == 0:
            await office.do(EditTask(task_id=task, title=f"Task {number}, better said"))
        if number % 4 == 0:
            await office.do(EditTask(task_id=task, priority=Priority.HIGH))
        if number % 10 == 0:
            await office.do(EditTask(task_id=task, description=DESCRIPTION))
    return await log.tail_rows(start, 1_000_000)


def _per_second(log: EventLog, rows: list[Row], *, folding: bool) -> float:
    passes = _passes(log, rows, folding=folding)
    began = time.thread_time_ns()
    # An in-memory store never waits, so the coroutine runs to its end at once.
    try:
        passes.send(None)
    except StopIteration:
        return PASSES * len(rows) / (time.thread_time_ns() - began) * 1_000_000_000
    raise AssertionError("the keys of an in-memory store had to be waited for")


async def _passes(log: EventLog, rows: list[Row], *, folding: bool) -> None:
    """Decode *rows* in the order of the log, a piece at a time, and fold them; several times."""
    for _ in range(PASSES):
        states: dict[int, State] = {}  # by the integer: UUIDs are hashed in Python
        for start in range(0, len(rows), READ):
            piece = rows[start : start + READ]
            events = await log.events(piece)
            if folding:
                _fold(states, piece, events)


def _fold(states: dict[int, State], rows: Sequence[Row], events: Sequence[Event]) -> None:
    for row, event in zip(rows, events, strict=True):
        stream = row.stream_id.int
        state = states.get(stream)
        if state is None:
            state = KINDS[row.tag.partition(".")[0]]()
        states[stream] = state.evolve(event)
