"""Lists of tasks by ranges of numbers and of days in custom fields."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.work.tasks.field_values import asked_values, field_value
from tests.api.stage import Person, done, refused

COSTS = (5, 2.5, -3, None, 40, 5.01)
DAYS = ("2026-03-01", None, "2026-12-31", "2026-03-02", None, "2025-02-28")


@pytest.fixture
async def listed(ana: Person) -> str:
    """Return the path of the tasks of a project that have costs, days and texts."""
    project = await ana.project()
    for key, kind in (("cost", "number"), ("day", "date"), ("note", "text")):
        made = {"key": key, "name": key, "type": kind}
        done(await ana.post(f"/project/{project['id']}/fields", made), 201)
    for title, cost, day in zip("ABCDEF", COSTS, DAYS, strict=True):
        values = {"cost": cost, "day": day, "note": "2..8" if title == "D" else "4"}
        there = {key: value for key, value in values.items() if value is not None}
        await ana.task(project, title, fields=there)
    return f"/project/{project['id']}/tasks"


async def titles(ana: Person, path: str) -> str:
    """Return the titles of all pages of a list."""
    found = ""
    while True:
        page = done(await ana.get(path), 200)
        found += "".join(task["title"] for task in page["items"])
        if page["nextCursor"] is None:
            return found
        base = path.partition("&cursor=")[0]
        path = f"{base}&cursor={page['nextCursor']}"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("field=cost:2.5..5", "BA"),
        ("field=cost:-10..0", "C"),
        ("field=cost:5..", "FEA"),
        ("field=cost:..2.5", "CB"),
        ("field=cost:40,cost:..0", "EC"),  # several of one field are a choice
        ("field=cost:8..2", ""),
        ("field=day:2026-03-01..2026-03-02", "DA"),
        ("field=day:..2026-03-01", "FA"),
        ("field=day:2026-03-02..", "DC"),
        ("field=day:2026-01-01..,cost:5..", "A"),  # and all fields hold
        ("field=cost:5..&sort=-newest", "AEF"),
        ("field=cost:2..&sort=field:cost", "BAFE"),
        ("field=note:2..8", "D"),  # a text that is equal, and no text is a number
        ("field=cost:..", ""),
    ],
)
async def test_a_range_finds_what_is_within_in_every_order(
    ana: Person, listed: str, query: str, expected: str
) -> None:
    for path in (f"{listed}?{query}", f"/task?{query}"):
        for limit in (1, 2, 50):
            assert await titles(ana, f"{path}&limit={limit}") == expected


async def test_a_view_has_a_range(ana: Person, listed: str) -> None:
    shown = {"name": "Costly", "filter": {"field": ["cost:5.."]}}
    view: Any = done(await ana.post("/view", shown), 201)

    assert await titles(ana, f"/view/{view['id']}/tasks?limit=2") == "FEA"


async def test_a_day_that_does_not_exist_ends_no_range(ana: Person, listed: str) -> None:
    for wrong in ("day:2026-02-30..", "day:2026-02-01..2026-13-01"):
        refused(await ana.get(f"{listed}?field={wrong}"), 422, "invalid_request")


ENDS = st.none() | st.decimals(-100, 100, places=1).map(float)


@given(ENDS, ENDS, st.floats(-100, 100))
def test_a_range_of_numbers_has_its_ends(low: float | None, high: float | None, n: float) -> None:
    text = f"cost:{'' if low is None else low}..{'' if high is None else high}"
    value = field_value(text)
    assert value is not None

    choices = asked_values([value]).choices

    if low is None and high is None:
        assert choices == ()
        return
    within = (low is None or low <= n) and (high is None or n <= high)
    assert [each.has(n) for each in choices] == [within]
