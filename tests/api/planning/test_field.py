"""Custom fields over HTTP, and the values that tasks have in them."""

from typing import Any

from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.stage import Person, done, join, refused, sign_up

SIZES = [{"key": "s", "name": "Small"}, {"key": "l", "name": "Large"}]


async def field(person: Person, key: str, kind: str = "text", **about: Any) -> Any:
    """Create a custom field in the project ENG."""
    body = {"key": key, "name": key.title(), "type": kind, **about}
    return done(await person.post("/project/ENG/fields", body), 201)


class TestFields:
    async def test_a_field_is_created_read_changed_deleted_and_restored(self, ana: Person) -> None:
        project = await ana.project()
        body = {"key": "size", "name": "Size", "type": "select", "options": SIZES}
        response = await ana.post("/project/ENG/fields", body)

        made = done(response, 201)
        assert (made["projectId"], made["key"], made["type"]) == (project["id"], "size", "select")
        assert made["options"] == [{**one, "retired": False} for one in SIZES]
        path = f"/field/{made['id']}"
        assert response.headers["location"] == f"/api{path}"
        assert done(await ana.get(path), 200) == made
        change = {"name": "Extent", "options": [{"key": "l", "name": "Big"}]}
        changed = done(await ana.patch(path, change), 200)
        assert changed["name"] == "Extent"
        assert changed["options"] == [
            {"key": "l", "name": "Big", "retired": False},
            {"key": "s", "name": "Small", "retired": True},
        ]
        done(await ana.delete(path), 204)
        refused(await ana.get(path), 404, "not_found")
        assert done(await ana.post(f"{path}/restore"), 200)["name"] == "Extent"

    async def test_fields_are_listed_by_key_in_pages(self, ana: Person) -> None:
        await ana.project()
        for key in ("zone", "area", "cost"):
            await field(ana, key)
        done(await ana.delete(f"/field/{(await field(ana, 'gone'))['id']}"), 204)

        first = done(await ana.get("/project/ENG/fields?limit=2"), 200)
        rest = f"/project/ENG/fields?limit=2&cursor={first['nextCursor']}"
        items = first["items"] + done(await ana.get(rest), 200)["items"]

        assert [one["key"] for one in items] == ["area", "cost", "zone"]
        assert items[0] == done(await ana.get(f"/field/{items[0]['id']}"), 200)

    async def test_what_is_no_field_is_refused(self, ana: Person) -> None:
        await ana.project()
        await field(ana, "size")
        path = "/project/ENG/fields"
        new = {"key": "extent", "name": "Extent", "type": "text"}

        refused(await ana.post(path, {**new, "key": "size"}), 409, "field_key_taken")
        refused(await ana.post(path, {**new, "name": "SIZE"}), 409, "field_name_taken")
        refused(await ana.post(path, {**new, "options": SIZES}), 422, "field_not_valid")
        refused(await ana.post(path, {**new, "type": "select"}), 422, "field_not_valid")
        for wrong in ({"key": "Extent"}, {"type": "color"}, {"name": " "}):
            refused(await ana.post(path, {**new, **wrong}), 422, "invalid_request")

    async def test_a_plan_limits_the_fields(self, ana: Person) -> None:
        await ana.project()
        for number in range(5):
            await field(ana, f"f{number}")

        body = {"key": "more", "name": "More", "type": "text"}
        problem = refused(await ana.post("/project/ENG/fields", body), 402, "plan_limit")
        assert (problem["what"], problem["limit"], problem["used"]) == ("custom_fields", 5, 5)
        usage = done(await ana.get(f"/org/{ana.org_id}/usage"), 200)
        assert usage["used"]["customFields"] == usage["limits"]["customFields"] == 5

    async def test_fields_of_a_private_project_do_not_exist_for_others(
        self, app: Litestar, system: System, ana: Person
    ) -> None:
        spy = await sign_up(app, organization=False)
        await join(system, spy, ana.org_id, Role.MANAGER)
        await ana.project()
        made = await field(ana, "size")
        done(await ana.patch("/project/ENG", {"visibility": "PRIVATE"}), 200)

        path = f"/field/{made['id']}"
        for answer in (
            await spy.get("/project/ENG/fields"),
            await spy.post("/project/ENG/fields", {"key": "x", "name": "X", "type": "text"}),
            await spy.get(path),
            await spy.patch(path, {"name": "X"}),
            await spy.delete(path),
            await spy.post(f"{path}/restore"),
        ):
            refused(answer, 404, "not_found")
        assert done(await ana.get(path), 200) == made


