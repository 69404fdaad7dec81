"""The board of a project as it was."""

from typing import Any

import pytest
from litestar import Litestar

from api.planning import past_board
from commands.past import results
from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.past.moments import own, seq_now, then
from tests.api.stage import Person, done, join, refused, sign_up

BOARD = "/project/ENG/board"


def keys(board: Any) -> dict[str, list[str]]:
    """Return the keys of the tasks in each column that has any."""
    columns = {each["status"]: [task["key"] for task in each["tasks"]] for each in board["columns"]}
    return {status: found for status, found in columns.items() if found}


def as_now(board: Any) -> Any:
    """Return a board of now with what tasks themselves say, and without cursors."""
    for column in board["columns"]:
        column["tasks"] = [own(task) for task in column["tasks"]]
        column["nextCursor"] = None
    return board


class TestBoard:
    async def test_a_board_is_shown_as_it_was(self, ana: Person, system: System) -> None:
        project = await ana.project()
        for title in ("One", "Two", "Three"):
            await ana.task(project, title)
        done(await ana.post("/task/ENG-2/status", {"status": "IN_PROGRESS"}), 200)
        moment, known = await seq_now(system, ana), done(await ana.get(BOARD), 200)
        ranked = {"before": (await ana.get("/task/ENG-1")).json()["id"]}
        done(await ana.post("/task/ENG-3/rank", ranked), 200)
        done(await ana.post("/task/ENG-1/status", {"status": "CANCELLED"}), 200)
        done(await ana.patch("/task/ENG-2", {"title": "Second"}), 200)
        await ana.task(project, "Four")

        shown = await then(ana, BOARD, moment)

        assert shown == as_now(known)
        assert keys(shown) == {"TODO": ["ENG-1", "ENG-3"], "IN_PROGRESS": ["ENG-2"]}
        now = as_now(done(await ana.get(BOARD), 200))
        assert await then(ana, BOARD, await seq_now(system, ana)) == now

    async def test_what_came_and_went_since_is_where_it_was(
        self, ana: Person, system: System
    ) -> None:
        project, other = await ana.project(), await ana.project("HR")
        parent = await ana.task(project, "Above")
        await ana.task(project, "Below", parentId=parent["id"])
        await ana.task(project, "Goes")
        await ana.task(other, "Comes")
        moment = await seq_now(system, ana)
        done(await ana.delete("/task/ENG-1"), 204)
        done(await ana.post("/task/ENG-3/move", {"projectId": other["id"]}), 200)
        done(await ana.post("/task/HR-1/move", {"projectId": project["id"]}), 200)
        later = await seq_now(system, ana)
        done(await ana.post("/task/ENG-1/restore"), 200)
        done(await ana.delete("/project/HR"), 204)

        assert keys(await then(ana, BOARD, moment)) == {"TODO": ["ENG-1", "ENG-2", "ENG-3"]}
        assert keys(await then(ana, BOARD, later)) == {"TODO": ["ENG-4"]}
        there = await then(ana, f"/project/{other['id']}/board", moment)
        assert keys(there) == {"TODO": ["HR-1"]}

    async def test_columns_are_those_of_the_workflow_then(
        self, ana: Person, system: System
    ) -> None:
        done(await ana.patch(f"/org/{ana.org_id}/plan", {"plan": "PREMIUM"}), 200)
        project = await ana.project()
        await ana.task(project)
        moment, known = await seq_now(system, ana), done(await ana.get(BOARD), 200)
        statuses = [
            {"key": "NEW", "name": "New", "group": "TODO"},
            {"key": "DONE", "name": "Over", "group": "DONE", "wipLimit": 9},
        ]
        steps = [{"from": "NEW", "to": "DONE"}]
        gone = {"TODO": "NEW", "IN_PROGRESS": "NEW", "IN_REVIEW": "NEW", "CANCELLED": "DONE"}
        workflow = {"statuses": statuses, "transitions": steps, "moved": gone}
        done(await ana.ask("PUT", "/project/ENG/workflow", json=workflow), 200)

        assert await then(ana, BOARD, moment) == as_now(known)
        now = as_now(done(await ana.get(BOARD), 200))
        shown = await then(ana, BOARD, await seq_now(system, ana))
        assert shown == now
        assert keys(shown) == {"NEW": ["ENG-1"]}
        refused(await ana.get(f"{BOARD}?as_of={moment}&status=NEW"), 422, "unknown_status")

    async def test_pages_of_a_column_are_of_one_moment(self, ana: Person, system: System) -> None:
        project = await ana.project()
        for _ in range(5):
            await ana.task(project)
        moment = await seq_now(system, ana)
        for n in (1, 3, 4):
            done(await ana.post(f"/task/ENG-{n}/status", {"status": "CANCELLED"}), 200)

        first = (await then(ana, BOARD, moment, limit=2))["columns"][0]
        asked = {"status": "TODO", "limit": 2}
        second = (await then(ana, BOARD, moment, **asked, cursor=first["nextCursor"]))["columns"][0]
        third = (await then(ana, BOARD, moment, **asked, cursor=second["nextCursor"]))["columns"][0]

        found = [task["key"] for each in (first, second, third) for task in each["tasks"]]
        assert found == [f"ENG-{n}" for n in range(1, 6)]
        assert (first["count"], third["nextCursor"]) == (5, None)
        elsewhere = {**asked, "as_of": moment + 1, "cursor": first["nextCursor"]}
        refused(await ana.get(BOARD, params=elsewhere), 400, "malformed_request")

    async def test_filters_are_refused(self, ana: Person, system: System) -> None:
        await ana.task(await ana.project())

        asked = {"as_of": await seq_now(system, ana), "priority": "LOW", "q": "oil"}
        problem = refused(await ana.get(BOARD, params=asked), 422, "invalid_request")

        assert {each["path"] for each in problem["errors"]} == {"priority", "q"}


