"""Where a task belongs, over HTTP: subtasks, ranks, moves to other projects."""

from typing import Any

from tests.api.stage import Person, done, refused


async def titles(person: Person, path: str) -> list[str]:
    return [item["title"] for item in done(await person.get(path), 200)["items"]]


class TestSubtasks:
    async def test_a_task_lists_and_counts_its_subtasks(self, ana: Person) -> None:
        project = await ana.project()
        parent = await ana.task(project)
        for title in ("One", "Two", "Three"):
            await ana.task(project, title, parentId=parent["id"])
        done(await ana.post("/task/ENG-3/status", {"status": "CANCELLED"}), 200)
        done(await ana.delete("/task/ENG-4"), 204)

        first = done(await ana.get("/task/ENG-1/subtasks?limit=1"), 200)
        rest = f"/task/ENG-1/subtasks?limit=1&cursor={first['nextCursor']}"
        assert [first["items"][0]["title"], *await titles(ana, rest)] == ["One", "Two"]
        shown = done(await ana.get("/task/ENG-1"), 200)
        assert shown["subtasks"] == {"done": 1, "all": 2}

    async def test_a_task_gets_another_parent_and_none(self, ana: Person) -> None:
        project = await ana.project()
        first, second = await ana.task(project), await ana.task(project)
        third = await ana.task(project, parentId=second["id"])

        moved = done(await ana.patch("/task/ENG-2", {"parentId": first["id"]}), 200)
        assert moved["parentId"] == first["id"]
        circle = {"parentId": third["id"]}
        refused(await ana.patch("/task/ENG-1", circle), 409, "parent_is_below")
        assert done(await ana.patch("/task/ENG-2", {"parentId": None}), 200)["parentId"] is None

    async def test_subtasks_are_nested_at_most_five_levels_deep(self, ana: Person) -> None:
        project, parent = await ana.project(), None
        for _ in range(5):
            parent = (await ana.task(project, parentId=parent))["id"]

        body = {"title": "Too deep", "parentId": parent}
        path = f"/project/{project['id']}/tasks"
        refused(await ana.post(path, body), 409, "subtasks_too_deep")


class TestRank:
    async def test_tasks_are_put_before_and_after_each_other(self, ana: Person) -> None:
        project = await ana.project()
        one, two, three = [await ana.task(project, title) for title in ("One", "Two", "Three")]

        async def rank(task: Any, **place: Any) -> Any:
            return done(await ana.post(f"/task/{task['id']}/rank", place), 200)

        moved = await rank(three, before=one["id"], status="IN_PROGRESS")
        assert (moved["status"], moved["rank"] < one["rank"]) == ("IN_PROGRESS", True)
        between = await rank(one, after=two["id"])
        assert two["rank"] < between["rank"]
        again = await rank(three, after=two["id"])
        assert two["rank"] < again["rank"] < between["rank"]
        assert await rank(three, before=one["id"]) == again

    async def test_a_ranking_names_one_other_task(self, ana: Person) -> None:
        project = await ana.project()
        one, two = await ana.task(project), await ana.task(project)
        path = f"/task/{one['id']}/rank"

        both = {"before": two["id"], "after": two["id"]}
        for wrong in ({}, both):
            problem = refused(await ana.post(path, wrong), 422, "invalid_request")
            assert problem["errors"][0]["path"] == "$.before"
        refused(await ana.post(path, {"after": one["id"]}), 422, "ranked_beside_itself")
        refused(await ana.post(path, {"after": project["id"]}), 404, "not_found")

    async def test_two_tasks_can_take_turns_between_two_others_for_ever(self, ana: Person) -> None:
        project = await ana.project()
        first, *others = [await ana.task(project) for _ in range(3)]

        longest = 0
        for n in range(150):
            path = f"/task/{others[n % 2]['id']}/rank"
            moved = done(await ana.post(path, {"after": first["id"]}), 200)
            longest = max(longest, len(moved["rank"]))

        assert longest <= 200


class TestMoveToAnotherProject:
    async def test_a_task_moves_with_its_subtasks_and_its_old_key_leads_to_it(
        self, ana: Person
    ) -> None:
        here = await ana.project()
        there = done(await ana.post("/project", {"key": "OPS", "name": "Ops"}), 201)
        parent = await ana.task(here)
        await ana.task(here, "Part", parentId=parent["id"])

        moved = done(await ana.post("/task/ENG-1/move", {"projectId": there["id"]}), 200)

        assert (moved["key"], moved["projectId"]) == ("OPS-1", there["id"])
        old = await ana.get("/task/ENG-1")
        assert (done(old, 200)["key"], old.headers["content-location"]) == (
            "OPS-1",
            "/api/task/OPS-1",
        )
        assert "content-location" not in (await ana.get("/task/ops-1")).headers
        part = done(await ana.get("/task/ENG-2"), 200)
        assert (part["key"], part["parentId"]) == ("OPS-2", parent["id"])
        assert await titles(ana, f"/project/{here['id']}/tasks") == []
        assert await titles(ana, f"/project/{there['id']}/tasks") == ["Part", "Oil it"]

    async def test_it_can_get_a_status_and_leave_its_subtasks_behind(self, ana: Person) -> None:
        here, there = await ana.project(), await ana.project("OPS")
        top = await ana.task(here)
        task = await ana.task(here, parentId=top["id"])
        await ana.task(here, "Part", parentId=task["id"])
        body = {"projectId": there["id"], "status": "IN_PROGRESS", "withSubtasks": False}

        moved = done(await ana.post("/task/ENG-2/move", body), 200)

        assert (moved["key"], moved["status"], moved["parentId"]) == ("OPS-1", "IN_PROGRESS", None)
        assert done(await ana.get("/task/ENG-3"), 200)["parentId"] == top["id"]
        wrong = {"projectId": here["id"], "status": "SHIPPED"}
        refused(await ana.post("/task/OPS-1/move", wrong), 422, "unknown_status")
