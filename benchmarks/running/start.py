"""How long does ``make run`` take, from nothing and again, and how much memory does it need?

Cold is a clone without a virtual environment, most of whose time ``pip`` takes to install what the
product runs on; a start is warm if everything is installed and compiled, on a log that is there.
CPU time is that of all processes until the address is printed. Memory is the proportional set size
of the whole process tree, in which what processes share counts once, and idle CPU is its CPU time
over 20 s, both after a while without a request.
"""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from benchmarks.harness.figures import Figure
from benchmarks.harness.workplace import workplace
from devstack.port import HeldPort

ROOT = Path(__file__).parents[2]
KEPT = ("PATH", "HOME", "LANG", "TMPDIR")
"""What the environment keeps, so that no setting of ours is in it."""
CLONE, RUN = ("git", "clone", "-q"), ("make", "run")
PRINTED = "runs at"
WARM_ROUNDS = 5
IDLE_S = 20.0
SETTLE_S = 5.0
"""How long after a start its own work has ended."""
STOP_S = 60.0
COLD_S_MAX, WARM_S_MAX, MIB_MAX, IDLE_MAX = 40.0, 2.0, 250.0, 1.0


class Start(NamedTuple):
    """Seconds until the address was printed, and what the processes had used by then."""

    wall_s: float
    cpu_s: float
    idle_mib: float
    idle_cpu: float
    """In percent of a core, 0 if it was not idle for a while."""


def measure() -> list[Figure]:
    """Return the times of a cold start and of warm ones, and the memory after a warm one."""
    with workplace() as directory:
        clone = directory / "clone"
        subprocess.run((*CLONE, str(ROOT), str(clone)), check=True)
        environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        environment |= {"DATA_DIR": str(directory / "data"), "PORT": str(int(HeldPort()))}
        cold = _started(clone, environment)
        warm = [_started(clone, environment) for _ in range(WARM_ROUNDS)]
        idle = _started(clone, environment, IDLE_S)
    return [
        *_figures("cold start", [cold], COLD_S_MAX),
        *_figures("warm start", warm, WARM_S_MAX),
        Figure(
            what="memory of all processes, idle",
            unit="MiB",
            rounds=[idle.idle_mib],
            target=MIB_MAX,
            at_least=False,
        ),
        Figure(
            what="CPU of all processes, idle",
            unit="% of a core",
            rounds=[idle.idle_cpu],
            target=IDLE_MAX,
            at_least=False,
        ),
    ]


def _figures(what: str, starts: list[Start], target: float) -> list[Figure]:
    walls = [start.wall_s for start in starts]
    return [
        Figure(
            what=f"{what}: until the address is printed",
            unit="s",
            rounds=walls,
            target=target,
            at_least=False,
        ),
        Figure(
            what=f"{what}: all processes", unit="s CPU", rounds=[start.cpu_s for start in starts]
        ),
    ]


def _started(clone: Path, environment: Mapping[str, str], idle_s: float = 0.0) -> Start:
    """Start the product, stop it again, and return what that took."""
    began = time.perf_counter()
    process = subprocess.Popen(
        RUN,
        cwd=clone,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        printed = any(PRINTED in line for line in process.stdout)
        assert printed, "the product ended before it printed its address"
        wall_s, cpu_s = time.perf_counter() - began, sum(map(_cpu_s, _tree(process.pid)))
        time.sleep(SETTLE_S if idle_s else 0)
        settled_s = sum(map(_cpu_s, _tree(process.pid)))
        time.sleep(idle_s)
        used_s = sum(map(_cpu_s, _tree(process.pid))) - settled_s
        mib = sum(map(_proportional_mib, _tree(process.pid)))
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=STOP_S)
    return Start(wall_s, cpu_s, mib, used_s / idle_s * 100 if idle_s else 0.0)


def _tree(root: int) -> Iterator[int]:
    """Yield a process and all its descendants."""
    yield root
    for children in Path(f"/proc/{root}/task").glob("*/children"):
        with suppress(OSError):
            for child in children.read_text().split():
                yield from _tree(int(child))


def _cpu_s(pid: int) -> float:
    """Return the CPU time of a process and of its children that have ended (proc(5), stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _proportional_mib(pid: int) -> float:
    """Return the proportional set size of a process (proc(5), smaps_rollup)."""
    found = re.search(
        r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE
    )
    assert found is not None
    return int(found[1]) / 1024
