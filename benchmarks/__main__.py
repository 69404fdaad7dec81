"""``python -m benchmarks [NAME ...]``: measure, store the results, write the table."""

import argparse
import sys

from benchmarks.catalog import BENCHMARKS
from benchmarks.harness.figures import Result, this_machine
from benchmarks.harness.report import keep, one_line, write_table


def main() -> int:
    """Run the given benchmarks, or all; return 1 if a target was missed."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"one or more of: {', '.join(BENCHMARKS)}")
    names: list[str] = parser.parse_args().name or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    missed = 0
    for name in names:
        benchmark = BENCHMARKS[name]
        machine = this_machine()
        print(f"{name} (load average {machine.load_average})", flush=True)
        figures = benchmark.measure()
        for figure in figures:
            print(one_line(figure), flush=True)
            missed += figure.met is False
        keep(Result(name, benchmark.question, machine, figures))
        write_table({name: each.remarks for name, each in BENCHMARKS.items()})
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
