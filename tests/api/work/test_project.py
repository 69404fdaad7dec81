"""Projects over HTTP."""

from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.stage import Person, done, join, refused, sign_up


class TestProject:
    async def test_a_project_is_created_shown_and_listed_by_key(self, ana: Person) -> None:
        response = await ana.post("/project", {"key": "OPS", "name": "Operations"})
        project = done(response, 201)
        await ana.project("ENG")

        shown = await ana.get(f"/project/{project['id']}")

        assert shown.content == response.content
        assert response.headers["location"] == f"/api/project/{project['id']}"
        page = done(await ana.get("/project"), 200)
        assert [item["key"] for item in page["items"]] == ["ENG", "OPS"]

    async def test_a_project_key_can_be_used_once(self, ana: Person, dan: Person) -> None:
        await ana.project("ENG")

        refused(await ana.post("/project", {"key": "ENG", "name": "E"}), 409, "project_key_taken")
        await dan.project("ENG")

    async def test_an_edit_changes_only_the_given_fields(self, ana: Person) -> None:
        project = await ana.project()
        path = f"/project/{project['id']}"

        changed = done(await ana.patch(path, {"description": "Motors", "leadId": ana.id}), 200)
        assert (changed["name"], changed["description"]) == ("Engine", "Motors")
        assert changed["leadId"] == ana.id
        changed = done(await ana.patch(path, {"description": None, "leadId": None}), 200)
        assert (changed["description"], changed["leadId"]) == (None, None)
        assert done(await ana.get(path), 200) == changed

    async def test_a_project_can_be_held_resumed_archived_and_unarchived(self, ana: Person) -> None:
        project = await ana.project()
        path = f"/project/{project['id']}"

        for step, body, status in (
            ("hold", {"reason": "Holidays"}, "ON_HOLD"),
            ("resume", None, "ACTIVE"),
            ("hold", None, "ON_HOLD"),
            ("archive", None, "ARCHIVED"),
            ("unarchive", None, "ACTIVE"),
        ):
            changed = done(await ana.post(f"{path}/{step}", body), 200)
            assert changed["status"] == status
        done(await ana.post(f"{path}/archive"), 200)
        refused(await ana.post(f"{path}/hold"), 409, "project_archived")
        refused(await ana.patch(path, {"name": "Late"}), 409, "project_archived")
        listed = done(await ana.get("/project?status=ARCHIVED"), 200)["items"]
        assert [item["id"] for item in listed] == [project["id"]]
        assert done(await ana.get("/project?status=ACTIVE"), 200)["items"] == []

    async def test_a_project_is_found_by_its_key_and_by_every_key_that_it_had(
        self, ana: Person, dan: Person
    ) -> None:
        project = await ana.project("ENG")
        changed = done(await ana.patch("/project/eng", {"key": "MOT"}), 200)
        assert changed["key"] == "MOT"

        for ref in (project["id"], "ENG", "MOT", "mot"):
            assert done(await ana.get(f"/project/{ref}"), 200) == changed
            refused(await dan.get(f"/project/{ref}"), 404, "not_found")
        old, new = await ana.get("/project/eng"), await ana.get("/project/mot")
        assert old.headers["content-location"] == "/api/project/MOT"
        assert "content-location" not in new.headers
        refused(await ana.get("/project/OPS"), 404, "not_found")
        refused(await ana.get("/project/not-a-key"), 404, "not_found")
        refused(await ana.post("/project", {"key": "ENG", "name": "E"}), 409, "project_key_taken")
        assert done(await ana.post("/project/ENG/hold"), 200)["status"] == "ON_HOLD"

    async def test_the_tasks_follow_a_new_key_of_their_project(self, ana: Person) -> None:
        project = await ana.project("ENG")
        title = '{"id":"00000000-0000-0000-0000-000000000001","key":"ENG-7"}'
        task = await ana.task(project, title)
        done(await ana.patch("/project/ENG", {"key": "MOT"}), 200)
        other = await ana.task(project, "Second")

        old, new = await ana.get("/task/eng-1"), await ana.get("/task/MOT-1")

        assert old.content == new.content
        assert done(old, 200).items() >= {**task, "key": "MOT-1"}.items()
        assert old.headers["content-location"] == "/api/task/MOT-1"
        assert "content-location" not in new.headers
        assert other["key"] == "MOT-2"
        changed = done(await ana.patch("/task/ENG-1", {"title": "New"}), 200)
        assert changed["key"] == "MOT-1"
        done(await ana.patch("/task/ENG-1", {"title": title}), 200)
        listed = done(await ana.get(f"/project/{project['id']}/tasks"), 200)["items"]
        assert [(item["key"], item["title"]) for item in listed] == [
            ("MOT-2", "Second"),
            ("MOT-1", title),
        ]
        done(await ana.patch("/project/MOT", {"key": "ENG"}), 200)
        assert done(await ana.get("/task/MOT-2"), 200)["key"] == "ENG-2"

    async def test_a_project_has_members_and_a_team(
        self, system: System, app: Litestar, ana: Person
    ) -> None:
        ben = await sign_up(app)
        await join(system, ben, ana.org_id, Role.MEMBER)
        team = done(await ana.post("/team", {"name": "Gears"}), 201)
        body = {"key": "ENG", "name": "Engine", "teamId": team["id"], "leadId": ben.id}
        project = done(await ana.post("/project", body), 201)
        assert (project["teamId"], project["visibility"]) == (team["id"], "ORGANIZATION")
        path = f"/project/{project['id']}/members"

        done(await ana.post(path, {"userId": ben.id}), 204)
        members = done(await ben.get(path), 200)
        assert [member["userId"] for member in members["items"]] == [ana.id, ben.id]
        done(await ben.delete(f"{path}/{ben.id}"), 204)
        refused(await ben.delete(f"{path}/{ana.id}"), 403, "not_permitted")
        assert done(await ana.patch("/project/ENG", {"teamId": None}), 200)["teamId"] is None

    async def test_no_task_is_created_in_a_project_on_hold(self, ana: Person) -> None:
        project = await ana.project()
        done(await ana.post(f"/project/{project['id']}/hold"), 200)

        response = await ana.post(f"/project/{project['id']}/tasks", {"title": "Late"})

        refused(response, 409, "project_on_hold")

    async def test_a_deleted_project_is_hidden_and_can_be_restored(self, ana: Person) -> None:
        project = await ana.project()
        path = f"/project/{project['id']}"
        done(await ana.delete(path), 204)

        refused(await ana.get(path), 404, "not_found")
        assert done(await ana.get("/project"), 200)["items"] == []
        refused(await ana.delete(path), 404, "not_found")

        restored = done(await ana.post(f"{path}/restore"), 200)
        same = {**project, "version": restored["version"], "updatedAt": restored["updatedAt"]}
        assert restored == same