class TestValues:
    async def test_a_task_has_values_of_every_type(self, ana: Person) -> None:
        project = await ana.project()
        plan = done(await ana.patch(f"/org/{ana.org_id}/plan", {"plan": "BASIC"}), 200)
        assert plan["plan"] == "BASIC"
        for kind in ("text", "number", "date", "user"):
            await field(ana, kind, kind)
        await field(ana, "one", "select", options=SIZES)
        await field(ana, "many", "multi_select", options=SIZES)
        values = {
            "text": "Two\nlines: é",
            "number": 2.5,
            "date": "2026-03-01",
            "user": ana.id,
            "one": "s",
            "many": ["l", "s"],
        }

        made = await ana.task(project, fields=values)
        assert made["fields"] == values
        assert done(await ana.get("/task/ENG-1"), 200)["fields"] == values
        listed = done(await ana.get(f"/project/{project['id']}/tasks"), 200)["items"]
        assert listed == [made]
        change = {"fields": {"number": -3, "many": [], "text": None}}
        changed = done(await ana.patch("/task/ENG-1", change), 200)
        kept = {k: v for k, v in values.items() if k not in ("many", "text")}
        assert changed["fields"] == kept | {"number": -3}
        activity = done(await ana.get("/task/ENG-1/activity?limit=1"), 200)["items"]
        assert activity[0]["type"] == "task.field_set"

    async def test_lists_are_filtered_by_values(self, ana: Person) -> None:
        project = await ana.project()
        await field(ana, "size", "select", options=SIZES)
        await field(ana, "cost", "number")
        await field(ana, "tags", "multi_select", options=SIZES)
        await ana.task(project, "A", fields={"size": "s", "cost": 5, "tags": ["s", "l"]})
        await ana.task(project, "B", fields={"size": "s", "cost": 2.5, "tags": ["l"]})
        await ana.task(project, "C", fields={"size": "l"}, assignees=[ana.id])
        await ana.task(project, "D")
        done(await ana.patch("/task/ENG-4", {"fields": {"cost": 5}}), 200)
        done(await ana.patch("/task/ENG-4", {"fields": {"cost": None}}), 200)

        for query, titles in {
            "field=size:s": "BA",
            "field=size:s,size:l": "CBA",
            "field=size:s,cost:5": "A",
            "field=tags:s": "A",
            "field=cost:2.5&sort=key": "B",
            f"field=size:l&assignee={ana.id}": "C",
            "field=cost:7": "",
        }.items():
            for path in (f"/project/{project['id']}/tasks", "/task"):
                found = done(await ana.get(f"{path}?{query}"), 200)["items"]
                assert "".join(task["title"] for task in found) == titles, query
        for wrong in ("size", "Size:s", "size:"):
            refused(await ana.get(f"/task?field={wrong}"), 422, "invalid_request")

    async def test_a_value_that_does_not_fit_is_refused(self, ana: Person) -> None:
        project = await ana.project()
        await field(ana, "cost", "number")
        made = await field(ana, "size", "select", options=SIZES)
        await ana.task(project)

        async def refuse(status: int, code: str, **values: Any) -> Any:
            return refused(await ana.patch("/task/ENG-1", {"fields": values}), status, code)

        await refuse(422, "unknown_field", weight=3)
        cost = await refuse(422, "field_value_not_valid", cost="much")
        assert cost["expected"] == "a number from -1,000,000,000,000,000 to 1,000,000,000,000,000"
        size = await refuse(422, "field_value_not_valid", size="xl")
        assert (size["expected"], size["options"]) == ("the key of an option", ["s", "l"])
        await refuse(422, "invalid_request", cost=True)
        await refuse(422, "invalid_request", cost={"amount": 3})
        done(await ana.patch(f"/field/{made['id']}", {"options": SIZES[1:]}), 200)
        await refuse(409, "field_not_in_use", size="s")
        done(await ana.delete(f"/field/{made['id']}"), 204)
        await refuse(409, "field_not_in_use", size="l")

    async def test_if_match_refuses_only_if_the_same_field_has_changed(self, ana: Person) -> None:
        project = await ana.project()
        await field(ana, "cost", "number")
        await field(ana, "area")
        await ana.task(project)
        done(await ana.patch("/task/ENG-1", {"fields": {"cost": 1}}), 200)
        since = {"if-match": '"1"'}

        other = await ana.patch("/task/ENG-1", {"fields": {"area": "A"}}, headers=since)
        done(other, 200)
        same = await ana.patch("/task/ENG-1", {"fields": {"cost": 2}}, headers=since)
        refused(same, 412, "changed_since")

    async def test_the_activity_of_a_project_tells_of_its_fields(self, ana: Person) -> None:
        await ana.project()
        made = await field(ana, "size")
        done(await ana.patch(f"/field/{made['id']}", {"name": "Extent"}), 200)

        found = done(await ana.get("/project/ENG/activity"), 200)["items"]

        assert [one["type"] for one in found] == [
            "field.renamed",
            "field.created",
            "project.created",
        ]
