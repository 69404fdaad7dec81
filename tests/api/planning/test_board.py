"""The board of a project over HTTP."""

from typing import Any

import pytest
from litestar import Litestar

from domain.identity.organization.membership import Role
from projections.engine.find import ReadModels
from projections.engine.query import ListSlice, Query
from runtime.system import System
from tests.api.keys import change_plan
from tests.api.stage import Person, done, join, refused, sign_up

STATUSES = ["TODO", "IN_PROGRESS", "IN_REVIEW", "DONE", "CANCELLED"]


async def board(person: Person, query: str = "", project: str = "ENG") -> list[Any]:
    """Return the columns of a board."""
    columns: list[Any] = done(await person.get(f"/project/{project}/board{query}"), 200)["columns"]
    return columns


def titles(column: Any) -> list[str]:
    return [task["title"] for task in column["tasks"]]


async def test_columns_are_the_statuses_in_the_order_of_the_workflow(ana: Person) -> None:
    project = await ana.project()
    for title, status in (("One", "TODO"), ("Two", "DONE"), ("Three", "TODO"), ("Four", "TODO")):
        await ana.task(project, title, status=status)
    first = done(await ana.get("/task/ENG-1"), 200)
    done(await ana.post("/task/ENG-3/rank", {"before": first["id"]}), 200)
    done(await ana.delete("/task/ENG-4"), 204)

    columns = await board(ana)

    assert [column["status"] for column in columns] == STATUSES
    assert [column["count"] for column in columns] == [2, 0, 0, 1, 0]
    assert [titles(column) for column in columns] == [["Three", "One"], [], [], ["Two"], []]
    assert (columns[0]["name"], columns[0]["group"], columns[0]["wipLimit"]) == (
        "Todo",
        "TODO",
        None,
    )
    listed = done(await ana.get(f"/project/{project['id']}/tasks"), 200)["items"]
    assert columns[0]["tasks"][1] == listed[-1]


async def test_each_column_is_read_on_a_page_at_a_time(ana: Person) -> None:
    project = await ana.project()
    for number in range(5):
        await ana.task(project, f"Task {number}", status=STATUSES[number % 2])

    todo, doing = (await board(ana, "?limit=1"))[:2]
    found = titles(todo) + titles(doing)
    for column in (todo, doing):
        while column["nextCursor"] is not None:
            query = f"?status={column['status']}&limit=1&cursor={column['nextCursor']}"
            [column] = await board(ana, query)  # noqa: PLW2901 - the next page of it
            found += titles(column)

    assert found == ["Task 0", "Task 1", "Task 2", "Task 4", "Task 3"]


async def test_a_cursor_belongs_to_its_column(ana: Person) -> None:
    project = await ana.project()
    for _ in range(2):
        await ana.task(project)
    cursor = (await board(ana, "?limit=1"))[0]["nextCursor"]

    for query in (f"cursor={cursor}", f"status=DONE&cursor={cursor}"):
        refused(await ana.get(f"/project/ENG/board?{query}"), 400, "malformed_request")
    refused(await ana.get("/project/ENG/board?status=LATER"), 422, "unknown_status")


async def test_tasks_of_a_status_that_is_gone_are_in_the_column_that_they_moved_to(
    ana: Person,
) -> None:
    project = await ana.project()
    await ana.task(project, "One")
    await ana.task(project, "Two", status="IN_PROGRESS")
    done(await ana.patch("/project/ENG", {"key": "GEAR"}), 200)
    await change_plan(ana, "BASIC")
    body = {
        "statuses": [
            {"key": "NEXT", "name": "Next", "group": "TODO", "wipLimit": 1},
            {"key": "DONE", "name": "Done", "group": "DONE"},
        ],
        "transitions": [{"from": "NEXT", "to": "DONE"}],
        "moved": {"TODO": "NEXT", "IN_PROGRESS": "NEXT", "IN_REVIEW": "NEXT", "CANCELLED": "DONE"},
    }
    done(await ana.ask("PUT", "/project/GEAR/workflow", json=body), 200)

    following, finished = await board(ana, project="GEAR")

    assert (following["status"], following["count"], following["wipLimit"]) == ("NEXT", 2, 1)
    shown = [(task["key"], task["status"]) for task in following["tasks"]]
    assert shown == [("GEAR-1", "NEXT"), ("GEAR-2", "NEXT")]
    assert finished["count"] == 0


