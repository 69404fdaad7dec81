"""The trash over HTTP: what a deletion hides, and what a restoration brings back."""

from typing import Any

from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.stage import Person, done, join, refused, sign_up

LISTS = (
    "/project/{project}/tasks",
    "/project/{project}/board",
    "/task/ENG-1/subtasks",
    "/dashboard",
)


async def everything(person: Person, project: str) -> dict[str, Any]:
    """Return what every list and count shows, by path."""
    paths = [path.format(project=project) for path in LISTS]
    paths.append(f"/org/{person.org_id}/usage")
    shown = {path: done(await person.get(path), 200) for path in paths}
    shown["/dashboard"]["recent"].sort(key=lambda task: task["key"])  # it was changed last
    return shown


def named(shown: dict[str, Any], path: str) -> list[str]:
    [found] = [items["items"] for each, items in shown.items() if each.endswith(path)]
    return [item["key"] for item in found]


async def tree(person: Person) -> str:
    """Create a task with two levels below it, which block another one."""
    project = await person.project()
    top = await person.task(project)
    middle = await person.task(project, parentId=top["id"])
    leaf = await person.task(project, parentId=middle["id"])
    other = await person.task(project)
    for blocker in (top, leaf):
        relation = {"kind": "blocks", "taskId": other["id"]}
        done(await person.post(f"/task/{blocker['id']}/relations", relation), 201)
    found: str = project["id"]
    return found


class TestDeletedTree:
    async def test_a_deleted_task_hides_everything_below_it(self, ana: Person) -> None:
        project = await tree(ana)
        done(await ana.delete("/task/ENG-2"), 204)

        shown = await everything(ana, project)
        assert named(shown, "/tasks") == ["ENG-4", "ENG-1"]
        usage = done(await ana.get(f"/org/{ana.org_id}/usage"), 200)
        assert usage["used"]["tasks"] == 2
        for path in ("", "/comments", "/activity", "/relations", "/attachments", "/subtasks"):
            refused(await ana.get(f"/task/ENG-3{path}"), 404, "not_found")
        refused(await ana.patch("/task/ENG-3", {"title": "Hidden"}), 404, "not_found")
        refused(await ana.post("/task/ENG-3/comments", {"body": "Hidden"}), 404, "not_found")
        refused(await ana.delete("/task/ENG-3"), 404, "not_found")

    async def test_what_it_hides_blocks_nothing(self, ana: Person) -> None:
        await tree(ana)
        assert done(await ana.get("/task/ENG-4"), 200)["blocked"] is True
        done(await ana.delete("/task/ENG-1"), 204)

        assert done(await ana.get("/task/ENG-4"), 200)["blocked"] is False
        done(await ana.post("/task/ENG-4/status", {"status": "IN_PROGRESS"}), 200)
        done(await ana.post("/task/ENG-4/status", {"status": "DONE"}), 200)

    async def test_what_is_in_a_deleted_project_blocks_nothing(self, ana: Person) -> None:
        here, there = await ana.project(), await ana.project("OPS")
        blocked, blocker = await ana.task(here), await ana.task(there)
        relation = {"kind": "blocks", "taskId": blocked["id"]}
        done(await ana.post("/task/OPS-1/relations", relation), 201)
        done(await ana.post("/task/ENG-1/status", {"status": "IN_PROGRESS"}), 200)
        path = f"/project/{here['id']}/tasks"

        for change, shown in (
            (ana.delete("/project/OPS"), False),
            (ana.post("/project/OPS/restore"), True),
            (ana.delete("/project/OPS"), False),
        ):
            assert (await change).is_success
            assert done(await ana.get("/task/ENG-1"), 200)["blocked"] is shown
            [listed] = done(await ana.get(path), 200)["items"]
            assert listed["blocked"] is shown
        done(await ana.post("/task/ENG-1/status", {"status": "DONE"}), 200)
        assert blocker["id"] != blocked["id"]

    async def test_restoring_it_brings_back_exactly_what_it_hid(self, ana: Person) -> None:
        project = await tree(ana)
        done(await ana.delete("/task/ENG-3"), 204)
        before = await everything(ana, project)
        hidden = done(await ana.get("/task/ENG-2"), 200)

        done(await ana.delete("/task/ENG-1"), 204)
        refused(await ana.post("/task/ENG-3/restore"), 409, "parent_in_trash")
        done(await ana.post("/task/ENG-1/restore"), 200)

        after = await everything(ana, project)
        assert unversioned(after) == unversioned(before)
        assert done(await ana.get("/task/ENG-2"), 200) == hidden
        refused(await ana.get("/task/ENG-3"), 404, "not_found")
        done(await ana.post("/task/ENG-3/restore"), 200)
        assert done(await ana.get("/task/ENG-4"), 200)["blocked"] is True

    async def test_a_task_is_restored_after_its_project(self, ana: Person) -> None:
        project = await tree(ana)
        before = await everything(ana, project)
        done(await ana.delete("/task/ENG-1"), 204)
        done(await ana.delete(f"/project/{project}"), 204)

        refused(await ana.post("/task/ENG-1/restore"), 409, "parent_in_trash")
        done(await ana.post(f"/project/{project}/restore"), 200)
        done(await ana.post("/task/ENG-1/restore"), 200)
        assert unversioned(await everything(ana, project)) == unversioned(before)