class TestHidden:
    async def test_tasks_that_the_caller_does_not_see_now_are_left_out(
        self, ana: Person, app: Litestar, system: System
    ) -> None:
        ben = await sign_up(app)
        await join(system, ben, ana.org_id, Role.MEMBER)
        project = await ana.project()
        for title in ("Stays", "Deleted", "Hidden"):
            await ana.task(project, title)
        await ben.task(project, "His own")
        moment = await seq_now(system, ana)
        hidden = {"key": "HID", "name": "Hidden", "visibility": "PRIVATE"}
        elsewhere = done(await ana.post("/project", hidden), 201)
        done(await ana.delete("/task/ENG-2"), 204)
        done(await ana.delete("/task/ENG-4"), 204)
        done(await ana.post("/task/ENG-3/move", {"projectId": elsewhere["id"]}), 200)

        everything = await then(ana, BOARD, moment)
        seen = await then(ben, BOARD, moment)

        assert keys(everything) == {"TODO": ["ENG-1", "ENG-2", "ENG-3", "ENG-4"]}
        assert keys(seen) == {"TODO": ["ENG-1", "ENG-4"]}
        assert [each["count"] for each in seen["columns"]] == [4, 0, 0, 0, 0]

    async def test_what_was_purged_says_nothing(self, ana: Person, system: System) -> None:
        project = await ana.project()
        task = await ana.task(project, "Quicksilver", description="Quicksilver")
        moment = await seq_now(system, ana)
        done(await ana.delete("/task/ENG-1"), 204)
        done(await ana.delete(f"/trash/task/{task['id']}"), 204)

        shown = await then(ana, BOARD, moment)

        [gone] = shown["columns"][0]["tasks"]
        assert (gone["title"], gone["description"], gone["fields"]) == ("[erased]", None, {})
        assert gone["key"] == "ENG-1"

    async def test_a_page_ends_when_many_tasks_were_looked_at(
        self, ana: Person, app: Litestar, system: System, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(past_board, "LOOKED_AT_MAX", 2)
        ben = await sign_up(app)
        await join(system, ben, ana.org_id, Role.MEMBER)
        project = await ana.project()
        for _ in range(5):
            await ana.task(project)
        moment = await seq_now(system, ana)
        for n in (1, 2, 3):
            done(await ana.delete(f"/task/ENG-{n}"), 204)

        pages: list[Any] = []
        cursor: dict[str, str] = {}
        while not pages or pages[-1]["nextCursor"]:
            board = await then(ben, BOARD, moment, status="TODO", **cursor)
            pages += board["columns"]
            cursor = {"cursor": pages[-1]["nextCursor"]}

        assert [[task["key"] for task in each["tasks"]] for each in pages] == [
            [], ["ENG-4"], ["ENG-5"],
        ]  # fmt: skip

    async def test_too_many_boards_at_once_are_refused(
        self, ana: Person, system: System, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await ana.task(await ana.project())
        moment = await seq_now(system, ana)
        monkeypatch.setattr(results, "AT_ONCE_MAX", 0)

        response = await ana.get(f"{BOARD}?as_of={moment}")

        refused(response, 503, "busy")
        assert response.headers["retry-after"] == "2"
        refused(await ana.get(f"/org/{ana.org_id}?as_of={moment}"), 503, "busy")
        done(await ana.get(f"/task/ENG-1?as_of={moment}"), 200)
