"""Of thousands of tasks few are what a list asks for: its pages are full, and end with the last."""

import json
from typing import Any

import pytest

from projections.engine.query import AMONG_MAX
from tests.api.exchange.task_files import imported
from tests.api.stage import Person, done

MANY, EVERY = 2_400, 450
RARE = [n for n in range(1, MANY + 1) if n % EVERY == 0]


async def in_pages(ana: Person, query: str) -> list[list[int]]:
    """Return which tasks are on each page of two."""
    found, cursor = list[list[int]](), ""
    for _ in range(len(RARE) + 1):
        page = done(await ana.get(f"/task?{query}&limit=2{cursor}"), 200)
        found.append([int(task["title"].split()[1]) for task in page["items"]])
        if page["nextCursor"] is None:
            return found
        cursor = f"&cursor={page['nextCursor']}"
    raise AssertionError("the pages do not end")


async def test_lists_that_compare_each_task_have_full_pages(
    ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.engine.find.FILLING_MAX_S", 60.0)  # on a busy machine, too
    done(await ana.patch(f"/org/{ana.org_id}/plan", {"plan": "BASIC"}), 200)
    project = await ana.project()
    cost = {"key": "cost", "name": "Cost", "type": "number"}
    done(await ana.post(f"/project/{project['id']}/fields", cost), 201)
    await ana.project("OPS")
    lines = (_task(n) for n in range(1, MANY + 1))
    _, progress = await imported(ana, project, b"".join(lines))
    assert (progress["state"], MANY > AMONG_MAX) == ("DONE", True)

    backwards = [RARE[4:2:-1], RARE[2:0:-1], RARE[:1]]
    for query in ("q=pump&field=cost:5..9", "field=cost:5..9", "q=pump+seal&field=cost:5..9"):
        assert await in_pages(ana, query) == backwards, query
        forwards = [RARE[:2], RARE[2:4], RARE[4:]]
        assert await in_pages(ana, f"{query}&sort=key") == forwards, query
    assert await in_pages(ana, "q=pump&field=cost:7..7") == [[]]


def _task(n: int) -> bytes:
    about: dict[str, Any] = {"fields": {"cost": 6 if n % EVERY == 0 else 2}}
    task = {"id": f"p{n}", "title": f"Pump {n}", "description": "The seal", **about}
    return json.dumps(task).encode() + b"\n"
