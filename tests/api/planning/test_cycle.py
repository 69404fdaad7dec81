"""Cycles and milestones over HTTP, and the tasks in them."""

from typing import Any

import pytest
from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.stage import Person, at_once, done, join, refused, sign_up

MAY = {"startsOn": "2026-05-04", "endsOn": "2026-05-15"}
LATER = {"startsOn": "2026-05-18", "endsOn": "2026-05-29"}


async def cycle(person: Person, name: str = "One", **about: Any) -> Any:
    """Plan a cycle of the project ENG."""
    body = {"name": name, **MAY, **about}
    return done(await person.post("/project/ENG/cycles", body), 201)


async def milestone(person: Person, name: str = "Beta", **about: Any) -> Any:
    """Plan a milestone of the project ENG."""
    return done(await person.post("/project/ENG/milestones", {"name": name, **about}), 201)


class TestCycles:
    async def test_a_cycle_is_planned_read_changed_deleted_and_restored(self, ana: Person) -> None:
        project = await ana.project()
        response = await ana.post("/project/ENG/cycles", {"name": "One", **MAY})

        made = done(response, 201)
        assert (made["projectId"], made["name"]) == (project["id"], "One")
        assert {name: made[name] for name in MAY} == MAY
        assert made["progress"] == {"done": 0, "all": 0}
        path = f"/cycle/{made['id']}"
        assert response.headers["location"] == f"/api{path}"
        assert done(await ana.get(path), 200) == made
        changed = done(await ana.patch(path, {"name": "First", "endsOn": "2026-05-20"}), 200)
        assert (changed["name"], changed["endsOn"]) == ("First", "2026-05-20")
        done(await ana.delete(path), 204)
        refused(await ana.get(path), 404, "not_found")
        assert done(await ana.post(f"{path}/restore"), 200)["name"] == "First"

    async def test_cycles_are_listed_by_their_days_in_pages(self, ana: Person) -> None:
        await ana.project()
        second = await cycle(ana, "Second", **LATER)
        first = await cycle(ana, "First")
        gone = {"startsOn": "2026-04-01", "endsOn": "2026-04-02"}
        done(await ana.delete(f"/cycle/{(await cycle(ana, 'Gone', **gone))['id']}"), 204)

        page = done(await ana.get("/project/ENG/cycles?limit=1"), 200)
        rest = f"/project/ENG/cycles?limit=1&cursor={page['nextCursor']}"

        assert page["items"] == [first]
        assert done(await ana.get(rest), 200) == {"items": [second], "nextCursor": None}

    async def test_cycles_do_not_overlap_also_if_they_are_planned_at_once(
        self, ana: Person
    ) -> None:
        await ana.project()
        await cycle(ana)
        path = "/project/ENG/cycles"
        shared = {"startsOn": "2026-05-15", "endsOn": "2026-05-16"}

        problem = refused(await ana.post(path, {"name": "Two", **shared}), 409, "cycles_overlap")
        assert problem["day"] == "2026-05-15"
        refused(await ana.post(path, {"name": "ONE", **LATER}), 409, "cycle_name_taken")
        wrong = {"startsOn": "2026-07-02", "endsOn": "2026-07-01"}
        refused(await ana.post(path, {"name": "Two", **wrong}), 422, "cycle_not_valid")
        answers = await at_once(
            *(ana.post(path, {"name": f"C{number}", **LATER}) for number in range(4))
        )
        assert sorted(one.status_code for one in answers) == [201, 409, 409, 409]


class TestMilestones:
    async def test_a_milestone_is_planned_read_changed_deleted_and_restored(
        self, ana: Person
    ) -> None:
        project = await ana.project()
        response = await ana.post("/project/ENG/milestones", {"name": "Beta"})

        made = done(response, 201)
        assert (made["projectId"], made["name"], made["date"]) == (project["id"], "Beta", None)
        path = f"/milestone/{made['id']}"
        assert response.headers["location"] == f"/api{path}"
        assert done(await ana.get(path), 200) == made
        changed = done(await ana.patch(path, {"name": "Preview", "date": "2026-05-04"}), 200)
        assert (changed["name"], changed["date"]) == ("Preview", "2026-05-04")
        assert done(await ana.patch(path, {"date": None}), 200)["date"] is None
        done(await ana.delete(path), 204)
        refused(await ana.get(path), 404, "not_found")
        assert done(await ana.post(f"{path}/restore"), 200)["name"] == "Preview"

    async def test_milestones_are_listed_by_day_and_name_in_pages(self, ana: Person) -> None:
        await ana.project()
        some = {"Zen": None, "GA": "2026-06-01", "Alpha": None, "Beta": "2026-05-01"}
        for name, day in some.items():
            await milestone(ana, name, date=day)
        refused(
            await ana.post("/project/ENG/milestones", {"name": "ga"}), 409, "milestone_name_taken"
        )

        page = done(await ana.get("/project/ENG/milestones?limit=3"), 200)
        rest = f"/project/ENG/milestones?limit=3&cursor={page['nextCursor']}"
        found = page["items"] + done(await ana.get(rest), 200)["items"]

        assert [one["name"] for one in found] == ["Beta", "GA", "Alpha", "Zen"]


