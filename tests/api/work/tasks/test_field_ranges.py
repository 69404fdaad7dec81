"""Lists of tasks by ranges of numbers and of days in custom fields."""

from typing import Any

import pytest

from api.work.tasks.field_values import asked_values, field_value
from domain.planning.field_value import NamedValue
from projections.work.field_order.entries import number_ends
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
        values = {"cost": cost, "day": day, "note": {"A": "7.0", "D": "2..8"}.get(title, "4")}
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
        ("field=note:2..8", ""),  # no text is a number
        ('field=note:"2..8"', "D"),  # what is quoted is no range
        ('field=note:"2..8",note:4', "FEDCB"),
        ("field=cost:2.50", "B"),  # a number in any digits
        ("field=cost:5.0,cost:040", "EA"),
        ("field=note:4.0", ""),  # a text in its own
        ("field=note:7.0", "A"),
        ('field=cost:"2.50"', ""),
        (f"field=cost:{'9' * 400}", ""),
        (f"field=cost:40..{'9' * 400}", "E"),
        ('field=cost:..0,cost:40,note:"2..8"', ""),
        ("field=cost:2..8&priority=MEDIUM&sort=key", "ABF"),
        ("field=cost:2..8&q=B", "B"),
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


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1..3", "2..5", "5..", "9"], [(1.0, None)]),
        (["9..", "..2", "3"], [(None, 2.0), (3.0, 3.0), (9.0, None)]),
        (["5..2", "1..3", "4"], [(1.0, 3.0), (4.0, 4.0), (5.0, 2.0)]),
    ],
)
def test_ranges_that_meet_are_one(texts: list[str], expected: list[Any]) -> None:
    [found] = asked_values([NamedValue("cost", text, quoted=False) for text in texts]).ranges

    assert list(found.ranges) == [number_ends(*ends) for ends in expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cost:..", False),
        ("cost:2..", True),
        ("cost:2", False),
        ('cost:"2.."', False),
        ("cost:a..b", False),
        ("cost:2026-01-01..", True),
        ("cost:1e5..", False),
    ],
)
def test_what_is_quoted_or_has_other_ends_is_no_range(text: str, expected: bool) -> None:
    value = field_value(text)
    assert value is not None

    found = asked_values([value])

    assert bool(found.ranges) is expected
    assert bool(found.equal) is not expected
