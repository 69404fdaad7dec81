"""Timesheets over HTTP: time on tasks that whoever asks sees now: a list, sums, a table."""

import csv
import io
from typing import Any

import pytest
from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.stage import Person, done, join, refused, sign_up

DAYS = "from=2026-11-01&to=2026-11-30"


@pytest.fixture
async def ben(app: Litestar, system: System, ana: Person) -> Person:
    person = await sign_up(app, organization=False)
    await join(system, person, ana.org_id, Role.MEMBER)
    return person


async def log(person: Person, task: str, minutes: int, day: int, **about: Any) -> Any:
    body = {"minutes": minutes, "date": f"2026-11-{day:02}", **about}
    return done(await person.post(f"/task/{task}/worklogs", body), 201)


async def listed(person: Person, query: str = DAYS) -> list[Any]:
    items: list[Any] = done(await person.get(f"/worklogs?{query}"), 200)["items"]
    return items


async def minutes(person: Person, query: str = DAYS) -> list[int]:
    return [each["minutes"] for each in await listed(person, query)]


async def added(person: Person, by: str, query: str = DAYS) -> Any:
    return done(await person.get(f"/timesheet?{query}&groupBy={by}"), 200)


class Sheet:
    """Two projects with a task each, on which two people log time."""

    def __init__(self, engine: Any, ops: Any) -> None:
        self.engine, self.ops = engine, ops


@pytest.fixture
async def sheet(ana: Person, ben: Person) -> Sheet:
    made = Sheet(await ana.project(), await ana.project("OPS"))
    await ana.task(made.engine, "=Oil it")
    await ana.task(made.ops)
    await log(ben, "ENG-1", 5, 3, note="+Oiled")
    await log(ana, "OPS-1", 30, 2)
    await log(ana, "ENG-1", 20, 2)
    await log(ben, "OPS-1", 1, 30)
    await log(ben, "OPS-1", 60, 1)
    return made


