"""How much more do several processes write than one, each for organizations of its own?

PostgreSQL waits 2 ms with each commit (``commit_delay``), as a disk that is not in the same machine
does. Every process has few commands in flight, so that one of them is far from needing a core.
"""

import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from benchmarks.harness.figures import Figure, interleaved, ratios
from benchmarks.harness.workplace import workplace
from devstack.postgres import postgres
from eventstore.postgres import PostgresStore

ROOT = Path(__file__).parents[2]
PARTS = 64
PROCESSES = 4
IN_FLIGHT = 4
CELL_S = 1.0
ROUNDS = 7
COMMIT_DELAY_US = 2_000
TARGETS = {2: 1.7, 4: 3.0}
OWN, SAME = "own", "same"
"""Partitions that a process has for itself, or the same one for all."""


def measure() -> list[Figure]:
    """Return the rates of one, two and four processes, and how they compare."""
    with workplace() as directory, postgres(directory / "postgres") as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET commit_delay = {COMMIT_DELAY_US}".encode())
            connection.execute("ALTER SYSTEM SET commit_siblings = 0")
            connection.execute("SELECT pg_reload_conf()")
        store = PostgresStore(server.url, parts=PARTS)
        store.create()
        store.close()
        with writing_processes(server.url) as processes:
            cells = {
                "1": lambda: _rate(processes[:1], OWN),
                "2": lambda: _rate(processes[:2], OWN),
                "4": lambda: _rate(processes, OWN),
                "2 same": lambda: _rate(processes[:2], SAME),
            }
            measured = interleaved(ROUNDS, cells)
    return _figures(measured)


@contextmanager
def writing_processes(url: str) -> Generator[list[subprocess.Popen[bytes]]]:
    """Start the processes, which wait to be told to write."""
    with ExitStack() as stack:
        started = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "benchmarks.scaling.writing_process", url, str(number)],
                    cwd=ROOT,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            )
            for number in range(PROCESSES)
        ]
        try:
            for process in started:
                assert _line(process) == "ready"
            yield started
        finally:
            for process in started:
                process.terminate()


def _rate(processes: Sequence[subprocess.Popen[bytes]], where: str) -> float:
    """Let *processes* write at the same time; return the commands a second of all of them."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(f"{where} {CELL_S}\n".encode())
        process.stdin.flush()
    return sum(float(_line(process)) for process in processes)


def _line(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


def _figures(measured: dict[str, list[float]]) -> list[Figure]:
    figures = [
        Figure(
            what=f"{count} processes, each with organizations of its own, against one",
            unit="x",
            rounds=ratios(measured[str(count)], measured["1"]),
            target=target,
        )
        for count, target in TARGETS.items()
    ]
    same = ratios(measured["2 same"], measured["1"])
    figures.append(Figure(what="2 processes on one partition, against one", unit="x", rounds=same))
    rates = {"1": "1 process", "2": "2 processes", "4": "4 processes"}
    return [
        *figures,
        *(Figure(what=what, unit="commands/s", rounds=measured[n]) for n, what in rates.items()),
    ]
