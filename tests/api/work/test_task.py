"""Tasks over HTTP."""

from typing import Any

import pytest

from tests.api.stage import Person, done, refused


class TestCreateTask:
    async def test_creating_a_task_returns_it_with_its_location(self, ana: Person) -> None:
        project = await ana.project()

        response = await ana.post(f"/project/{project['id']}/tasks", {"title": "Oil it"})

        task = done(response, 201)
        assert task["key"] == "ENG-1"
        assert task["status"] == "TODO"
        assert task["createdBy"] == ana.id
        assert response.headers["location"] == f"/api/task/{task['id']}"
        assert response.headers["etag"] == '"1"'
        assert int(response.headers["x-position"]) > 0

    async def test_no_task_is_created_in_an_archived_project(self, ana: Person) -> None:
        project = await ana.project()
        done(await ana.post(f"/project/{project['id']}/archive"), 200)

        response = await ana.post(f"/project/{project['id']}/tasks", {"title": "Late"})

        refused(response, 409, "project_archived")


class TestGetTask:
    async def test_a_get_returns_what_the_command_does(self, ana: Person) -> None:
        project = await ana.project()
        made = await ana.post(f"/project/{project['id']}/tasks", {"title": "Oil it"})

        by_key = await ana.get("/task/ENG-1")
        by_id = await ana.get(f"/task/{made.json()['id']}")

        assert by_key.content == by_id.content
        shown = by_key.json()
        assert shown == made.json()
        assert shown["subtasks"] == {"done": 0, "all": 0}
        assert (shown["comments"], shown["overdue"], shown["watching"]) == (0, False, True)
        assert by_key.headers["etag"] == made.headers["etag"]

    async def test_a_task_is_shown_in_full_since_it_has_derived_members(self, ana: Person) -> None:
        project = await ana.project()
        await ana.task(project)

        for path in ("/task/ENG-1", f"/project/{project['id']}"):
            for tag in ('"1"', "*"):
                done(await ana.get(path, headers={"if-none-match": tag}), 200)

    async def test_a_key_finds_its_task_in_any_case(self, ana: Person) -> None:
        task = await ana.task(await ana.project())

        for key in ("ENG-1", "eng-1", "Eng-1"):
            assert done(await ana.get(f"/task/{key}"), 200)["id"] == task["id"]
        for key in ("ENG-01", "ENG-\u0661", "\u0131ng-1", "ENG-1 ", "ENG"):
            refused(await ana.get(f"/task/{key}"), 404, "not_found")

    async def test_deleted_tasks_and_tasks_of_deleted_projects_are_not_found(
        self, ana: Person
    ) -> None:
        project = await ana.project()
        await ana.task(project)
        await ana.task(project)
        done(await ana.delete("/task/ENG-1"), 204)

        refused(await ana.get("/task/ENG-1"), 404, "not_found")
        done(await ana.delete(f"/project/{project['id']}"), 204)
        refused(await ana.get("/task/ENG-2"), 404, "not_found")
        refused(await ana.get(f"/project/{project['id']}/tasks"), 404, "not_found")

        done(await ana.post(f"/project/{project['id']}/restore"), 200)
        assert done(await ana.get("/task/ENG-2"), 200)["number"] == 2
        refused(await ana.get("/task/ENG-1"), 404, "not_found")
        done(await ana.post("/task/ENG-1/restore"), 200)
        assert done(await ana.get("/task/ENG-1"), 200)["number"] == 1

    async def test_a_reference_that_is_neither_id_nor_key_is_not_found(self, ana: Person) -> None:
        await ana.project()

        for ref in ("ENG-2", "ENG-0", "OPS-1", "eng-1", "%00", "ENG-99999999999", "a" * 500):
            refused(await ana.get(f"/task/{ref}"), 404, "not_found")


