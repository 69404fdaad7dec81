"""What is due on some days goes by the time zone of the organization, in every order."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.api.stage import Json, Person, done

FIRST, LAST = date(2031, 10, 25), date(2031, 10, 28)
"""Between them, the clocks of London go back."""
ORDERS = ("due", "-due", "newest", "-priority", "rank")
SECOND = timedelta(seconds=1)


def dues() -> list[Json]:
    """Return days and times around the ends of both days, wherever they begin in UTC."""
    found: list[Json] = [{}]
    for day in (FIRST, LAST + timedelta(days=1)):
        found += [{"dueDate": str(day + timedelta(days=n))} for n in (-2, -1, 0, 1)]
        midnight = datetime.combine(day, time(), UTC)
        for hours in (-14, -9, 0, 5, 12):
            at = midnight + timedelta(hours=hours)
            found += [{"dueAt": each.isoformat()} for each in (at - SECOND, at)]
    return found


def day_of(task: Json, zone: ZoneInfo) -> date | None:
    """Return on which day of a zone a task is due."""
    if task["dueDate"] is not None:
        return date.fromisoformat(task["dueDate"])
    if task["dueAt"] is None:
        return None
    return datetime.fromisoformat(task["dueAt"]).astimezone(zone).date()


@pytest.mark.parametrize(
    "zone", ["UTC", "Asia/Tokyo", "America/Lima", "Europe/London", "Pacific/Kiritimati"]
)
async def test_what_is_due_on_some_days_is_found_by_the_clock_of_the_organization(
    ana: Person, zone: str
) -> None:
    project = await ana.project()
    done(await ana.patch(f"/org/{ana.org_id}/settings", {"timeZone": zone}), 200)
    for n, about in enumerate(dues()):
        await ana.task(project, priority=["LOW", "HIGH", "URGENT"][n % 3], **about)
    ends: dict[str, Any] = {
        f"{FIRST}..{LAST}": (FIRST, LAST),
        f"{FIRST}..{FIRST}": (FIRST, FIRST),
        f"{FIRST}..": (FIRST, date.max),
        f"..{LAST}": (date.min, LAST),
    }

    for order in ORDERS:
        every = done(await ana.get(f"/project/ENG/tasks?limit=100&sort={order}"), 200)["items"]
        days = [day_of(task, ZoneInfo(zone)) for task in every]
        for asked, (first, last) in ends.items():
            path = f"/project/ENG/tasks?limit=100&sort={order}&due={asked}"
            for more, chosen in (("", {"LOW", "HIGH", "URGENT"}), ("&priority=HIGH", {"HIGH"})):
                found = done(await ana.get(path + more), 200)["items"]
                assert found == [
                    task
                    for task, day in zip(every, days, strict=True)
                    if day is not None and first <= day <= last and task["priority"] in chosen
                ], (order, asked, more)


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Etc/GMT+12"])
async def test_what_is_overdue_is_found_as_it_is_told(ana: Person, zone: str) -> None:
    project = await ana.project()
    done(await ana.patch(f"/org/{ana.org_id}/settings", {"timeZone": zone}), 200)
    now = datetime.now(UTC)
    for days in (-2, -1, 0, 1):
        await ana.task(project, dueDate=str((now + timedelta(days=days)).date()))
        for minutes in (-1, 30):
            at = now + timedelta(days=days, minutes=minutes)
            await ana.task(project, dueAt=at.isoformat())

    for order in ORDERS:
        path = f"/project/ENG/tasks?sort={order}"
        every = done(await ana.get(path), 200)["items"]
        found = done(await ana.get(f"{path}&overdue=true"), 200)["items"]
        assert found == [task for task in every if task["overdue"]], order
        assert 6 <= len(found) <= 8
