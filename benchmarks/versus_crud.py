"""How many times as fast as a CRUD service with an audit table are we, at equal durability?

All processes, both stores and the client share the machine. Without a `mongod`, SecantusDB stands
in for MongoDB. Its server in Python takes 55 % of the CPU of a create at one connection, and nearly
all of a page; the one in Rust takes 28 % of a create.
"""

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

import uvloop

from benchmarks.harness.figures import Figure, interleaved, ratios
from benchmarks.harness.processes import API, FOLLOWERS, PROJECTORS, WORKER, stack
from benchmarks.harness.team import Load, Target, Team
from benchmarks.harness.workplace import workplace
from benchmarks.peers.serving import crud

CONNECTIONS = 64
READERS = 4
"""Connections that read pages: SecantusDB, which stands in for MongoDB, answers few at a time."""
CELL_S = 1.5
ROUNDS = 3
FEW, MANY = 500, 10_000
PEER = "the CRUD service"
SQLITE = "SQLite"
SERVERS = "PostgreSQL and MongoDB"


class Bar(NamedTuple):
    """How many times the peer's figure ours should be; *field* is that of a load."""

    scenario: str
    field: str
    what: str
    sqlite: float | None
    servers: float | None


BARS = (
    Bar("create", "per_second", "create", 6, 4),
    Bar("create", "until_listed_per_second", "create, until listed", 5, None),
    Bar("move", "per_second", "change a status", 7, 5),
    Bar("move", "until_listed_per_second", "change a status, until listed", 5, None),
    Bar("get", "per_second", "get by id", 10, 3.5),
    Bar("page of few", "per_second", f"page of 50 of {FEW:,}", 5, 1),
    Bar("page of many", "per_second", f"page of 50 of {MANY:,}", 5, None),
)
ALONE = "create at 1 connection: CPU of all processes"
COST = Bar("create alone", "cpu_us", ALONE, 0.6, 1.2)
OWN_COST = f"{ALONE} but what stands in for MongoDB, {SERVERS}, against {PEER}"
UNITS = {"per_second": "requests/s", "until_listed_per_second": "requests/s", "cpu_us": "µs CPU"}


def measure() -> list[Figure]:
    """Return how our figures compare with the peer's, measured in turns."""
    with workplace() as directory, ExitStack() as things:
        peer = things.enter_context(crud(_inside(directory, "crud")))
        sqlite = things.enter_context(stack(_inside(directory, "sqlite")))
        for module in (API, FOLLOWERS):
            sqlite.start(module)
        servers = things.enter_context(
            stack(_inside(directory, "servers"), postgresql=1, mongodb=True)
        )
        for module in (API, PROJECTORS, WORKER):
            servers.start(module)
        runner = things.enter_context(asyncio.Runner(loop_factory=uvloop.new_event_loop))
        return _measure(runner, {PEER: peer, SQLITE: sqlite, SERVERS: servers})


def _measure(runner: asyncio.Runner, targets: Mapping[str, Target]) -> list[Figure]:
    teams = {name: Team(target) for name, target in targets.items()}
    sizes = {name: [FEW] if name == SERVERS else [FEW, MANY] for name in teams}
    for name, team in teams.items():
        runner.run(team.furnish(sizes[name], CONNECTIONS))
    cells = {}
    for scenario in ("create", "move", "get", "page of few", "page of many", "create alone"):
        for name, team in teams.items():
            if scenario != "page of many" or MANY in sizes[name]:
                cells[f"{scenario} {name}"] = partial(_load, runner, team, scenario)
    measured = interleaved(ROUNDS, cells)
    figures = [figure for bar in (*BARS, COST) for figure in _figures(bar, measured)]
    own, peer = (_of(measured[f"{COST.scenario} {name}"], "own_cpu_us") for name in (SERVERS, PEER))
    figures.append(Figure(what=OWN_COST, unit="x", rounds=ratios(own, peer)))
    return figures + [
        figure for name, team in teams.items() for figure in _sizes(runner, name, team)
    ]


def _load(runner: asyncio.Runner, team: Team, scenario: str) -> Load:
    loads = {
        "create": partial(team.create, CONNECTIONS, CELL_S),
        "create alone": partial(team.create, 1, CELL_S),
        "move": partial(team.move, CELL_S),
        "get": partial(team.get, CONNECTIONS, CELL_S),
        "page of few": partial(team.page, FEW, READERS, CELL_S),
        "page of many": partial(team.page, MANY, READERS, CELL_S),
    }
    return runner.run(loads[scenario]())


def _figures(bar: Bar, measured: Mapping[str, list[Load]]) -> list[Figure]:
    """Return the ratios to the peer, what they are of, and the CPU time of both."""
    peer = measured[f"{bar.scenario} {PEER}"]
    figures: list[Figure] = []
    for name, target in ((SQLITE, bar.sqlite), (SERVERS, bar.servers)):
        ours = measured.get(f"{bar.scenario} {name}")
        if ours is None:
            continue
        figures.append(
            Figure(
                what=f"{bar.what}, {name}, against {PEER}",
                unit="x",
                rounds=ratios(_of(ours, bar.field), _of(peer, bar.field)),
                target=target,
                at_least=bar.field != "cpu_us",
            )
        )
        figures += _absolute(bar, name, ours)
    return figures + _absolute(bar, PEER, peer)


def _absolute(bar: Bar, name: str, loads: list[Load]) -> list[Figure]:
    what = f"{bar.what}, {name}"
    figures = [Figure(what=what, unit=UNITS[bar.field], rounds=_of(loads, bar.field))]
    if bar.field == "per_second":
        cpu = Figure(what=f"{what}: all processes", unit="µs CPU", rounds=_of(loads, "cpu_us"))
        figures.append(cpu)
    refused = sum(load.refused for load in loads)
    if refused and bar.field == "per_second":
        figures.append(Figure(what=f"{what}: refused", unit="requests", rounds=[refused]))
    return figures


def _of(loads: list[Load], field: str) -> list[float]:
    return [getattr(load, field) for load in loads]


def _sizes(runner: asyncio.Runner, name: str, team: Team) -> list[Figure]:
    task, page = runner.run(team.bodies())
    return [
        Figure(what=f"a task in JSON, {name}", unit="bytes", rounds=[task]),
        Figure(what=f"a page of 50 in JSON, {name}", unit="bytes", rounds=[page]),
    ]


def _inside(directory: Path, name: str) -> Path:
    """Return a new directory in *directory*, which servers of other accounts may enter."""
    (directory / name).mkdir(mode=0o755)
    return directory / name
