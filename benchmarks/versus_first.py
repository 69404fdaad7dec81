"""What does a whole command cost compared with the log of 0.1: CPU, pace, bytes stored?

Of a status change, SQLite itself takes about 20 µs on the writer's thread, half of that for the
commit, and Python beside it 7 or more. The event loop takes 55 before it hands the command over,
and 14 to do so and to wake up its caller; ADRs 26 and 36 say for what. Other code takes its place
in the caches of the processor between two commands: in loops of their own, its stages take a third
to a half. In 0.1 there were no counts under the lock, no workflows of projects, no limits of
sessions and no rules of organizations.
"""

import io
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from benchmarks.harness.figures import Figure, interleaved, ratios
from benchmarks.harness.workplace import workplace

FIRST = "95812a3"
"""The last commit before the log had partitions, claims and counts."""

ROOT = Path(__file__).parent.parent
WORKER = ROOT / "benchmarks" / "peers" / "commands_at_work.py"
ROUNDS = 11
TARGET_CPU, TARGET_PACE, TARGET_BYTES = 0.7, 1.0, 0.6

Costs = dict[str, dict[str, float]]
"""By kind of command: CPU microseconds, commands per second, bytes."""


def measure() -> list[Figure]:
    """Return ratios of this version to 0.1, which is taken from the repository's history."""
    with ExitStack() as stack:
        first = stack.enter_context(workplace())
        _check_out(FIRST, first)
        ours = stack.enter_context(_worker(ROOT))
        theirs = stack.enter_context(_worker(first))
        measured = interleaved(ROUNDS, {"ours": lambda: _ask(ours), "0.1": lambda: _ask(theirs)})
    return [
        *_against(measured, "status", "a status change", TARGET_BYTES),
        *_against(measured, "create", "a created task", None),
    ]


def _against(
    measured: Mapping[str, list[Costs]], kind: str, what: str, target_bytes: float | None
) -> list[Figure]:
    """Return the figures of one kind of command: the ratios, then what they are made of."""

    def rounds(version: str, name: str) -> list[float]:
        return [costs[kind][name] for costs in measured[version]]

    def ratio(name: str) -> list[float]:
        return ratios(rounds("ours", name), rounds("0.1", name))

    # The bytes of a round depend on where pages end, so those of all rounds are compared.
    stored = sum(rounds("ours", "bytes")) / sum(rounds("0.1", "bytes"))
    figures = [
        Figure(
            what=f"{what}, decided to durable: CPU against 0.1",
            unit="x",
            rounds=ratio("cpu_us"),
            target=TARGET_CPU,
            at_least=False,
        ),
        Figure(
            what=f"{what}, 64 in flight: pace against 0.1",
            unit="x",
            rounds=ratio("per_second"),
            target=TARGET_PACE,
        ),
        Figure(
            what=f"{what}: database against 0.1",
            unit="x",
            rounds=[stored],
            target=target_bytes,
            at_least=False,
        ),
    ]
    for version, named in (("ours", "now"), ("0.1", "0.1")):
        cpu, size = rounds(version, "cpu_us"), median(rounds(version, "bytes"))
        figures.append(Figure(what=f"{what}, {named}", unit="µs CPU", rounds=cpu))
        figures.append(Figure(what=f"{what}, {named}: database", unit="bytes", rounds=[size]))
    return figures


def _check_out(commit: str, into: Path) -> None:
    """Write the files of *commit* into an empty directory."""
    git = shutil.which("git") or "git"
    archive = subprocess.run([git, "archive", commit], cwd=ROOT, check=True, capture_output=True)
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(into, filter="data")


@contextmanager
def _worker(checkout: Path) -> Generator[subprocess.Popen[str]]:
    """Run commands in *checkout* until the block ends; its modules are found before ours."""
    with subprocess.Popen(
        [sys.executable, "-B", str(WORKER)],
        cwd=checkout,
        env={"PYTHONPATH": str(checkout), "PATH": ""},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def _ask(worker: subprocess.Popen[str]) -> Costs:
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write("\n")
    worker.stdin.flush()
    costs: Costs = json.loads(worker.stdout.readline())
    return costs
