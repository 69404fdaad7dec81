"""Tasks leave a project as a table and come into another one, row by row."""

import csv
import io
import json
from urllib.parse import quote

import pytest
from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.exchange.streams import member
from tests.api.exchange.task_files import (
    exported,
    fields_in,
    full_project,
    imported,
    rehearsed,
    without_keys,
)
from tests.api.stage import Person, done, refused


async def test_a_table_imports_again_to_an_equal_project(
    app: Litestar, system: System, ana: Person
) -> None:
    project, _ = await full_project(app, system, ana)
    copy = done(await ana.post("/project", {"key": "COPY", "name": "Copy"}), 201)
    await fields_in(ana, copy)

    response = await ana.get(f"/project/{project['id']}/export?format=csv")
    _, last = await imported(ana, copy, response.content, "?format=csv")
    _, again = await imported(ana, copy, response.content, "?format=csv")

    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert (last["created"], last["refused"]) == (4, [])
    assert (again["created"], again["unchanged"]) == (0, 4)
    ours, theirs = await exported(ana, project), await exported(ana, copy)
    tasks = [line for line in ours if "type" not in line]  # comments and relations have no rows
    assert without_keys(theirs) == without_keys(tasks)
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert [row["title"] for row in rows] == ["Ünïcode 🚂", "Engine", "'=1+1", "''=2"]


async def test_a_foreign_table_is_read(app: Litestar, system: System, ana: Person) -> None:
    project = await ana.project()
    ben = await member(app, system, ana, Role.MEMBER)
    table = (
        "Issue key;Summary;Labels;Labels;Assignee;Votes;Priority\r\n"
        f'J-1;"A ""quoted""; title";red;blue;{ben.email},{ana.email};7;Blocker\r\n'
        ";;;;;;\r\n"
        "J-2;No priority\r\n"
    )
    columns = {"Issue key": "id", "Summary": "title", "Labels": "labels"}
    columns |= {"Assignee": "assignees", "Priority": "priority"}
    mapping = {"columns": columns, "priorities": {"Blocker": "URGENT"}}

    query = f"?format=csv&mapping={quote(json.dumps(mapping))}"
    would, _ = await rehearsed(ana, project, table.encode("utf-16"), query)
    tasks, last = await imported(ana, project, table.encode("utf-16"), query)
    task = tasks["J-1"]

    assert [(each["line"], each["outcome"]) for each in would] == [(2, "created"), (4, "created")]
    assert (task["title"], task["priority"]) == ('A "quoted"; title', "URGENT")
    assert (len(task["labels"]), {*task["assignees"]}) == (2, {ana.id, ben.id})
    assert (last["state"], {*tasks}) == ("DONE", {"J-1", "J-2"})


@pytest.mark.parametrize("table", ["", "title\nOne\n", "\n", 'id,title\n1,"' + "x" * 200_000])
async def test_what_is_no_table_of_tasks_is_refused(ana: Person, table: str) -> None:
    path = f"/project/{(await ana.project())['id']}/import?format=csv"

    for query in ("", "&dry_run=true"):
        response = await ana.ask("POST", f"{path}{query}", content=table.encode())
        refused(response, 422, "malformed_file")
