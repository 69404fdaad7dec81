"""A task, a project and an organization as they were."""

from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.past.moments import own, seq_now, then
from tests.api.stage import Person, done, join, refused, sign_up


class TestTask:
    async def test_a_task_is_shown_as_it_was(self, ana: Person, system: System) -> None:
        project = await ana.project()
        await ana.task(project, "Oil it", description="All of it", dueDate="2026-05-04")
        before, known = await seq_now(system, ana), done(await ana.get("/task/ENG-1"), 200)
        change = {"title": "Grease it", "description": None, "priority": "URGENT"}
        done(await ana.patch("/task/ENG-1", change), 200)
        done(await ana.post("/task/ENG-1/status", {"status": "IN_PROGRESS"}), 200)
        after = await seq_now(system, ana)

        assert await then(ana, "/task/ENG-1", before) == own(known)
        assert await then(ana, f"/task/{known['id']}", before) == own(known)
        now = done(await ana.get("/task/ENG-1"), 200)
        assert await then(ana, "/task/ENG-1", after) == own(now)

    async def test_the_answer_says_which_moment_it_shows(self, ana: Person, system: System) -> None:
        task = await ana.task(await ana.project())
        seq = await seq_now(system, ana)

        shown = done(await ana.get(f"/task/ENG-1?as_of={seq}"), 200)

        assert shown["asOf"] == {"seq": seq, "at": task["updatedAt"]}
        by_time = done(await ana.get(f"/task/ENG-1?as_of={shown['asOf']['at']}"), 200)
        assert by_time == shown

    async def test_a_past_state_is_not_for_writing(self, ana: Person, system: System) -> None:
        await ana.task(await ana.project())
        seq = await seq_now(system, ana)

        response = await ana.get(f"/task/ENG-1?as_of={seq}", headers={"if-none-match": '"1"'})

        assert done(response, 200)["version"] == 1
        assert "etag" not in response.headers

    async def test_a_task_has_the_key_and_the_project_of_that_time(
        self, ana: Person, system: System
    ) -> None:
        project = await ana.project()
        other = done(await ana.post("/project", {"key": "HR", "name": "People"}), 201)
        await ana.task(project)
        first = await seq_now(system, ana)
        done(await ana.patch(f"/project/{project['id']}", {"key": "NEW"}), 200)
        second = await seq_now(system, ana)
        done(await ana.post("/task/NEW-1/move", {"projectId": other["id"]}), 200)

        for moment, key, owner in ((first, "ENG-1", project), (second, "NEW-1", project)):
            shown = await then(ana, "/task/HR-1", moment)
            assert (shown["key"], shown["projectId"]) == (key, owner["id"])
            assert await then(ana, "/task/ENG-1", moment) == shown

    async def test_nothing_is_shown_before_a_thing_existed(
        self, ana: Person, dan: Person, system: System
    ) -> None:
        begun = await seq_now(system, ana)
        project = await ana.project()
        made = await seq_now(system, ana)
        task = await ana.task(project)

        for path, moment in (
            (f"/project/{project['id']}", begun),
            (f"/task/{task['id']}", made),
            ("/task/ENG-1", made),
        ):
            refused(await ana.get(f"{path}?as_of={moment}"), 404, "not_found")
        for path in (f"/project/{project['id']}", f"/task/{task['id']}", "/task/ENG-1"):
            refused(await dan.get(f"{path}?as_of=1"), 404, "not_found")
        refused(await ana.get(f"/task/{project['id']}?as_of={made}"), 404, "not_found")
        refused(await ana.get(f"/project/{task['id']}?as_of={made + 1}"), 404, "not_found")


class TestProject:
    async def test_a_project_is_shown_as_it_was(self, ana: Person, system: System) -> None:
        project = await ana.project()
        before, known = await seq_now(system, ana), done(await ana.get("/project/ENG"), 200)
        done(await ana.patch("/project/ENG", {"key": "NEW", "name": "Motor"}), 200)
        done(await ana.post("/project/NEW/archive"), 200)

        assert await then(ana, f"/project/{project['id']}", before) == known
        assert await then(ana, "/project/ENG", before) == known
        now = done(await ana.get("/project/NEW"), 200)
        assert await then(ana, "/project/NEW", await seq_now(system, ana)) == now


class TestOrganization:
    async def test_an_organization_is_shown_as_it_was(self, ana: Person, system: System) -> None:
        path = f"/org/{ana.org_id}"
        before, known = await seq_now(system, ana), done(await ana.get(path), 200)
        done(await ana.patch(path, {"name": "Ajax"}), 200)

        assert await then(ana, path, before) == known
        now = done(await ana.get(path), 200)
        assert now["name"] == "Ajax"
        assert await then(ana, path, await seq_now(system, ana)) == now

    async def test_another_organization_is_not_shown(self, ana: Person, dan: Person) -> None:
        for path in (f"/org/{dan.org_id}", f"/org/{dan.org_id}/members"):
            refused(await ana.get(f"{path}?as_of=1"), 404, "not_found")


class TestMembers:
    async def test_who_belonged_to_it_on_a_date_is_listed(
        self, ana: Person, app: Litestar, system: System
    ) -> None:
        path = f"/org/{ana.org_id}/members"
        alone = await seq_now(system, ana)
        bob = await sign_up(app)
        await join(system, bob, ana.org_id, Role.MEMBER)
        joined = await seq_now(system, ana)
        done(await ana.patch(f"{path}/{bob.id}", {"role": "MANAGER"}), 200)
        raised = await seq_now(system, ana)
        listed = done(await ana.get(path), 200)
        done(await ana.delete(f"{path}/{bob.id}"), 204)
        left = await seq_now(system, ana)

        def roles(page: dict[str, list[dict[str, str]]]) -> dict[str, str]:
            return {each["userId"]: each["role"] for each in page["items"]}

        assert roles(await then(ana, path, alone)) == {ana.id: "ADMIN"}
        assert roles(await then(ana, path, joined)) == {ana.id: "ADMIN", bob.id: "MEMBER"}
        shown = await then(ana, path, raised)
        for one in listed["items"]:
            del one["user"]
        assert shown == listed
        assert roles(await then(ana, path, left)) == {ana.id: "ADMIN"}
        assert roles(await then(ana, path, joined, role="MEMBER")) == {bob.id: "MEMBER"}
        assert roles(await then(ana, path, joined, active="false")) == {}

    async def test_pages_of_members_are_of_one_moment(
        self, ana: Person, app: Litestar, system: System
    ) -> None:
        path = f"/org/{ana.org_id}/members"
        for _ in range(3):
            await join(system, await sign_up(app), ana.org_id, Role.MEMBER)
        moment = await seq_now(system, ana)
        everybody = [each["userId"] for each in (await then(ana, path, moment))["items"]]
        assert everybody == sorted(everybody)
        assert len(everybody) == 4

        first = await then(ana, path, moment, limit=3)
        second = await then(ana, path, moment, limit=3, cursor=first["nextCursor"])

        assert [each["userId"] for each in first["items"] + second["items"]] == everybody
        assert second["nextCursor"] is None
        again = {"as_of": moment - 1, "cursor": first["nextCursor"]}
        refused(await ana.get(path, params=again), 400, "malformed_request")
        problem = refused(await ana.get(f"{path}?as_of={moment}&q=pat"), 422, "invalid_request")
        assert [each["path"] for each in problem["errors"]] == ["q"]
