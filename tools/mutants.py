"""Changes the rules one at a time, and finds out which changes no test notices.

    python -m tools.mutants            all mutants
    python -m tools.mutants session    those of files whose path contains "session"

``tests/mutants/*.txt`` lists the mutants: below ``@ path`` of a source file, ``-`` lines with text
that occurs there exactly once, and ``+`` lines with its replacement. Each mutant runs against the
tests of its own package that import the mutated file, on a copy of the sources. The exit code is 1
if fewer than 95 % are noticed, if a mutant no longer fits its file, or if no test imports it.
"""

import compileall
import multiprocessing
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from py_compile import PycInvalidationMode
from queue import SimpleQueue
from typing import NamedTuple

import grimp
import pytest

from tools.discover import ROOT

LISTS = ROOT / "tests" / "mutants"
NOTICED_MIN = 0.95
WORKERS = 2
TIMEOUT_S = 120
"""A mutant that makes the tests hang for so long counts as noticed."""

_NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "data", "results")


class Mutant(NamedTuple):
    """One change of one source file."""

    path: str
    original: str
    mutated: str

    def __str__(self) -> str:
        before = "".join(f"\n  - {line}" for line in self.original.splitlines())
        return f"{self.path}{before}" + "".join(f"\n  + {x}" for x in self.mutated.splitlines())


def listed() -> list[Mutant]:
    """Return all mutants, in the order of the lists."""
    return [mutant for path in sorted(LISTS.glob("*.txt")) for mutant in _parsed(path.read_text())]


def _parsed(text: str) -> Iterator[Mutant]:
    path = ""
    for block in text.split("\n\n"):
        lines = block.strip("\n").splitlines()
        if lines and lines[0].startswith("@ "):
            path = lines.pop(0)[2:]
        original = "\n".join(line[2:] for line in lines if line.startswith("-"))
        yield Mutant(path, original, "\n".join(line[2:] for line in lines if line.startswith("+")))


def stale(mutants: Sequence[Mutant]) -> list[Mutant]:
    """Return the mutants whose original text does not occur exactly once in its file."""
    return [m for m in mutants if not m.original or _source(m.path).count(m.original) != 1]


@cache
def _source(path: str) -> str:
    file = ROOT / path
    return file.read_text(encoding="utf-8") if file.exists() else ""


@cache
def tests_of(path: str) -> tuple[str, ...]:
    """Return the test files of the same package that import *path*, also through other modules."""
    package, *rest = Path(path).with_suffix("").parts
    graph = _graph(package)
    folder = f"tests.{package}."
    importers = graph.find_downstream_modules(".".join((package, *rest)))
    return tuple(
        sorted(
            module.replace(".", "/") + ".py"
            for module in importers
            if module.startswith(folder) and module.rpartition(".")[2].startswith("test_")
        )
    )


@cache
def _graph(package: str) -> grimp.ImportGraph:
    return grimp.build_graph(package, "tests", cache_dir=None)


class _Bench:
    """Copies of the sources, in each of which one mutant at a time is tested."""

    def __init__(self, top: Path) -> None:
        self._free: SimpleQueue[Path] = SimpleQueue()
        for number in range(WORKERS):
            copy = top / str(number)
            shutil.copytree(ROOT, copy, ignore=_NOT_COPIED)
            # Checked by content: a mutant may have the size and the second of the original.
            compileall.compile_dir(
                copy, quiet=1, invalidation_mode=PycInvalidationMode.CHECKED_HASH
            )
            self._free.put(copy)

    def passes(self, tests: Sequence[str], mutant: Mutant | None = None) -> bool:
        """Return whether *tests* pass, on the sources as they are or with *mutant*."""
        copy = self._free.get()
        try:
            if mutant is not None:
                mutated = _source(mutant.path).replace(mutant.original, mutant.mutated)
                (copy / mutant.path).write_text(mutated, encoding="utf-8")
            return _passes(copy, tests)
        finally:
            if mutant is not None:
                (copy / mutant.path).write_text(_source(mutant.path), encoding="utf-8")
            self._free.put(copy)

    def survives(self, mutant: Mutant) -> bool:
        """Return whether no test of the mutated file notices."""
        return self.passes(tests_of(mutant.path), mutant)


_FORKS = multiprocessing.get_context("forkserver")
_PRELOADED = "cryptography eventsourcing immutables msgspec pymongo"
_FORKS.set_forkserver_preload(list[str](_PRELOADED.split()))
"""Forked with these loaded, a run of pytest starts in half the time."""


def _passes(copy: Path, tests: Sequence[str]) -> bool:
    process = _FORKS.Process(target=_test, args=(copy, tests))
    process.start()
    process.join(TIMEOUT_S)
    if process.is_alive():
        process.kill()
        process.join()
    return process.exitcode == 0


def _test(copy: Path, tests: Sequence[str]) -> None:
    """Run *tests* in this process, on *copy*; the exit code says whether they pass."""
    os.chdir(copy)
    sys.dont_write_bytecode = False  # or each run would compile the tests again
    sys.path[:] = [str(copy), *(p for p in sys.path if p not in ("", str(ROOT)))]
    for name in [name for name in sys.modules if name.partition(".")[0] in {"tools", "tests"}]:
        del sys.modules[name]
    with Path(os.devnull).open("w") as nothing:
        os.dup2(nothing.fileno(), 1)
        os.dup2(nothing.fileno(), 2)
    sys.exit(pytest.main([*_OPTIONS, *tests]))


_OPTIONS = (
    *("-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", "--hypothesis-seed=0"),
    *("-m", "not servers and not acceptance"),
)


def main(arguments: Sequence[str]) -> int:
    """Run the mutants whose path contains one of *arguments*, or all; 0 if enough are noticed."""
    mutants = [m for m in listed() if not arguments or any(word in m.path for word in arguments)]
    wrong = [*stale(mutants), *(m for m in mutants if not tests_of(m.path))]
    if wrong:
        print("These do not fit their file, or no test imports it:", *wrong, sep="\n")
        return 1
    with tempfile.TemporaryDirectory(prefix="mutants-") as top, ThreadPoolExecutor(WORKERS) as pool:
        bench = _Bench(Path(top))
        if not all(pool.map(bench.passes, {tests_of(mutant.path) for mutant in mutants})):
            print("Tests fail without any mutant: nothing can be learned from them.")
            return 1
        survivors: list[Mutant] = []
        for mutant, survives in zip(mutants, pool.map(bench.survives, mutants), strict=True):
            if survives:
                survivors.append(mutant)
                print("not noticed:", mutant, flush=True)
        return _report(mutants, survivors)


def _report(mutants: Sequence[Mutant], survivors: Sequence[Mutant]) -> int:
    for package in sorted({mutant.path.partition("/")[0] for mutant in mutants}):
        count = sum(mutant.path.startswith(f"{package}/") for mutant in mutants)
        alive = sum(mutant.path.startswith(f"{package}/") for mutant in survivors)
        print(f"{package}: {count - alive} of {count} noticed")
    noticed = 1 - len(survivors) / len(mutants)
    print(f"all: {len(mutants) - len(survivors)} of {len(mutants)} noticed, {noticed:.1%}")
    return int(noticed < NOTICED_MIN)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
