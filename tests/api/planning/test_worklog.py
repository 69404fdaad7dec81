"""Logged time over HTTP: who may log, change and delete it, and what its task shows of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from litestar import Litestar

from tests.api.planning import time_logging
from tests.api.planning.time_logging import LOGS, log, spent
from tests.api.stage import Person, at_once, done, refused, sign_up

task, ben, mia = time_logging.task, time_logging.ben, time_logging.mia


@pytest.mark.usefixtures("task")
class TestWorklogs:
    async def test_an_entry_is_shown_where_its_location_says(self, ana: Person, task: Any) -> None:
        response = await ana.post(LOGS, {"minutes": 90, "date": "2026-11-02", "note": "Oiled"})

        entry = done(response, 201)
        where = response.headers["location"]
        assert where == f"/api/task/{task['id']}/worklogs/{entry['id']}"
        found = await ana.get(where.removeprefix("/api"))
        assert done(found, 200) == entry
        assert found.headers["etag"] == '"1"'
        assert (entry["taskId"], entry["userId"], entry["createdBy"]) == (
            task["id"],
            ana.id,
            ana.id,
        )
        assert (entry["minutes"], entry["date"], entry["note"]) == (90, "2026-11-02", "Oiled")

    async def test_the_day_is_today_in_the_time_zone_of_the_organization(self, ana: Person) -> None:
        first, last = "Pacific/Kiritimati", "Pacific/Niue"  # 25 hours apart: never the same day
        days: list[str] = []
        for zone in (first, last):
            settings = f"/org/{ana.org_id}/settings"
            done(await ana.patch(settings, {"timeZone": zone}), 200)
            days.append((await log(ana))["date"])

        assert days[0] > days[1]

    async def test_entries_are_listed_the_latest_day_first(self, ana: Person) -> None:
        for minutes, day in ((1, "2026-11-02"), (2, "2026-11-04"), (3, "2026-11-02")):
            await log(ana, minutes, date=day)

        page = done(await ana.get(f"{LOGS}?limit=2"), 200)
        rest = done(await ana.get(f"{LOGS}?limit=2&cursor={page['nextCursor']}"), 200)

        assert [each["minutes"] for each in page["items"]] == [2, 3]
        assert [each["minutes"] for each in rest["items"]] == [1]
        assert rest["nextCursor"] is None

    async def test_a_task_shows_what_its_entries_come_to(self, ana: Person, ben: Person) -> None:
        assert await spent(ana) == 0
        first = await log(ana, 30)
        await log(ben, 15)
        assert await spent(ana) == 45

        path = f"{LOGS}/{first['id']}"
        done(await ana.patch(path, {"minutes": 20}), 200)
        assert await spent(ana) == 35
        done(await ana.patch(path, {"minutes": 20, "note": "Oil"}), 200)
        assert await spent(ana) == 35
        done(await ana.delete(path), 204)
        assert await spent(ana) == 15
        done(await ana.post(f"{path}/restore"), 200)
        assert await spent(ana) == 35
        done(await ana.delete(path), 204)
        done(await ana.delete(f"/trash/worklog/{first['id']}"), 204)
        assert await spent(ana) == 15
        refused(await ana.post(f"{path}/restore"), 404, "not_found")

    async def test_entries_that_are_logged_at_once_all_count(
        self, ana: Person, ben: Person
    ) -> None:
        asked = [person.post(LOGS, {"minutes": 7}) for person in (ana, ben) for _ in range(5)]

        for response in await at_once(*asked):
            done(response, 201)

        assert await spent(ana) == 70

    async def test_a_day_is_neither_too_early_nor_too_late(self, ana: Person) -> None:
        done(await ana.patch(f"/org/{ana.org_id}/settings", {"timeZone": "Etc/UTC"}), 200)
        now = datetime.now(UTC).date()
        entry = await log(ana, date=str(now + timedelta(days=1)))
        await log(ana, date="2000-01-01")

        for day in (str(now + timedelta(days=3)), "1999-12-31"):
            created = await ana.post(LOGS, {"minutes": 5, "date": day})
            changed = await ana.patch(f"{LOGS}/{entry['id']}", {"date": day})
            for response in (created, changed):
                problem = refused(response, 422, "day_out_of_range")
                assert problem["earliest"] == "2000-01-01"

    @pytest.mark.parametrize(
        "body",
        [
            {"minutes": 0},
            {"minutes": 1441},
            {"minutes": 1.5},
            {},
            {"minutes": 5, "note": " "},
            {"minutes": 5, "note": "x" * 5001},
            {"minutes": 5, "date": "2026-02-30"},
            {"minutes": 5, "more": 1},
        ],
    )
    async def test_what_is_no_entry_is_refused(self, ana: Person, body: Any) -> None:
        assert (await ana.post(LOGS, body)).status_code in {400, 422}

    async def test_members_change_only_their_own_time(
        self, ana: Person, ben: Person, mia: Person
    ) -> None:
        hers, his = await log(ana), await log(ben)

        for path in (f"{LOGS}/{hers['id']}",):
            refused(await ben.patch(path, {"minutes": 1}), 403, "not_permitted")
            refused(await ben.delete(path), 403, "not_permitted")
        path = f"{LOGS}/{his['id']}"
        done(await ben.patch(path, {"minutes": 1}), 200)
        done(await mia.patch(path, {"minutes": 2}), 200)
        done(await mia.delete(path), 204)
        refused(await ben.post(f"{path}/restore"), 403, "not_permitted")
        done(await mia.post(f"{path}/restore"), 200)
        done(await ben.delete(path), 204)
        done(await ben.post(f"{path}/restore"), 200)

    async def test_who_manages_time_logs_that_of_others(
        self, app: Litestar, ana: Person, ben: Person, mia: Person
    ) -> None:
        entry = await log(mia, userId=ben.id)
        stranger = await sign_up(app)

        assert (entry["userId"], entry["createdBy"]) == (ben.id, mia.id)
        done(await ben.patch(f"{LOGS}/{entry['id']}", {"minutes": 5}), 200)
        body = {"minutes": 5, "userId": mia.id}
        refused(await ben.post(LOGS, body), 403, "not_permitted")
        unknown = {"minutes": 5, "userId": stranger.id}
        refused(await ana.post(LOGS, unknown), 404, "not_found")

    async def test_an_archived_project_and_a_task_in_the_trash_keep_their_time(
        self, ana: Person, task: Any
    ) -> None:
        entry = await log(ana)
        path = f"{LOGS}/{entry['id']}"
        gone = await log(ana)
        done(await ana.delete(f"{LOGS}/{gone['id']}"), 204)
        project = task["projectId"]
        done(await ana.post(f"/project/{project}/archive"), 200)
        for response in (
            await ana.post(LOGS, {"minutes": 5}),
            await ana.patch(path, {"minutes": 5}),
            await ana.delete(path),
            await ana.post(f"{LOGS}/{gone['id']}/restore"),
        ):
            refused(response, 409, "project_archived")
        assert done(await ana.get(path), 200) == entry
        done(await ana.post(f"/project/{project}/unarchive"), 200)

        done(await ana.delete(f"/task/{task['id']}"), 204)
        logs = f"/task/{task['id']}/worklogs"
        for response in (
            await ana.post(logs, {"minutes": 5}),
            await ana.get(logs),
            await ana.get(f"{logs}/{entry['id']}"),
            await ana.delete(f"{logs}/{entry['id']}"),
        ):
            refused(response, 404, "not_found")
        refused(await ana.post(f"{logs}/{gone['id']}/restore"), 409, "parent_in_trash")
        done(await ana.post(f"/task/{task['id']}/restore"), 200)
        assert await spent(ana) == 30

    async def test_a_repeated_request_logs_once(self, ana: Person) -> None:
        headers = {"idempotency-key": "one"}
        first = await ana.post(LOGS, {"minutes": 5}, headers=headers)
        again = await ana.post(LOGS, {"minutes": 5}, headers=headers)

        assert done(first, 201) == done(again, 201)
        assert await spent(ana) == 5

    async def test_nobody_sees_the_time_of_another_organization(
        self, app: Litestar, ana: Person, task: Any
    ) -> None:
        entry = await log(ana)
        other = await sign_up(app)
        own = await other.task(await other.project())
        path = f"/task/{task['id']}/worklogs"

        for response in (
            await other.get(path),
            await other.post(path, {"minutes": 5}),
            await other.get(f"{path}/{entry['id']}"),
            await other.patch(f"{path}/{entry['id']}", {"minutes": 5}),
            await other.delete(f"/task/{own['id']}/worklogs/{entry['id']}"),
            await other.get(f"/task/{own['id']}/worklogs/{entry['id']}"),
        ):
            refused(response, 404, "not_found")
        assert await spent(ana) == 30

    async def test_what_was_logged_in_a_project_that_became_private_is_hidden(
        self, ana: Person, ben: Person, task: Any
    ) -> None:
        entry = await log(ben)
        path = f"/project/{task['projectId']}"
        done(await ana.patch(path, {"visibility": "PRIVATE"}), 200)

        for response in (
            await ben.get(LOGS),
            await ben.get(f"{LOGS}/{entry['id']}"),
            await ben.post(LOGS, {"minutes": 5}),
            await ben.patch(f"{LOGS}/{entry['id']}", {"minutes": 5}),
            await ben.delete(f"{LOGS}/{entry['id']}"),
        ):
            refused(response, 404, "not_found")
        body = {"minutes": 5, "userId": ben.id}
        refused(await ana.post(LOGS, body), 409, "cannot_see_project")
