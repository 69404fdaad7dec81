"""Labels over HTTP."""

from typing import Any

from tests.api.stage import Person, done, refused

RED = {"color": "#FF0000"}


async def label(person: Person, name: str, **about: Any) -> Any:
    return done(await person.post("/label", {"name": name, **RED, **about}), 201)


class TestLabels:
    async def test_a_label_is_created_read_changed_deleted_and_restored(self, ana: Person) -> None:
        response = await ana.post("/label", {"name": "Bug", **RED})

        made = done(response, 201)
        assert (made["name"], made["color"], made["projectId"]) == ("Bug", "#ff0000", None)
        path = f"/label/{made['id']}"
        assert response.headers["location"] == f"/api{path}"
        assert done(await ana.get(path), 200) == made
        changed = done(await ana.patch(path, {"name": "Defect"}), 200)
        assert changed["name"] == "Defect"
        done(await ana.delete(path), 204)
        refused(await ana.get(path), 404, "not_found")
        assert done(await ana.post(f"{path}/restore"), 200)["name"] == "Defect"

    async def test_labels_are_listed_by_name_in_pages(self, ana: Person) -> None:
        for name in ("Zoo", "bug", "Idea"):
            await label(ana, name)

        first = done(await ana.get("/label?limit=2"), 200)
        rest = done(await ana.get(f"/label?limit=2&cursor={first['nextCursor']}"), 200)

        assert [one["name"] for one in first["items"] + rest["items"]] == ["bug", "Idea", "Zoo"]
        assert rest["nextCursor"] is None

    async def test_the_labels_of_a_project_are_listed_with_it(self, ana: Person) -> None:
        project = await ana.project()
        await label(ana, "Bug")
        made = await label(ana, "Bug", projectId=project["id"])

        listed = done(await ana.get(f"/label?projectId={project['id']}"), 200)["items"]
        assert listed == [made]
        assert len(done(await ana.get("/label"), 200)["items"]) == 1
        done(await ana.delete(f"/project/{project['id']}"), 204)
        refused(await ana.get(f"/label?projectId={project['id']}"), 404, "not_found")
        refused(await ana.get(f"/label/{made['id']}"), 404, "not_found")

    async def test_a_name_that_is_taken_is_refused(self, ana: Person) -> None:
        await label(ana, "Bug")

        refused(await ana.post("/label", {"name": "BUG", **RED}), 409, "label_name_taken")
        assert (await ana.post("/label", {"name": "Idea", "color": "red"})).status_code == 422


class TestLabelsOfTasks:
    async def test_a_task_gets_and_loses_labels(self, ana: Person) -> None:
        bug, idea = await label(ana, "Bug"), await label(ana, "Idea")
        made = await ana.task(await ana.project(), labels=[bug["id"]])

        assert made["labels"] == [bug["id"]]
        both = done(await ana.post("/task/ENG-1/labels", {"labelId": idea["id"]}), 200)
        assert both["labels"] == [bug["id"], idea["id"]]
        one = done(await ana.delete(f"/task/ENG-1/labels/{bug['id']}"), 200)
        assert one["labels"] == [idea["id"]]

    async def test_if_match_refuses_only_if_the_same_label_has_changed(self, ana: Person) -> None:
        bug, idea = await label(ana, "Bug"), await label(ana, "Idea")
        await ana.task(await ana.project())
        done(await ana.post("/task/ENG-1/labels", {"labelId": bug["id"]}), 200)
        since_1 = {"if-match": '"1"'}

        added = await ana.post("/task/ENG-1/labels", {"labelId": idea["id"]}, headers=since_1)
        done(added, 200)
        gone = await ana.delete(f"/task/ENG-1/labels/{bug['id']}", headers=since_1)
        refused(gone, 412, "changed_since")
