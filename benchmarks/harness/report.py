"""Results on disk, and the one table that people read."""

from pathlib import Path

import msgspec

from benchmarks.harness.figures import Figure, Machine, Result

RESULTS = Path(__file__).parents[1] / "results"
TABLE = Path(__file__).parents[1] / "RESULTS.md"

_HEAD = """\
# What was measured

Written by `python -m benchmarks` (or `make bench`) from `benchmarks/results/*.json`. Every
promise is a ratio of two things measured in turns within one run, or CPU time, since absolute
rates say more about a machine and its neighbours than about us. Measured: median of the rounds,
in brackets the lowest and the highest. *Load* is the machine's load average before the run.
"""


def keep(result: Result) -> None:
    """Write one result."""
    RESULTS.mkdir(exist_ok=True)
    encoded = msgspec.json.format(msgspec.json.encode(result), indent=1)
    (RESULTS / f"{result.name}.json").write_bytes(encoded + b"\n")


def kept() -> list[Result]:
    """Return all results on disk, by name."""
    return [
        msgspec.json.decode(path.read_bytes(), type=Result)
        for path in sorted(RESULTS.glob("*.json"))
    ]


def write_table() -> None:
    """Write ``RESULTS.md`` anew from all results on disk."""
    results = kept()
    machines = {_machine(result.machine): None for result in results}
    lines = [_HEAD, *(f"* {line}" for line in machines), "", "## Promises", ""]
    lines += ["| benchmark | promise | target | measured | met | day | load |"]
    lines += ["|---|---|--:|--:|---|---|--:|"]
    for result in results:
        lines += [_promise(result, f) for f in result.figures if f.target is not None]
    lines += ["", "## What stands behind them", ""]
    for result in results:
        lines += [f"**{result.name}** {result.question}", "", "| | measured |", "|---|--:|"]
        lines += [f"| {f.what} | {_measured(f)} |" for f in result.figures]
        lines.append("")
    TABLE.write_text("\n".join(lines))


def one_line(figure: Figure) -> str:
    """Return *figure* for the terminal."""
    verdict = "" if figure.target is None else f"   target {_target(figure)}: {_met(figure)}"
    return f"  {figure.what}: {_measured(figure)}{verdict}"


def _promise(result: Result, figure: Figure) -> str:
    machine = result.machine
    return (
        f"| {result.name} | {figure.what} | {_target(figure)} | {_measured(figure)} "
        f"| {_met(figure)} | {machine.at:%Y-%m-%d} | {machine.load_average} |"
    )


def _machine(machine: Machine) -> str:
    libraries = ", ".join(f"{name} {of}" for name, of in machine.libraries.items())
    return (
        f"{machine.cpu}, {machine.cores} cores, {machine.system}, Python {machine.python}; "
        f"{libraries}"
    )


def _measured(figure: Figure) -> str:
    if len(figure.rounds) == 1:
        return f"{_number(figure.measured)} {figure.unit}"
    spread = f"{_number(min(figure.rounds))} to {_number(max(figure.rounds))}"
    return f"{_number(figure.measured)} {figure.unit} ({spread})"


def _target(figure: Figure) -> str:
    sign = "≥" if figure.at_least else "≤"
    return f"{sign} {_number(figure.target or 0)} {figure.unit}"


def _met(figure: Figure) -> str:
    return "yes" if figure.met else "**no**"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