class TestTimesheets:
    @pytest.mark.usefixtures("sheet")
    async def test_entries_are_listed_by_day_with_where_their_task_is(self, ana: Person) -> None:
        page = done(await ana.get(f"/worklogs?{DAYS}&limit=2"), 200)
        rest = f"{DAYS}&limit=2&cursor={page['nextCursor']}"

        assert [each["minutes"] for each in page["items"]] == [60, 30]
        assert await minutes(ana, rest) == [20, 5]
        assert await minutes(ana, "from=2026-11-02&to=2026-11-03") == [30, 20, 5]
        [first] = await listed(ana, "from=2026-11-01&to=2026-11-01")
        shown = done(await ana.get(f"/task/OPS-1/worklogs/{first['id']}"), 200)
        ops = done(await ana.get("/project/OPS"), 200)["id"]
        assert first == shown | {"projectId": ops, "taskKey": "OPS-1"}

    async def test_entries_of_one_person_and_of_one_project(
        self, ana: Person, ben: Person, sheet: Sheet
    ) -> None:
        assert await minutes(ana, f"{DAYS}&userId={ben.id}") == [60, 5, 1]
        assert await minutes(ana, f"{DAYS}&projectId={sheet.engine['id']}") == [20, 5]
        both = f"{DAYS}&userId={ben.id}&projectId={sheet.engine['id']}"
        assert await minutes(ana, both) == [5]
        assert await minutes(ana, f"{both}&limit=1") == [5]
        assert await minutes(ana, f"{DAYS}&userId={sheet.engine['id']}") == []
        nowhere = await ana.get(f"/worklogs?{DAYS}&projectId={ben.id}")
        refused(nowhere, 404, "not_found")

    async def test_time_is_added_up(self, ana: Person, ben: Person, sheet: Sheet) -> None:
        by_user = await added(ana, "user")
        by_project = await added(ana, "project")
        by_task = await added(ana, "task")
        by_day = await added(ana, "day")

        assert by_user == {
            "minutes": 116,
            "entries": 5,
            "groups": [
                {"userId": ben.id, "minutes": 66, "entries": 3},
                {"userId": ana.id, "minutes": 50, "entries": 2},
            ],
        }
        assert by_project["groups"] == [
            {"projectId": sheet.ops["id"], "minutes": 91, "entries": 3},
            {"projectId": sheet.engine["id"], "minutes": 25, "entries": 2},
        ]
        tasks = [(each["taskKey"], each["minutes"]) for each in by_task["groups"]]
        assert tasks == [("OPS-1", 91), ("ENG-1", 25)]
        days = [(each["date"], each["minutes"]) for each in by_day["groups"]]
        assert days == [
            ("2026-11-01", 60),
            ("2026-11-02", 50),
            ("2026-11-03", 5),
            ("2026-11-30", 1),
        ]
        none = await added(ana, "day", "from=2025-11-01&to=2025-11-30")
        assert none == {"minutes": 0, "entries": 0, "groups": []}

    @pytest.mark.usefixtures("sheet")
    async def test_a_table_is_safe_to_open_in_a_spreadsheet(self, ana: Person, ben: Person) -> None:
        response = await ana.get(f"/worklogs/export?{DAYS}")
        head = await ana.ask("HEAD", f"/worklogs/export?{DAYS}")

        assert response.headers["content-disposition"] == (
            'attachment; filename="time-2026-11-01-2026-11-30.csv"'
        )
        assert head.headers["content-disposition"] == response.headers["content-disposition"]
        assert response.text.count("\r\n") == 6
        rows = [*csv.DictReader(io.StringIO(response.text, newline=""))]
        assert [row["minutes"] for row in rows] == ["60", "30", "20", "5", "1"]
        told = {name: rows[3][name] for name in ("date", "user", "userId", "project", "task")}
        assert told == {
            "date": "2026-11-03",
            "user": "Pat",
            "userId": ben.id,
            "project": "ENG",
            "task": "ENG-1",
        }
        assert (rows[3]["title"], rows[3]["note"]) == ("'=Oil it", "'+Oiled")

    @pytest.mark.parametrize(
        ("query", "path"),
        [
            ("from=2026-11-02&to=2026-11-01", "from"),
            ("from=2026-01-01&to=2027-01-02", "to"),
            ("from=2026-11-01", "to"),
            ("from=x&to=2026-11-01", "from"),
            (f"{DAYS}&groupBy=moon", "groupBy"),
        ],
    )
    async def test_days_are_a_year_at_most(self, ana: Person, query: str, path: str) -> None:
        paths = (
            ("/timesheet",)
            if path == "groupBy"
            else ("/worklogs", "/timesheet", "/worklogs/export")
        )
        for route in paths:
            response = await ana.get(f"{route}?{query}")
            assert response.status_code in {400, 422}, response.text
            assert path in response.text
        done(await ana.get("/timesheet?from=2024-01-01&to=2024-12-31"), 200)

    @pytest.mark.usefixtures("sheet")
    async def test_too_much_time_is_not_added_up(
        self, ana: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("projections.planning.timesheet.ENTRIES_MAX", 4)

        refused(await ana.get(f"/timesheet?{DAYS}"), 422, "too_much_time")
        await added(ana, "user", "from=2026-11-02&to=2026-11-30")

    async def test_time_goes_where_its_task_goes(
        self, ana: Person, ben: Person, sheet: Sheet
    ) -> None:
        done(await ana.post("/task/ENG-1/move", {"projectId": sheet.ops["id"]}), 200)

        moved = await listed(ana, f"{DAYS}&projectId={sheet.ops['id']}")
        assert [each["taskKey"] for each in moved] == ["OPS-1", "OPS-1", "OPS-2", "OPS-2", "OPS-1"]
        assert await minutes(ana, f"{DAYS}&projectId={sheet.engine['id']}") == []
        done(await ana.patch(f"/project/{sheet.ops['id']}", {"visibility": "PRIVATE"}), 200)
        assert await minutes(ben) == []
        assert len(await minutes(ana)) == 5

    async def test_what_is_in_the_trash_does_not_count(
        self, ana: Person, ben: Person, sheet: Sheet
    ) -> None:
        [entry] = await listed(ana, "from=2026-11-01&to=2026-11-01")
        done(await ben.delete(f"/task/OPS-1/worklogs/{entry['id']}"), 204)
        assert (await added(ana, "user"))["minutes"] == 56
        done(await ana.delete("/task/ENG-1"), 204)
        assert (await added(ana, "user"))["minutes"] == 31
        done(await ana.delete(f"/project/{sheet.ops['id']}"), 204)
        assert (await added(ana, "user"))["minutes"] == 0

    async def test_nobody_is_told_of_time_in_a_project_that_they_do_not_see(
        self, app: Litestar, system: System, ana: Person, ben: Person, sheet: Sheet
    ) -> None:
        done(await ana.patch(f"/project/{sheet.ops['id']}", {"visibility": "PRIVATE"}), 200)
        mia, stranger = await sign_up(app, organization=False), await sign_up(app)
        await join(system, mia, ana.org_id, Role.MANAGER)

        for person in (ben, mia):
            assert await minutes(person) == [20, 5]
            assert (await added(person, "project"))["minutes"] == 25
            assert "OPS" not in (await person.get(f"/worklogs/export?{DAYS}")).text
            for path in ("/worklogs", "/timesheet", "/worklogs/export"):
                asked = await person.get(f"{path}?{DAYS}&projectId={sheet.ops['id']}")
                refused(asked, 404, "not_found")
        assert len(await minutes(ana)) == 5
        assert await minutes(stranger) == []

    async def test_a_key_that_reads_tasks_reads_their_time(self, ana: Person, sheet: Sheet) -> None:
        scopes = {"task": ["read"], "project": ["read"]}
        key = done(await ana.post("/apikey", {"name": "CI", "scopes": scopes}), 201)["key"]
        headers = {"authorization": f"Bearer {key}"}

        found = await ana.client.get(f"/api/worklogs?{DAYS}", headers=headers)
        logged = await ana.client.post(
            "/api/task/ENG-1/worklogs", json={"minutes": 5}, headers=headers
        )

        assert len(done(found, 200)["items"]) == 5
        refused(logged, 403, "scope_missing")
