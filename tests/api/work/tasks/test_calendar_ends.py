"""Tasks that are due on the first and the last day of the calendar are listed like others."""

import pytest

from tests.api.stage import Person, done


@pytest.mark.parametrize("zone", ["Etc/GMT+12", "UTC", "Pacific/Kiritimati"])
async def test_tasks_that_are_due_at_the_ends_of_the_calendar_are_listed(
    ana: Person, zone: str
) -> None:
    project = await ana.project()
    done(await ana.patch(f"/org/{ana.org_id}/settings", {"timeZone": zone}), 200)
    for due in ({"dueDate": "9999-12-31"}, {"dueDate": "0001-01-01"}):
        await ana.task(project, **due)
    for at in ("9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z"):
        await ana.task(project, startDate="0001-01-01", dueAt=at)

    found = done(await ana.get("/task?sort=due"), 200)["items"]

    assert [each["number"] for each in found][2:] == [3, 1]
    assert [each["overdue"] for each in found] == [True, True, False, False]
    assert done(await ana.get("/dashboard"), 200)["open"] == 4
