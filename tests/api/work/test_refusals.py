"""What routes of the work refuse, one code at a time: the rules have tests of their own."""

from typing import Any

import pytest
from litestar import Litestar

from domain.identity.organization.membership import Role
from domain.work import team
from domain.work.project import state as project_state
from domain.work.task import labelling, watching
from runtime.system import System
from tests.api.stage import Person, done, join, refused, sign_up

RED = {"color": "#ff0000"}
FREE = {"statuses": [{"key": "NEW", "name": "New", "group": "TODO"}], "transitions": []}


async def a_member(app: Litestar, system: System, ana: Person) -> Person:
    """Return a member of Ana's organization."""
    ben = await sign_up(app)
    await join(system, ben, ana.org_id, Role.MEMBER)
    return ben


async def label(ana: Person, name: str, **about: Any) -> str:
    made = done(await ana.post("/label", {"name": name, **RED, **about}), 201)
    return str(made["id"])


async def comment(ana: Person) -> str:
    made = done(await ana.post("/task/ENG-1/comments", {"body": "Hm"}), 201)
    return f"/task/ENG-1/comments/{made['id']}"


async def attachment(ana: Person) -> str:
    made = done(await ana.ask("POST", "/task/ENG-1/attachments", content=b"one"), 201)
    return f"/task/ENG-1/attachments/{made['id']}"


class TestArchivedProject:
    async def test_it_refuses_changes_to_all_that_belongs_to_it(self, ana: Person) -> None:
        project = await ana.project()
        bug = await label(ana, "Bug", projectId=project["id"])
        gone = await label(ana, "Gone", projectId=project["id"])
        await ana.task(project, labels=[bug])
        other = (await ana.task(project))["id"]
        relation = {"kind": "blocks", "taskId": other}
        done(await ana.post("/task/ENG-1/relations", relation), 201)
        said, unsaid = await comment(ana), await comment(ana)
        file, thrown = await attachment(ana), await attachment(ana)
        for path in (f"/label/{gone}", unsaid, thrown):
            done(await ana.delete(path), 204)
        done(await ana.post("/project/ENG/archive"), 200)

        user: Any = {"userId": ana.id}
        for method, path, body in (
            ("POST", "/label", {"name": "Idea", **RED, "projectId": project["id"]}),
            ("PATCH", f"/label/{bug}", {"name": "Defect"}),
            ("DELETE", f"/label/{bug}", None),
            ("POST", f"/label/{gone}/restore", None),
            ("POST", "/task/ENG-1/labels", {"labelId": bug}),
            ("DELETE", f"/task/ENG-1/labels/{bug}", None),
            ("POST", "/task/ENG-1/watchers", user),
            ("DELETE", f"/task/ENG-1/watchers/{ana.id}", None),
            ("PATCH", said, {"body": "Oh"}),
            ("DELETE", said, None),
            ("POST", f"{unsaid}/restore", None),
            ("DELETE", file, None),
            ("POST", f"{thrown}/restore", None),
            ("DELETE", f"/task/ENG-1/relations/blocks/{other}", None),
            ("POST", "/project/ENG/members", user),
            ("PUT", "/project/ENG/workflow", FREE),
        ):
            refused(await ana.ask(method, path, json=body), 409, "project_archived")


class TestPrivateProject:
    async def test_nobody_is_given_a_task_that_they_could_not_see(
        self, app: Litestar, system: System, ana: Person
    ) -> None:
        ben = await a_member(app, system, ana)
        project = await ana.project()
        await ana.task(project)
        said = await comment(ana)
        done(await ana.patch("/project/ENG", {"visibility": "PRIVATE"}), 200)

        tasks = f"/project/{project['id']}/tasks"
        for method, path, body in (
            ("POST", tasks, {"title": "Oil it", "assignees": [ben.id]}),
            ("POST", "/task/ENG-1/assignees", {"userId": ben.id}),
            ("POST", "/task/ENG-1/watchers", {"userId": ben.id}),
            ("POST", "/task/ENG-1/comments", {"body": "You?", "mentions": [ben.id]}),
            ("PATCH", said, {"mentions": [ben.id]}),
        ):
            refused(await ana.ask(method, path, json=body), 409, "cannot_see_project")


