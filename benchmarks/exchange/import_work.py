"""How long does an import of 10,000 rows take, from the request until it is told to be done?

The file is a CSV as another system writes it: titles, descriptions, statuses, labels, people and
when each task was created there. A second run finds everything imported.
"""

import asyncio
import csv
import io
import time

import httpx

from benchmarks.harness.calm import wait_for_calm
from benchmarks.harness.figures import Figure
from benchmarks.harness.http_client import Client
from benchmarks.harness.processes import API, PROJECTORS, Stack, stack
from benchmarks.harness.workplace import workplace

ROWS = 10_000
ROUNDS = 3
TARGET_S = 10.0
PATIENCE_S = 120.0
_LOOK_EACH_S = 0.05
_STATUSES = ("TODO", "IN_PROGRESS", "IN_REVIEW", "DONE", "CANCELLED")
_COLUMNS = ("id", "title", "description", "status", "labels", "assignees", "occurredAt", "author")


def measure() -> list[Figure]:
    """Return the seconds of first imports, each into a new project, and of second ones."""
    with workplace() as directory, stack(directory, quick=True) as processes:
        processes.start(API)
        processes.start(PROJECTORS)
        with asyncio.Runner() as runner:
            return runner.run(_measure(processes))


async def _measure(processes: Stack) -> list[Figure]:
    client = Client(processes.address)
    await client.log_in()
    account = {"email": "ana@acme.example.com", "password": "tulip-Harbour-91-quiet"}
    token = (await client.ask("POST", "/api/auth/login", account))["accessToken"]
    table = _table(account["email"])
    first: list[float] = []
    second: list[float] = []
    for turn in range(ROUNDS):
        body = {"key": f"IM{turn}", "name": "Imported"}
        project = (await client.ask("POST", "/api/project", body))["id"]
        await asyncio.to_thread(wait_for_calm)
        first.append(await _import(client, token, project, (table, "created")))
        second.append(await _import(client, token, project, (table, "unchanged")))
    return [
        Figure(
            what=f"import of {ROWS:,} rows", unit="s", rounds=first, target=TARGET_S, at_least=False
        ),
        Figure(what=f"import of the same {ROWS:,} rows again", unit="s", rounds=second),
    ]


def _table(email: str) -> bytes:
    table = io.StringIO(newline="")
    rows = csv.writer(table)
    rows.writerow(_COLUMNS)
    for number in range(ROWS):
        rows.writerow(
            (
                f"J-{number}",
                f"Oil part {number} of the engine",
                "What has to be done, in two or three sentences. " * 4,
                _STATUSES[number % len(_STATUSES)],
                f"Label {number % 20}",
                email,
                "2019-03-01T08:00:00Z",
                "Jo Old",
            )
        )
    return table.getvalue().encode()


async def _import(client: Client, token: str, project: str, expected: tuple[bytes, str]) -> float:
    """Import a table whose rows all have one outcome; return how many seconds that took."""
    table, outcome = expected
    host, port = client.address
    async with httpx.AsyncClient(base_url=f"http://{host}:{port}", timeout=PATIENCE_S) as http:
        headers = {"authorization": f"Bearer {token}"}
        began = time.perf_counter()
        response = await http.post(
            f"/api/project/{project}/import?format=csv", content=table, headers=headers
        )
        response.raise_for_status()
        path, state = response.headers["location"], "RUNNING"
        while state == "RUNNING":
            await asyncio.sleep(_LOOK_EACH_S)
            response = await http.get(path, headers=headers)
            state = response.raise_for_status().json()["state"]
        took = time.perf_counter() - began
    if response.json()[outcome] != ROWS:
        raise AssertionError(response.text[-1000:])
    return took