class TestEditTask:
    async def test_an_edit_changes_only_the_given_fields(self, ana: Person) -> None:
        await ana.task(await ana.project(), description="Left front")

        task = done(await ana.patch("/task/ENG-1", {"title": "Grease it", "priority": "HIGH"}), 200)

        assert (task["title"], task["priority"]) == ("Grease it", "HIGH")
        assert task["description"] == "Left front"
        assert task["version"] == 3
        assert done(await ana.get("/task/ENG-1"), 200).items() >= task.items()

    async def test_dates_and_an_estimate_are_set_changed_and_removed(self, ana: Person) -> None:
        project = await ana.project()
        plan: dict[str, Any] = {
            "startDate": "2026-03-01",
            "dueAt": "2026-03-05T17:00:00+01:00",
            "estimate": 8,
        }
        made = await ana.task(project, **plan, assignees=[ana.id])

        assert (made["startDate"], made["dueDate"]) == ("2026-03-01", None)
        assert made["dueAt"] == "2026-03-05T16:00:00Z"
        assert (made["estimate"], made["assignees"]) == (8, [ana.id])
        moved = done(await ana.patch("/task/ENG-1", {"dueDate": "2026-03-06", "estimate": 5}), 200)
        assert (moved["dueDate"], moved["dueAt"], moved["estimate"]) == ("2026-03-06", None, 5)
        none = {"startDate": None, "dueDate": None, "estimate": None}
        assert done(await ana.patch("/task/ENG-1", none), 200).items() >= none.items()

    async def test_dates_that_contradict_each_other_are_refused(self, ana: Person) -> None:
        project = await ana.project()
        await ana.task(project, dueDate="2026-03-05")
        both = {"dueDate": "2026-03-05", "dueAt": "2026-03-05T17:00:00Z"}

        refused(await ana.patch("/task/ENG-1", both), 422, "two_due_dates")
        late = {"startDate": "2026-03-06"}
        refused(await ana.patch("/task/ENG-1", late), 409, "starts_after_due")
        for wrong in ({"dueAt": "2026-03-05T17:00:00"}, {"dueDate": "5 March"}, {"estimate": -1}):
            assert (await ana.patch("/task/ENG-1", wrong)).status_code == 422

    @pytest.mark.parametrize("late", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
    async def test_a_time_that_utc_does_not_have_is_refused(self, ana: Person, late: str) -> None:
        project = await ana.project()
        task = await ana.task(project)
        due = {"dueAt": late}

        refused(await ana.patch("/task/ENG-1", due), 422, "time_out_of_range")
        new = {"title": "Oil it", **due}
        refused(await ana.post(f"/project/{project['id']}/tasks", new), 422, "time_out_of_range")
        bulk = {"ids": [task["id"]], "set": due}
        [item] = refused(await ana.post("/task/bulk", bulk), 409, "bulk_refused")["items"]
        assert item["code"] == "time_out_of_range"

    async def test_a_task_tells_when_work_on_it_began_and_ended(self, ana: Person) -> None:
        await ana.task(await ana.project())

        done_ = done(await ana.post("/task/ENG-1/status?path=auto", {"status": "DONE"}), 200)

        assert done_["startedAt"] == done_["completedAt"] == done_["updatedAt"]

    async def test_an_edit_without_changes_returns_the_task(self, ana: Person) -> None:
        made = await ana.task(await ana.project())

        response = await ana.patch("/task/ENG-1", {"title": made["title"]})

        assert done(response, 200) == made
        assert "x-position" not in response.headers

    async def test_if_match_refuses_only_if_a_field_in_the_body_has_changed(
        self, ana: Person
    ) -> None:
        await ana.task(await ana.project())
        done(await ana.patch("/task/ENG-1", {"title": "Grease it"}), 200)
        since_1 = {"if-match": '"1"'}

        refused(
            await ana.patch("/task/ENG-1", {"title": "Oil it"}, headers=since_1),
            412,
            "changed_since",
        )
        done(await ana.patch("/task/ENG-1", {"priority": "LOW"}, headers=since_1), 200)
        bad = await ana.patch("/task/ENG-1", {"priority": "LOW"}, headers={"if-match": "new"})
        refused(bad, 400, "malformed_request")


class TestMoveTask:
    async def test_a_forbidden_status_change_lists_the_allowed_statuses(self, ana: Person) -> None:
        await ana.task(await ana.project())

        problem = refused(
            await ana.post("/task/ENG-1/status", {"status": "DONE"}), 409, "transition_not_allowed"
        )

        assert problem["allowed"] == ["IN_PROGRESS", "CANCELLED"]

    async def test_path_auto_passes_through_the_statuses_between(self, ana: Person) -> None:
        await ana.task(await ana.project())

        task = done(await ana.post("/task/ENG-1/status?path=auto", {"status": "DONE"}), 200)

        assert (task["status"], task["version"]) == ("DONE", 3)

    async def test_an_open_subtask_is_finished_first_or_the_status_is_forced(
        self, ana: Person
    ) -> None:
        project = await ana.project()
        parent = await ana.task(project)
        await ana.task(project, parentId=parent["id"])
        finish, path = {"status": "DONE"}, "/task/ENG-1/status?path=auto"

        problem = refused(await ana.post(path, finish), 409, "open_subtasks")
        forced = await ana.post(path, finish | {"force": True})

        assert problem["open"] == 1
        assert done(forced, 200)["status"] == "DONE"
        [event] = done(await ana.get("/audit?limit=1"), 200)["items"]
        at = done(forced, 200)["completedAt"]
        assert event["data"] == {
            "from": "IN_PROGRESS",
            "fromGroup": "IN_PROGRESS",
            "to": "DONE",
            "toGroup": "DONE",
            "workflowVersion": 1,
            "forced": True,
            "at": at,
            "pastGuards": ["no_open_blocker", "no_open_subtask"],
        }


class TestAssignTask:
    async def test_members_can_be_assigned_and_unassigned(self, ana: Person) -> None:
        await ana.task(await ana.project())

        task = done(await ana.post("/task/ENG-1/assignees", {"userId": ana.id}), 200)
        assert task["assignees"] == [ana.id]
        task = done(await ana.delete(f"/task/ENG-1/assignees/{ana.id}"), 200)
        assert task["assignees"] == []

    async def test_users_of_another_organization_cannot_be_assigned(
        self, ana: Person, dan: Person
    ) -> None:
        await ana.task(await ana.project())

        refused(await ana.post("/task/ENG-1/assignees", {"userId": dan.id}), 404, "not_found")


class TestListTasks:
    async def test_tasks_are_listed_newest_first_and_filtered(self, ana: Person) -> None:
        project = await ana.project()
        for title, priority in (("One", "LOW"), ("Two", "HIGH"), ("Three", "LOW")):
            await ana.task(project, title, priority=priority)
        done(await ana.post("/task/ENG-3/status", {"status": "IN_PROGRESS"}), 200)
        done(await ana.post("/task/ENG-1/assignees", {"userId": ana.id}), 200)

        async def titles(query: str) -> list[str]:
            page = done(await ana.get(f"/project/{project['id']}/tasks{query}"), 200)
            return [task["title"] for task in page["items"]]

        assert await titles("") == ["Three", "Two", "One"]
        assert await titles("?priority=LOW") == ["Three", "One"]
        assert await titles("?status=TODO&priority=LOW") == ["One"]
        assert await titles(f"?assignee={ana.id}") == ["One"]
        assert await titles("?status=DONE") == []
