"""When tasks were created and changed goes by the days of the organization, or by times."""

from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest

from tests.api.stage import Json, MovableClock, Person, done, refused

ZONES = ["UTC", "Asia/Tokyo", "America/Lima", "Pacific/Kiritimati"]
TASKS = 9
STEP = timedelta(hours=7)
ORDERS = ("newest", "-newest", "updated", "-priority", "rank", "key", "due")
MEMBERS = {"created": "createdAt", "updated": "updatedAt", "completed": "completedAt"}


async def filled(ana: Person, clock: MovableClock, zone: str) -> None:
    """Create tasks on three days, and change most of them on the next two."""
    project = await ana.project()
    done(await ana.patch(f"/org/{ana.org_id}/settings", {"timeZone": zone}), 200)
    scopes = {"task": ["create", "edit", "read"], "project": ["read"]}
    key = done(await ana.post("/apikey", {"name": "CI", "scopes": scopes}), 201)["key"]
    ana.token = key  # a token of hers would expire
    for n in range(TASKS):
        await ana.task(project, priority=["LOW", "HIGH", "URGENT"][n % 3])
        clock.ahead += STEP
    for n in (0, 1, 2, 3, 5, 6, 7):
        to = {"status": "DONE"} if n % 4 else {"status": "IN_PROGRESS"}
        done(await ana.post(f"/task/ENG-{n + 1}/status?path=auto", to), 200)
        clock.ahead += STEP


def day_of(told: str | None, zone: str) -> date | None:
    if told is None:
        return None
    return datetime.fromisoformat(told).astimezone(ZoneInfo(zone)).date()


@pytest.mark.parametrize("zone", ZONES)
async def test_tasks_are_found_by_the_days_on_which_they_were_created_or_changed(
    ana: Person, clock: MovableClock, zone: str
) -> None:
    await filled(ana, clock, zone)
    for order in ORDERS:
        every = done(await ana.get(f"/project/ENG/tasks?sort={order}"), 200)["items"]
        for name, member in MEMBERS.items():
            told = [(task, day_of(task[member], zone)) for task in every]
            days = sorted(day for _, day in told if day is not None)
            assert len(days) == (6 if name == "completed" else TASKS)
            first, last = days[1], days[-2]
            for asked, begin, end in (
                (f"{first}..{last}", first, last),
                (f"{last}..{last}", last, last),
                (f"{last}..", last, date.max),
                (f"..{first}", date.min, first),
            ):
                for more, chosen in (("", {"LOW", "HIGH", "URGENT"}), ("&priority=HIGH", {"HIGH"})):
                    path = f"/project/ENG/tasks?sort={order}&{name}={asked}{more}"
                    assert done(await ana.get(path), 200)["items"] == [
                        task
                        for task, day in told
                        if day is not None and begin <= day <= end and task["priority"] in chosen
                    ], path


async def test_a_range_of_times_has_both_of_its_ends(ana: Person, clock: MovableClock) -> None:
    await filled(ana, clock, "Asia/Tokyo")
    every = done(await ana.get("/task"), 200)["items"]
    for name, member in MEMBERS.items():
        told = [(task, task[member] and datetime.fromisoformat(task[member])) for task in every]
        times = sorted(at for _, at in told if at)
        first, last = times[1], times[-2]
        short = timedelta(microseconds=1)
        for begin, end in ((first, last), (first + short, last - short), (first, None)):
            in_lima = begin.astimezone(ZoneInfo("America/Lima")).isoformat()
            ends = f"{quote(in_lima)}..{'' if end is None else quote(end.isoformat())}"
            found = done(await ana.get(f"/task?{name}={ends}"), 200)["items"]
            assert found == [task for task, at in told if at and begin <= at <= (end or times[-1])]


async def test_pages_saved_views_and_boards_take_the_same_periods(
    ana: Person, clock: MovableClock
) -> None:
    await filled(ana, clock, "UTC")
    every = done(await ana.get("/task"), 200)["items"]
    days = sorted({task["createdAt"][:10] for task in every})
    asked = {"created": f"{days[1]}..", "completed": f"..{every[1]['completedAt']}"}
    path = "/task?" + "&".join(f"{name}={value}" for name, value in asked.items())
    expected = done(await ana.get(path), 200)["items"]

    view = done(await ana.post("/view", {"name": "Late", "filter": asked}), 201)
    board = done(await ana.get(f"/project/ENG/board?{path.partition('?')[2]}"), 200)
    pages, cursor = list[Json](), ""
    while cursor is not None:
        some = done(await ana.get(f"{path}&limit=2{cursor and f'&cursor={cursor}'}"), 200)
        pages, cursor = pages + some["items"], some["nextCursor"]

    assert 2 < len(expected) < TASKS
    assert view["filter"] == asked
    assert done(await ana.get(f"/view/{view['id']}/tasks"), 200)["items"] == expected == pages
    shown = [task["key"] for column in board["columns"] for task in column["tasks"]]
    assert sorted(shown) == sorted(task["key"] for task in expected)


@pytest.mark.parametrize(
    "asked",
    [
        "2026-01-01",
        "..",
        "none..",
        "2026-13-01..",
        "0001-01-01..",
        "..9999-12-31",
        "2026-01-01T08:00..",
        "2026-01-01T08:00:00%2B25:00..",
        "2026-01-01T08:00:00+01:00..",
        "..9999-12-31T23:59:59.999999Z",
        "0001-01-01T00:00:00%2B14:00..",
        "2026-01-01T08:00:00.1234567Z..",
        "..now",
    ],
)
async def test_what_is_no_period_is_refused(ana: Person, asked: str) -> None:
    for name in MEMBERS:
        problem: Any = refused(await ana.get(f"/task?{name}={asked}"), 422, "invalid_request")
        [error] = problem["errors"]
        assert error["path"] == name
        assert error["message"].startswith("Expected a range of days or times with a zone, such as")
        # What a client sends as + is a space in the query.
        assert ("%2B" in error["message"]) is ("+" in asked)
