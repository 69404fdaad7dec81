"""What was purged or erased stays gone, also from the past."""

import json

from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.past.moments import check_missing, seq_now, then
from tests.api.stage import PASSWORD, Person, done, join, sign_up

SECRET = "Quicksilver"


class TestGone:
    async def test_what_was_purged_stays_gone(
        self, ana: Person, ben: Person, system: System
    ) -> None:
        project = await ana.project()
        size = {"key": "size", "name": "Size", "type": "text"}
        done(await ana.post(f"/project/{project['id']}/fields", size), 201)
        fields = {"description": SECRET, "fields": {"size": SECRET}}
        task = await ana.task(project, SECRET, **fields)
        moment = await seq_now(system, ana)
        done(await ana.delete("/task/ENG-1"), 204)
        done(await ana.delete(f"/trash/task/{task['id']}"), 204)

        for path in ("/task/ENG-1", "/project/ENG/board"):
            shown = await then(ana, path, moment)
            assert SECRET not in json.dumps(shown)
            assert "[erased]" in json.dumps(shown)
        gone = await then(ana, "/task/ENG-1", moment)
        assert (gone["title"], gone["description"], gone["fields"]) == ("[erased]", None, {})
        await check_missing(ben, "/task/ENG-1", moment)

    async def test_what_is_below_a_purged_task_is_gone_at_once(
        self, ana: Person, system: System
    ) -> None:
        project = await ana.project()
        parent = await ana.task(project, "Above")
        await ana.task(project, SECRET, parentId=parent["id"])
        moment = await seq_now(system, ana)
        done(await ana.delete("/task/ENG-1"), 204)
        done(await ana.delete(f"/trash/task/{parent['id']}"), 204)

        for path in ("/task/ENG-2", "/project/ENG/board"):
            assert SECRET not in json.dumps(await then(ana, path, moment))

    async def test_a_purged_project_says_nothing(self, ana: Person, system: System) -> None:
        done(await ana.patch(f"/org/{ana.org_id}/plan", {"plan": "PREMIUM"}), 200)
        named = {"name": SECRET, "description": SECRET}
        project = done(await ana.post("/project", {"key": "ENG", **named}), 201)
        await ana.task(project, SECRET)
        statuses = [
            {"key": "TODO", "name": SECRET, "group": "TODO"},
            {"key": "DONE", "name": f"{SECRET} done", "group": "DONE"},
        ]
        gone = {"IN_PROGRESS": "TODO", "IN_REVIEW": "TODO", "CANCELLED": "DONE"}
        steps = [{"from": "TODO", "to": "DONE"}]
        workflow = {"statuses": statuses, "transitions": steps, "moved": gone}
        done(await ana.ask("PUT", "/project/ENG/workflow", json=workflow), 200)
        moment = await seq_now(system, ana)
        done(await ana.delete("/project/ENG"), 204)
        done(await ana.delete(f"/trash/project/{project['id']}"), 204)

        shown = await then(ana, f"/project/{project['id']}", moment)
        board = await then(ana, f"/project/{project['id']}/board", moment)

        assert (shown["name"], shown["description"]) == ("[erased]", None)
        assert [each["name"] for each in board["columns"]] == ["TODO", "DONE"]
        task = await then(ana, "/task/ENG-1", moment)
        assert SECRET not in json.dumps([shown, board, task])

    async def test_who_erased_their_account_is_an_id_without_a_name(
        self, ana: Person, app: Litestar, system: System
    ) -> None:
        cat = await sign_up(app, organization=False)
        await join(system, cat, ana.org_id, Role.MEMBER)
        moment = await seq_now(system, ana)
        erased = await cat.ask("DELETE", "/user/me", json={"password": PASSWORD})
        assert erased.is_success, erased.text

        shown = await then(ana, f"/org/{ana.org_id}/members", moment)

        assert {each["userId"] for each in shown["items"]} == {ana.id, cat.id}
        assert all(set(each) == {"userId", "role", "active", "joinedAt"} for each in shown["items"])