class TestPlannedTasks:
    async def test_tasks_are_put_into_a_cycle_and_towards_a_milestone(self, ana: Person) -> None:
        project = await ana.project()
        one, beta = await cycle(ana), await milestone(ana)
        plan = {"cycleId": one["id"], "milestoneId": beta["id"]}
        made = await ana.task(project, **plan)
        assert {name: made[name] for name in plan} == plan
        await ana.task(project, "Later")
        put = done(await ana.patch("/task/ENG-2", plan), 200)
        assert {name: put[name] for name in plan} == plan
        done(await ana.post("/task/ENG-2/status?path=auto", {"status": "DONE"}), 200)

        for path in (f"/cycle/{one['id']}", f"/milestone/{beta['id']}"):
            assert done(await ana.get(path), 200)["progress"] == {"done": 1, "all": 2}
        [listed] = done(await ana.get("/project/ENG/cycles"), 200)["items"]
        assert listed == done(await ana.get(f"/cycle/{one['id']}"), 200)
        renamed = done(await ana.patch(f"/cycle/{one['id']}", {"name": "First"}), 200)
        assert renamed["progress"] == {"done": 1, "all": 2}

        left = done(await ana.patch("/task/ENG-1", dict.fromkeys(plan)), 200)
        assert {name: left[name] for name in plan} == dict.fromkeys(plan)
        assert done(await ana.get(f"/cycle/{one['id']}"), 200)["progress"] == {"done": 1, "all": 1}

    @pytest.mark.parametrize(
        ("kind", "field"), [("cycle", "cycleId"), ("milestone", "milestoneId")]
    )
    async def test_the_activity_keeps_which_tasks_got_in_and_out(
        self, ana: Person, kind: str, field: str
    ) -> None:
        project = await ana.project()
        part = await (cycle(ana) if kind == "cycle" else milestone(ana))
        task = await ana.task(project, **{field: part["id"]})
        done(await ana.patch("/task/ENG-1", {field: None}), 200)

        found = done(await ana.get(f"/{kind}/{part['id']}/activity"), 200)["items"]

        moved = f"task.{kind}_changed"
        assert [one["type"] for one in found] == [moved, moved, f"{kind}.created"]
        assert [one["data"] for one in found[:2]] == [
            {"from": part["id"], "to": None},
            {"from": None, "to": part["id"]},
        ]
        assert {one["stream"]["id"] for one in found[:2]} == {task["id"]}
        project_activity = done(await ana.get("/project/ENG/activity"), 200)["items"]
        assert f"{kind}.created" in [one["type"] for one in project_activity]

    async def test_a_part_of_another_plan_is_not_found(self, ana: Person) -> None:
        await ana.project()
        one, beta = await cycle(ana), await milestone(ana)
        other = await ana.project("HR")
        task = await ana.task(other)

        for body in ({"cycleId": one["id"]}, {"milestoneId": beta["id"]}):
            refused(await ana.patch(f"/task/{task['id']}", body), 404, "not_found")
            new = {"title": "New", **body}
            path = f"/project/{other['id']}/tasks"
            refused(await ana.post(path, new), 404, "not_found")


async def test_the_plan_of_a_private_project_does_not_exist_for_others(
    app: Litestar, system: System, ana: Person
) -> None:
    spy = await sign_up(app, organization=False)
    await join(system, spy, ana.org_id, Role.MANAGER)
    await ana.project()
    one, beta = await cycle(ana), await milestone(ana)
    done(await ana.patch("/project/ENG", {"visibility": "PRIVATE"}), 200)

    for path in (f"/cycle/{one['id']}", f"/milestone/{beta['id']}"):
        for answer in (
            await spy.get(path),
            await spy.get(f"{path}/activity"),
            await spy.patch(path, {"name": "X"}),
            await spy.delete(path),
            await spy.post(f"{path}/restore"),
        ):
            refused(answer, 404, "not_found")
    for path, body in (("cycles", {"name": "X", **LATER}), ("milestones", {"name": "X"})):
        refused(await spy.get(f"/project/ENG/{path}"), 404, "not_found")
        refused(await spy.post(f"/project/ENG/{path}", body), 404, "not_found")