async def test_the_board_of_a_private_project_does_not_exist_for_others(
    app: Litestar, system: System, ana: Person, dan: Person
) -> None:
    spy = await sign_up(app, organization=False)
    await join(system, spy, ana.org_id, Role.MANAGER)
    hidden = {"key": "HID", "name": "Hidden", "visibility": "PRIVATE"}
    project = done(await ana.post("/project", hidden), 201)
    await ana.task(project)

    for other in (spy, dan):
        for ref in ("HID", project["id"]):
            refused(await other.get(f"/project/{ref}/board"), 404, "not_found")
    assert (await board(ana, project="HID"))[0]["count"] == 1

    done(await ana.post(f"/project/{project['id']}/members", {"userId": spy.id}), 204)
    assert titles((await board(spy, project="HID"))[0]) == ["Oil it"]


async def test_a_deleted_project_has_no_board(ana: Person) -> None:
    await ana.project()
    done(await ana.delete("/project/ENG"), 204)

    refused(await ana.get("/project/ENG/board"), 404, "not_found")


async def test_a_board_shows_of_each_column_what_its_filters_ask_for(ana: Person) -> None:
    project = await ana.project()
    label = done(await ana.post("/label", {"name": "Bug", "color": "#ff0000"}), 201)["id"]
    for number in range(12):
        await ana.task(
            project,
            f"Task {number}",
            status=STATUSES[number % 2],
            assignees=[ana.id] if number % 3 else [],
            labels=[label] if number % 4 < 2 else [],
            dueDate="2020-01-01" if number < 6 else None,
        )
    done(await ana.post("/task/ENG-12/rank", {"before": await _id_of(ana, "ENG-2")}), 200)

    for query in (
        "assignee=me",
        "assignee=none",
        f"label={label}",
        f"label={label}&assignee=me",
        "overdue=true",
        "due=none",
        "blocked=true",
        "q=Task",
        "creator=me&priority=URGENT",
    ):
        columns = await board(ana, f"?{query}")
        assert [column["count"] for column in columns] == [6, 6, 0, 0, 0]
        for column in columns:
            path = f"/project/ENG/tasks?status={column['status']}&sort=rank&{query}"
            assert column["tasks"] == done(await ana.get(path), 200)["items"], query
        for status in STATUSES[:2]:
            assert await _whole(ana, status, query) == titles(columns[STATUSES.index(status)])
    refused(await ana.get("/project/ENG/board?assignee=Ana"), 422, "invalid_request")


async def test_a_cursor_of_a_filtered_column_belongs_to_its_filters(ana: Person) -> None:
    project = await ana.project()
    for _ in range(2):
        await ana.task(project)
    cursor = (await board(ana, "?limit=1&assignee=none"))[0]["nextCursor"]

    path = f"/project/ENG/board?status=TODO&limit=1&cursor={cursor}"
    refused(await ana.get(path), 400, "malformed_request")
    refused(await ana.get(f"{path}&assignee=me"), 400, "malformed_request")
    assert len(done(await ana.get(f"{path}&assignee=none"), 200)["columns"][0]["tasks"]) == 1


async def test_a_filtered_board_looks_everything_up_once(
    ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await ana.project()
    for status in STATUSES:
        await ana.task(project, status=status)
    readings: list[list[str]] = []
    read = ReadModels.pages

    async def counted(models: ReadModels, *queries: Query) -> list[ListSlice]:
        readings.append([each.model for each in queries])
        return await read(models, *queries)

    monkeypatch.setattr(ReadModels, "pages", counted)

    shown = await board(ana, "?creator=me&cycle=current")

    assert [titles(column) for column in shown] == [[]] * len(STATUSES)
    assert readings == [["cycles"], ["tasks"] * len(STATUSES)]
    readings.clear()
    shown = await board(ana, "?creator=me")
    assert [len(titles(column)) for column in shown] == [1] * len(STATUSES)
    assert readings == [["tasks"] * len(STATUSES)]


async def _id_of(person: Person, key: str) -> str:
    task: str = done(await person.get(f"/task/{key}"), 200)["id"]
    return task


async def _whole(person: Person, status: str, query: str) -> list[str]:
    """Return the titles of a column, read a task at a time."""
    found: list[str] = []
    cursor = ""
    for _ in range(20):
        [column] = await board(person, f"?status={status}&limit=1&{query}{cursor}")
        found += titles(column)
        if column["nextCursor"] is None:
            return found
        cursor = f"&cursor={column['nextCursor']}"
    raise AssertionError("the column does not end")
