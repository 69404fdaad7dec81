"""Who sees the past: whoever sees the thing now, and the project that it was in then."""

import json
from typing import Any

from runtime.system import System
from tests.api.past.moments import check_missing, seq_now, then
from tests.api.stage import Person, done, refused

SECRET = "Quicksilver"
HIDDEN = {"key": "HID", "name": SECRET, "description": SECRET, "visibility": "PRIVATE"}


class TestPrivateProject:
    async def test_who_does_not_see_it_now_sees_nothing_of_its_past(
        self, ana: Person, ben: Person, mia: Person, system: System
    ) -> None:
        await ana.project()
        project = done(await ana.post("/project", HIDDEN | {"visibility": "ORGANIZATION"}), 201)
        task = await ana.task(project, SECRET)
        open_then = await seq_now(system, ana)
        paths = [f"/project/{project['id']}", "/project/HID", "/project/HID/board"]
        paths += [f"/task/{task['id']}", "/task/HID-1", f"/project/{project['id']}/board"]
        for path in paths:
            assert SECRET in json.dumps(await then(ben, path, open_then))
        done(await ana.patch("/project/HID", {"visibility": "PRIVATE"}), 200)

        for path in paths:
            for person in (ben, mia):
                await check_missing(person, path, open_then)
            assert SECRET in json.dumps(await then(ana, path, open_then))

    async def test_what_was_private_then_and_is_seen_now_is_shown(
        self, ana: Person, ben: Person, system: System
    ) -> None:
        project = done(await ana.post("/project", HIDDEN), 201)
        await ana.task(project, SECRET)
        private = await seq_now(system, ana)
        done(await ana.post("/project/HID/members", {"userId": ben.id}), 204)

        assert (await then(ben, "/task/HID-1", private))["title"] == SECRET
        assert (await then(ben, "/project/HID", private))["visibility"] == "PRIVATE"

    async def test_of_a_task_that_was_moved_out_of_it_that_time_is_not_shown(
        self, ana: Person, ben: Person, system: System
    ) -> None:
        await ana.project()
        hidden = done(await ana.post("/project", HIDDEN), 201)
        parent = await ana.task(hidden, f"{SECRET} above")
        task = await ana.task(hidden, SECRET, parentId=parent["id"])
        inside = await seq_now(system, ana)
        opened = (await ana.get("/project/ENG")).json()["id"]
        done(await ana.post("/task/HID-2/move", {"projectId": opened}), 200)
        outside = await seq_now(system, ana)

        for path in (f"/task/{task['id']}", "/task/ENG-1", "/task/HID-2"):
            await check_missing(ben, path, inside)
            shown = await then(ben, path, outside)
            assert shown["key"] == "ENG-1"
            assert hidden["id"] not in json.dumps(shown)
        assert (await then(ana, "/task/ENG-1", inside))["parentId"] == parent["id"]

    async def test_a_parent_that_is_in_it_now_is_not_named(
        self, ana: Person, ben: Person, system: System
    ) -> None:
        project = await ana.project()
        hidden = done(await ana.post("/project", HIDDEN), 201)
        parent = await ana.task(project, "Above")
        await ana.task(project, "Below", parentId=parent["id"])
        moment = await seq_now(system, ana)
        move = {"projectId": hidden["id"], "withSubtasks": False}
        done(await ana.post("/task/ENG-1/move", move), 200)

        shown = await then(ben, "/task/ENG-2", moment)
        board = await then(ben, "/project/ENG/board", moment)

        assert "parentId" not in shown
        assert parent["id"] not in json.dumps([shown, board])
        assert [task["key"] for task in board["columns"][0]["tasks"]] == ["ENG-2"]
        assert (await then(ana, "/task/ENG-2", moment))["parentId"] == parent["id"]

    async def test_another_organization_sees_nothing(
        self, ana: Person, dan: Person, system: System
    ) -> None:
        project = await ana.project()
        task = await ana.task(project)
        await dan.task(await dan.project("DAN"))
        moment = await seq_now(system, dan)

        for path in (f"/task/{task['id']}", f"/project/{project['id']}", "/project/ENG/board"):
            await check_missing(dan, path, moment)


