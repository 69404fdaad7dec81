"""How much more CPU does the API use for a page of a filtered, sorted list than for the plain one?

Pages of 50 of 10,000 tasks in one project, the first page of each list and its last full one, of an
API that keeps none in memory; the log is quiet. A fifth of the tasks have each status, a third each
priority but 10 that are urgent, a tenth each label and the assignee; 1 in 25 is blocked, 50 are
due on a day, and 10 have each cost, a custom field. Tasks were created one after the other, and a
fifth of them is completed. The first task has subtasks. A plain first page is measured right before
each other page.
"""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import uvloop

from benchmarks.harness.figures import Figure, interleaved, ratios
from benchmarks.harness.http_client import Client, RequestFailed
from benchmarks.harness.processes import FORGETFUL_API, PROJECTORS, Stack, cpu_clock, stack
from benchmarks.harness.seeding import DESCRIPTION
from benchmarks.harness.workplace import workplace
from domain.work.task.events import Priority, TaskStatus
from projections.work.task_query import TaskSort

CONNECTIONS = 8
CELL_S = 0.25
ROUNDS = 3
TASKS = 10_000
PAGE = 50
LABELS = 10
TOGETHER = 16
"""Tasks that are created at the same time."""
CATCH_UP_S = 120.0
TARGET = 1.5

FILTERS = {
    "status": "status=TODO",
    "group": "group=TODO,DONE",
    "priority": "priority=HIGH,URGENT",
    "assignee": "assignee={user}",
    "watcher": "watcher={user}",
    "creator": "creator={user}",
    "label": "label={label}",
    "label and status": "label={label}&status=TODO",
    "label and another status, never together": "label={label}&status=IN_PROGRESS",
    "label and assignee": "label={label}&assignee={user}",
    "status and 10 urgent ones": "status=DONE&priority=URGENT",
    "watched by all and 10 urgent ones": "watcher={user}&priority=URGENT",
    "status, priority and label": "status=TODO&priority=LOW&label={label}",
    "assignee, status and priority": "assignee={user}&status=DONE&priority=HIGH",
    "blocked and status": "blocked=true&status=TODO",
    "not blocked": "blocked=false",
    "overdue and label": "overdue=true&label={label}",
    "due and status": "due={first}..{last}&status=IN_PROGRESS",
    "two labels": "label={label},{other}",
    "two people": "assignee={user},{nobody}",
    "nobody": "assignee={nobody}",
    "assigned to none": "assignee=none",
    "in no cycle": "cycle=none",
    "without a label, which all have": "label=none",
    "never due, and status": "due=none&status=TODO",
    "parent": "parent={parent}",
    "blocked": "blocked=true",
    "overdue": "overdue=true",
    "due": "due={first}..{last}",
    "due on a day": "due={first}..{first}",
    "10 urgent ones": "priority=URGENT",
    "created, 500": "created={begin}..{end}",
    "created, 500, and label": "created={begin}..{end}&label={label}",
    "created, 5,000": "created={middle}..",
    "updated, 500": "updated={begin}..{end}",
    "updated, 500, and status": "updated={begin}..{end}&status=DONE",
    "updated, 5,000": "updated={middle}..",
    "completed, 100": "completed={begin}..{end}",
    "not done": "group=!DONE",
    "a cost of 500": "field=cost:0..49",
    "a cost of 5,000": "field=cost:500..",
    "a cost of 500, and status": "field=cost:0..49&status=TODO",
}
SORTS = [f"{sign}{sort.value}" for sort in TaskSort for sign in ("", "-")]


def measure() -> list[Figure]:
    """Return the CPU time of pages, as multiples of that of the first plain one."""
    with workplace() as directory, stack(directory, quick=True) as processes:
        measured = _measure(processes)
    plain = [first for first, _ in measured["newest, first"]]
    figures = [Figure(what="newest first, first page: CPU of the API", unit="µs CPU", rounds=plain)]
    for name, pairs in measured.items():
        told = ratios([page for _, page in pairs], [first for first, _ in pairs])
        what = f"{name} page: against the first page, newest first"
        figures.append(Figure(what=what, unit="x", rounds=told, target=TARGET, at_least=False))
    return figures


