"""One event per command, written durably in three ways: by us, by the library, and by hand."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import fmean

import uvloop

from benchmarks.harness.figures import Figure, interleaved, ratios
from benchmarks.harness.library import LibraryWriters, Tickets
from benchmarks.harness.pace import Pace
from benchmarks.harness.writers import Writers, open_writers
from eventstore.recorded import Row
from eventstore.store import Store

IN_FLIGHT = 64
CELL_S = 0.7
READY_EACH = 60
"""Commands per writer in the measurement that starts from encoded rows."""
ROUNDS = 11
TARGET_LIBRARY = 6

Batches = list[list[Row]]
"""The rows of each transaction, in order."""


def measure_appending(
    store: Store,
    batches: Batches,
    tickets: Tickets,
    by_hand: Mapping[str, Callable[[Batches], Pace]],
    target_by_hand: float,
) -> list[Figure]:
    """Return the rates of commands and their ratios.

    *store* keeps what it commits in *batches*. The ways of *by_hand* insert the same rows again;
    our rate should be at least *target_by_hand* of the rate of the first.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        writers = runner.run(open_writers(store, IN_FLIGHT))
        threads = LibraryWriters(tickets, IN_FLIGHT)

        def ready() -> Pace:
            batches.clear()
            return runner.run(writers.append_ready(READY_EACH))

        cells: dict[str, Callable[[], Pace]] = {
            "ready": ready,
            **{name: partial(insert, batches) for name, insert in by_hand.items()},
            "ours": lambda: runner.run(writers.append(CELL_S)),
            "library": lambda: threads.save(CELL_S),
            "commands": lambda: runner.run(writers.command(CELL_S)),
        }
        measured = interleaved(ROUNDS, cells)
        runner.run(writers.log.close())
    ways = list(by_hand)
    figures = [*_ratios(measured, ways, target_by_hand), *_paces(measured, ways)]
    return [*figures, *_costs(writers, batches)]


def timed(insert: Callable[[Sequence[Row]], object], batches: Batches) -> Pace:
    """Return the rate at which *insert* writes all batches."""
    pace = Pace()
    with pace.timed():
        for batch in batches:
            insert(batch)
    pace.done = sum(map(len, batches))
    return pace


def _ratios(
    measured: dict[str, list[Pace]], by_hand: Sequence[str], target_by_hand: float
) -> list[Figure]:
    rates = {name: [pace.per_second for pace in paces] for name, paces in measured.items()}
    return [
        Figure(
            what=f"{IN_FLIGHT} in flight, against the library from {IN_FLIGHT} threads",
            unit="x",
            rounds=ratios(rates["ours"], rates["library"]),
            target=TARGET_LIBRARY,
        ),
        *(
            Figure(
                what=f"encoded rows, against the same rows inserted {way} in the same batches",
                unit="x",
                rounds=ratios(rates["ready"], rates[way]),
                target=target_by_hand if way == by_hand[0] else None,
            )
            for way in by_hand
        ),
    ]


def _paces(measured: dict[str, list[Pace]], by_hand: Sequence[str]) -> list[Figure]:
    names = {
        "ours": "encode an event, encrypt its origin, append it",
        "ready": "append encoded rows",
        **{way: f"insert the same rows {way}" for way in by_hand},
        "library": "Application.save of the library",
        "commands": "a whole command: load, decide, encode, encrypt, append",
    }
    figures: list[Figure] = []
    for name, what in names.items():
        rates = [pace.per_second for pace in measured[name]]
        cpu = [pace.cpu_us for pace in measured[name]]
        figures.append(Figure(what=what, unit="commands/s", rounds=rates))
        figures.append(Figure(what=f"{what}: this process", unit="µs CPU", rounds=cpu))
    return figures


def _costs(writers: Writers, batches: Batches) -> list[Figure]:
    size = fmean(map(len, batches))
    return [
        Figure(what="event loop, per append", unit="µs CPU", rounds=writers.loop_us[1:]),
        Figure(what="writer thread, per append", unit="µs CPU", rounds=writers.writer_us[1:]),
        Figure(what="commands per transaction, last round", unit="", rounds=[size]),
    ]