class TestTrash:
    async def test_what_is_deleted_by_now_is_shown_to_who_sees_the_trash(
        self, ana: Person, ben: Person, mia: Person, system: System
    ) -> None:
        project = await ana.project()
        await ana.task(project, "Hers")
        await ben.task(project, "His")
        moment = await seq_now(system, ana)
        for key in ("ENG-1", "ENG-2"):
            done(await ana.delete(f"/task/{key}"), 204)
        deleted = await seq_now(system, ana)

        for person in (ana, mia):
            for key in ("ENG-1", "ENG-2"):
                assert (await then(person, f"/task/{key}", moment))["deletedAt"] is None
                assert (await then(person, f"/task/{key}", deleted))["deletedAt"] is not None
        await check_missing(ben, "/task/ENG-1", moment)
        assert (await then(ben, "/task/ENG-2", moment))["deletedAt"] is None
        assert (await then(ben, "/task/ENG-2", deleted))["deletedAt"] is not None

    async def test_what_was_deleted_then_says_since_when(
        self, ana: Person, ben: Person, system: System
    ) -> None:
        project = await ana.project()
        parent = await ana.task(project, "Above")
        await ana.task(project, "Below", parentId=parent["id"])
        done(await ana.delete("/task/ENG-1"), 204)
        [trashed] = (await ana.get("/trash")).json()["items"]
        moment = await seq_now(system, ana)
        done(await ana.post("/task/ENG-1/restore"), 200)

        for key in ("ENG-1", "ENG-2"):
            assert (await then(ana, f"/task/{key}", moment))["deletedAt"] == trashed["deletedAt"]
            await check_missing(ben, f"/task/{key}", moment)
        assert (await then(ana, "/project/ENG/board", moment))["columns"][0]["tasks"] == []

    async def test_a_deleted_project_is_shown_to_who_sees_the_trash(
        self, ana: Person, ben: Person, mia: Person, system: System
    ) -> None:
        project = await ana.project()
        await ben.task(project, "His")
        moment = await seq_now(system, ana)
        done(await ana.delete("/project/ENG"), 204)
        deleted = await seq_now(system, ana)
        paths = ("/project/ENG", "/task/ENG-1", "/project/ENG/board")

        for person in (ana, mia):
            for path in paths[:2]:
                assert (await then(person, path, moment))["deletedAt"] is None
                assert (await then(person, path, deleted))["deletedAt"] is not None
            assert (await then(person, paths[2], moment))["columns"][0]["count"] == 1
        for path in paths:
            await check_missing(ben, path, moment)
            await check_missing(ben, path, deleted)

    async def test_the_first_of_several_deletions_tells_since_when(
        self, ana: Person, ben: Person, system: System
    ) -> None:
        project = await ana.project()
        parent = await ana.task(project, "Above")
        await ana.task(project, "Below", parentId=parent["id"])
        since: list[str] = []
        for path in ("/task/ENG-2", "/task/ENG-1", "/project/ENG"):
            done(await ana.delete(path), 204)
            [newest, *_] = (await ana.get("/trash?limit=1")).json()["items"]
            since.append(newest["deletedAt"])
        moment = await seq_now(system, ana)
        done(await ana.post(f"/project/{project['id']}/restore"), 200)

        assert (await then(ana, "/task/ENG-2", moment))["deletedAt"] == since[0]
        assert (await then(ana, "/task/ENG-1", moment))["deletedAt"] == since[1]
        assert (await then(ana, "/project/ENG", moment))["deletedAt"] == since[2]
        await check_missing(ben, "/project/ENG", moment)

    async def test_what_is_in_a_deleted_project_by_now_has_no_past_for_members(
        self, ana: Person, ben: Person, system: System
    ) -> None:
        project, other = await ana.project(), await ana.project("HR")
        task = await ana.task(project)
        moment = await seq_now(system, ana)
        done(await ana.post("/task/ENG-1/move", {"projectId": other["id"]}), 200)
        assert (await then(ben, f"/task/{task['id']}", moment))["key"] == "ENG-1"
        done(await ana.delete("/project/HR"), 204)

        await check_missing(ben, f"/task/{task['id']}", moment)
        assert (await then(ana, f"/task/{task['id']}", moment))["deletedAt"] is None

    async def test_a_lead_sees_what_was_deleted_in_the_projects_of_their_team(
        self, ana: Person, ben: Person, system: System
    ) -> None:
        team = done(await ana.post("/team", {"name": "Gears"}), 201)
        lead = {"userId": ben.id, "role": "LEAD"}
        done(await ana.post(f"/team/{team['id']}/members", lead), 200)
        project = await ana.project()
        await ana.task(project)
        moment = await seq_now(system, ana)
        done(await ana.delete("/task/ENG-1"), 204)
        await check_missing(ben, "/task/ENG-1", moment)

        done(await ana.patch("/project/ENG", {"teamId": team["id"]}), 200)

        assert (await then(ben, "/task/ENG-1", moment))["title"] == "Oil it"

    async def test_a_key_needs_the_scope_of_the_trash(self, ana: Person, system: System) -> None:
        await ana.task(await ana.project())
        moment = await seq_now(system, ana)
        done(await ana.delete("/task/ENG-1"), 204)

        async def asked(**scopes: list[str]) -> Any:
            body = {"name": "CI", "scopes": scopes}
            key = done(await ana.post("/apikey", body), 201)["key"]
            headers = {"authorization": f"Bearer {key}"}
            return await ana.client.get(f"/api/task/ENG-1?as_of={moment}", headers=headers)

        refused(await asked(task=["read"]), 404, "not_found")
        assert done(await asked(task=["read"], trash=["read"]), 200)["key"] == "ENG-1"