async def colleague(ana: Person, app: Litestar, system: System, role: Role) -> Person:
    """Return somebody who works in Ana's organization."""
    person = await sign_up(app, organization=False)
    await join(system, person, ana.org_id, role)
    return person


async def trash(person: Person, query: str = "") -> list[tuple[str, str]]:
    """Return the type and name of what is in the trash for somebody, as pages of two."""
    found: list[tuple[str, str]] = []
    cursor: str | None = ""
    while cursor is not None:
        end = f"&cursor={cursor}" if cursor else ""
        page = done(await person.get(f"/trash?limit=2{query}{end}"), 200)
        assert len(page["items"]) <= 2
        found += [(item["type"], item["name"]) for item in page["items"]]
        cursor = page["nextCursor"]
    return found


class TestList:
    async def test_it_lists_what_was_deleted_the_newest_first(self, ana: Person) -> None:
        project = await ana.project()
        task = await ana.task(project, "One")
        below = await ana.task(project, "Below", parentId=task["id"])
        said = done(await ana.post("/task/ENG-1/comments", {"body": "Well?"}), 201)
        label = done(await ana.post("/label", {"name": "Bug", "color": "#ff0000"}), 201)
        team = done(await ana.post("/team", {"name": "Gears"}), 201)
        hook = {"url": "https://example.com/hook", "events": ["*"]}
        webhook = done(await ana.post("/webhook", hook), 201)
        for path in (
            f"/task/ENG-1/comments/{said['id']}",
            f"/label/{label['id']}",
            f"/team/{team['id']}",
            f"/webhook/{webhook['id']}",
            "/task/ENG-2",
            "/task/ENG-1",
            "/project/ENG",
        ):
            done(await ana.delete(path), 204)

        everything = await trash(ana)
        assert everything == [
            ("project", "Engine"),
            ("task", "One"),
            ("task", "Below"),
            ("webhook", "https://example.com/hook"),
            ("team", "Gears"),
            ("label", "Bug"),
            ("comment", "Well?"),
        ]
        inside = [each for each in everything if each[0] in ("project", "task", "comment")]
        assert await trash(ana, f"&project={project['id']}") == inside
        assert await trash(ana, "&type=label") == [("label", "Bug")]
        assert await trash(ana, f"&type=comment&project={project['id']}") == inside[-1:]
        [first] = done(await ana.get("/trash?type=comment"), 200)["items"]
        assert first["taskId"] == task["id"]
        assert first["deletedBy"] == ana.id
        assert first["deletedAt"][:7] < first["purgeAt"][:7]

        done(await ana.post("/project/ENG/restore"), 200)
        done(await ana.post("/task/ENG-1/restore"), 200)
        assert ("task", "Below") in await trash(ana)
        assert below["id"] in [i["id"] for i in done(await ana.get("/trash"), 200)["items"]]
        assert ("task", "One") not in await trash(ana)

    async def test_a_private_view_is_in_the_trash_of_its_owner_alone(
        self, ana: Person, app: Litestar, system: System
    ) -> None:
        cleo = await colleague(ana, app, system, Role.MANAGER)
        views = [
            done(await cleo.post("/view", {"name": name, "shared": name == "Shared"}), 201)
            for name in ("Own", "Shared")
        ]
        for view in views:
            done(await cleo.delete(f"/view/{view['id']}"), 204)

        assert await trash(cleo, "&type=view") == [("view", "Shared"), ("view", "Own")]
        assert await trash(ana) == [("view", "Shared")]
        refused(await ana.delete(f"/trash/view/{views[0]['id']}"), 404, "not_found")
        done(await ana.delete(f"/trash/view/{views[1]['id']}"), 204)
        refused(await cleo.post(f"/view/{views[1]['id']}/restore"), 404, "not_found")
        assert await trash(cleo) == [("view", "Own")]
        done(await cleo.post(f"/view/{views[0]['id']}/restore"), 200)
        assert await trash(cleo) == []
        await cleo.client.aclose()

    async def test_members_see_their_own_and_leads_their_teams(
        self, ana: Person, app: Litestar, system: System
    ) -> None:
        cleo, dora = [await colleague(ana, app, system, Role.MEMBER) for _ in range(2)]
        team = done(await ana.post("/team", {"name": "Gears"}), 201)
        lead = {"userId": dora.id, "role": "LEAD"}
        done(await ana.post(f"/team/{team['id']}/members", lead), 200)
        project = await ana.project()
        done(await ana.patch("/project/ENG", {"teamId": team["id"]}), 200)
        await ana.task(project, "Hers")
        await cleo.task(project, "Mine")
        other = await ana.project("OPS")
        await ana.task(other, "Elsewhere")
        for key in ("ENG-1", "ENG-2", "OPS-1"):
            done(await ana.delete(f"/task/{key}"), 204)

        assert await trash(cleo) == [("task", "Mine")]
        assert await trash(dora) == [("task", "Mine"), ("task", "Hers")]
        assert len(await trash(ana)) == 3

    async def test_private_projects_stay_hidden_in_it(
        self, ana: Person, app: Litestar, system: System
    ) -> None:
        ben = await colleague(ana, app, system, Role.MANAGER)
        project = await ana.project()
        await ana.task(project, "Secret")
        done(await ana.post("/task/ENG-1/comments", {"body": "Secret, too"}), 201)
        comment = done(await ana.get("/task/ENG-1/comments"), 200)["items"][0]
        done(await ana.delete(f"/task/ENG-1/comments/{comment['id']}"), 204)
        assert await trash(ben) == [("comment", "Secret, too")]

        done(await ana.patch("/project/ENG", {"visibility": "PRIVATE"}), 200)
        assert await trash(ben) == []
        done(await ana.delete("/task/ENG-1"), 204)
        done(await ana.delete("/project/ENG"), 204)
        assert await trash(ben) == []
        assert len(await trash(ana)) == 3

    async def test_what_was_moved_to_a_private_project_is_hidden_as_well(
        self, ana: Person, app: Litestar, system: System
    ) -> None:
        ben = await colleague(ana, app, system, Role.MANAGER)
        await ana.task(await ana.project(), "Open")
        comment = done(await ana.post("/task/ENG-1/comments", {"body": "Secret"}), 201)
        done(await ana.delete(f"/task/ENG-1/comments/{comment['id']}"), 204)
        private = await ana.project("OPS")
        done(await ana.patch("/project/OPS", {"visibility": "PRIVATE"}), 200)
        done(await ana.post("/task/ENG-1/move", {"projectId": private["id"]}), 200)

        assert await trash(ben) == []
        assert await trash(ana) == [("comment", "Secret")]


def unversioned(shown: Any) -> Any:
    """Return *shown* without what tells that something happened meanwhile."""
    if isinstance(shown, list):
        return [unversioned(each) for each in shown]
    if isinstance(shown, dict):
        told = {name: unversioned(each) for name, each in shown.items()}
        return {name: each for name, each in told.items() if name not in ("version", "updatedAt")}
    return shown