class TestNames:
    async def test_a_label_gets_no_name_that_another_has(self, ana: Person) -> None:
        await label(ana, "Bug")
        idea = await label(ana, "Idea")
        refused(await ana.patch(f"/label/{idea}", {"name": "bug"}), 409, "label_name_taken")

        done(await ana.delete(f"/label/{idea}"), 204)
        await label(ana, "idea")

        refused(await ana.post(f"/label/{idea}/restore"), 409, "label_name_taken")
        body = {"name": "Bug", **RED, "projectId": idea}
        refused(await ana.post("/label", body), 404, "not_found")

    async def test_a_team_gets_no_name_that_another_has(self, ana: Person) -> None:
        done(await ana.post("/team", {"name": "Gears"}), 201)
        team_id = done(await ana.post("/team", {"name": "Shafts"}), 201)["id"]
        path = f"/team/{team_id}"
        refused(await ana.patch(path, {"name": "gears"}), 409, "team_name_taken")

        done(await ana.delete(path), 204)
        done(await ana.post("/team", {"name": "Wheels"}), 201)
        refused(await ana.post(f"{path}/restore"), 402, "plan_limit")

        done(await ana.patch(f"/org/{ana.org_id}/plan", {"plan": "BASIC"}), 200)
        done(await ana.post("/team", {"name": "shafts"}), 201)
        refused(await ana.post(f"{path}/restore"), 409, "team_name_taken")

    async def test_a_project_gets_no_key_that_another_has(self, ana: Person) -> None:
        for key in ("ENG", "OPS"):
            await ana.project(key)

        refused(await ana.patch("/project/OPS", {"key": "ENG"}), 409, "project_key_taken")
        refused(await ana.patch("/project/OPS", {"key": "OPT\n"}), 422, "invalid_request")


class TestBounds:
    async def test_each_set_has_an_end(
        self, app: Litestar, system: System, ana: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ben = await a_member(app, system, ana)
        project = await ana.project()
        await ana.task(project)
        some = [await label(ana, name) for name in ("Bug", "Idea")]
        made = done(await ana.post("/team", {"name": "Gears"}), 201)
        for module, name in (
            (watching, "WATCHERS_MAX"),
            (labelling, "LABELS_MAX"),
            (project_state, "PROJECT_MEMBERS_MAX"),
            (team, "TEAM_MEMBERS_MAX"),
        ):
            monkeypatch.setattr(module, name, 1)
        done(await ana.post("/task/ENG-1/labels", {"labelId": some[0]}), 200)
        done(await ana.post("/project/ENG/members", {"userId": ana.id}), 204)
        done(await ana.post(f"/team/{made['id']}/members", {"userId": ana.id}), 200)

        user = {"userId": ben.id}
        for path, body, code in (
            ("/task/ENG-1/labels", {"labelId": some[1]}, "too_many_labels"),
            ("/task/ENG-1/watchers", user, "too_many_watchers"),
            ("/project/ENG/members", user, "too_many_project_members"),
            (f"/team/{made['id']}/members", user, "too_many_team_members"),
        ):
            refused(await ana.post(path, body), 409, code)


class TestTasks:
    async def test_dates_that_contradict_each_other_are_refused(self, ana: Person) -> None:
        tasks = f"/project/{(await ana.project())['id']}/tasks"
        late = {"title": "Oil it", "startDate": "2030-02-01", "dueDate": "2030-01-01"}
        twice = {"title": "Oil it", "dueDate": "2030-01-01", "dueAt": "2030-01-01T00:00:00Z"}

        refused(await ana.post(tasks, late), 409, "starts_after_due")
        refused(await ana.post(tasks, twice), 422, "two_due_dates")

    async def test_no_task_gets_a_status_that_its_project_does_not_have(self, ana: Person) -> None:
        project = await ana.project()
        body = {"title": "Oil it", "status": "LIVE"}
        refused(await ana.post(f"/project/{project['id']}/tasks", body), 422, "unknown_status")

        await ana.task(project)
        refused(await ana.patch("/task/ENG-1", {"status": "LIVE"}), 422, "unknown_status")

    async def test_a_change_of_fields_passes_no_blocker(self, ana: Person) -> None:
        project = await ana.project()
        await ana.task(project, status="IN_PROGRESS")
        blocker = await ana.task(project)
        blocks = {"kind": "blocked_by", "taskId": blocker["id"]}
        done(await ana.post("/task/ENG-1/relations", blocks), 201)

        refused(await ana.patch("/task/ENG-1", {"status": "DONE"}), 409, "open_blockers")


class TestLinkToFile:
    async def test_a_link_answers_as_the_file_itself_would(
        self, ana: Person, system: System
    ) -> None:
        await ana.task(await ana.project())
        url = done(await ana.get(f"{await attachment(ana)}/link"), 200)["url"]

        async def get(**headers: str) -> Any:
            return await ana.client.get(url, headers=headers)

        refused(await get(range="bytes=10-"), 416, "range_not_satisfiable")
        for path in (system.settings.data_dir / "files").rglob("*"):
            if path.is_file():
                path.unlink()
        refused(await get(), 503, "file_missing")