def _measure(processes: Stack) -> dict[str, list[tuple[float, float]]]:
    """Return the CPU time of the first plain page and, right behind it, of each other page."""
    server = cpu_clock(processes.start(FORGETFUL_API))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        client = Client(processes.address)
        project = runner.run(client.log_in())
        # Only until the read model is built: an idle projector still polls the log.
        with processes.running(PROJECTORS):
            names = runner.run(_furnish(client, project))

        def pace(path: str) -> float:
            request = client.request("GET", path)
            return runner.run(client.load(request, CONNECTIONS, CELL_S, server)).cpu_us

        def cell(path: str) -> tuple[float, float]:
            return pace(f"/api/project/{project}/tasks?limit={PAGE}"), pace(path)

        cells = {
            f"{name}, {which}": partial(cell, path)
            for name, query in _lists(names)
            for which, path in runner.run(_ends(client, project, query)).items()
        }
        return interleaved(ROUNDS, cells)


def _lists(names: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the name and the query of every order, and of every filter in two orders."""
    yield from ((sort, f"sort={sort}") for sort in SORTS)
    for at, (name, query) in enumerate(FILTERS.items()):
        asked = query.format_map(names)
        yield name, asked
        sort = SORTS[2 + at % (len(SORTS) - 2)]
        yield f"{name} by {sort}", f"{asked}&sort={sort}"


async def _ends(client: Client, project: str, query: str) -> dict[str, str]:
    """Return the paths of the first page and of the last full one."""
    first = f"/api/project/{project}/tasks?limit={PAGE}&{query}"
    cursors = [""]
    while True:
        found = await client.ask("GET", first + cursors[-1])
        if found["nextCursor"] is None:
            break
        cursors.append(f"&cursor={found['nextCursor']}")
    full = len(found["items"]) == PAGE or len(cursors) == 1
    return {"first": first, "last": first + cursors[-1 if full else -2]}


async def _furnish(client: Client, project: str) -> dict[str, str]:
    """Create the tasks, wait until they are listed, and return what the filters name."""
    user = (await client.ask("GET", "/api/auth/profile"))["id"]
    labels = [
        (await client.ask("POST", "/api/label", {"name": f"L{n}", "color": "#0969da"}))["id"]
        for n in range(LABELS)
    ]
    path = f"/api/project/{project}/tasks"
    parent = (await client.ask("POST", path, {"title": "All together"}))["id"]
    cost = {"key": "cost", "name": "Cost", "type": "number"}
    await client.ask("POST", f"/api/project/{project}/fields", cost)
    numbers, today = iter(range(2, TASKS + 1)), datetime.now(UTC).date()

    async def create() -> None:
        connection = await client.connect()
        for n in numbers:
            body: dict[str, Any] = {
                "title": f"Say what task {n} is about",
                "description": DESCRIPTION * 2,
                "status": [*TaskStatus][n % 5],
                "priority": Priority.URGENT if n % 1_000 == 7 else [*Priority][n // 5 % 3],
                "labels": [labels[n % 7 % LABELS] if n % 10 else labels[-1]],
                "assignees": [user] if n % 11 == 0 else [],
                "dueDate": str(today + timedelta(days=n * 7 % 200 - 20)),
                "fields": {"cost": n * 7 % 1_000},
                "parentId": parent if n % 100 == 0 else None,
            }
            await connection.ask(client.request("POST", path, body))
        connection.close()

    await asyncio.gather(*(create() for _ in range(TOGETHER)))
    for n in range(20, TASKS + 1, 20):
        blocker = await client.ask("GET", f"/api/task/ENG-{n - 19}")
        blocked = {"kind": "blocked_by", "taskId": blocker["id"]}
        await client.ask("POST", f"/api/task/ENG-{n}/relations", blocked)
    await _until_listed(client, path)
    times = {
        name: (await client.ask("GET", f"/api/task/ENG-{n}"))["createdAt"]
        for name, n in (("begin", 7_000), ("end", 7_500), ("middle", 5_000))
    }
    last, first = today + timedelta(days=30), today
    return {
        "user": user,
        "label": labels[-1],
        "other": labels[3],
        "nobody": parent,
        "parent": parent,
        "first": str(first),
        "last": str(last),
        **times,
    }


async def _until_listed(client: Client, path: str) -> None:
    until = time.monotonic() + CATCH_UP_S
    while time.monotonic() < until:
        try:
            found: Any = await client.ask("GET", f"{path}?limit=1&sort=-key&blocked=true")
        except RequestFailed:
            found = {"items": []}  # refused, because the read model is behind
        if found["items"] and found["items"][0]["number"] > TASKS - 200:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the read model does not catch up")
