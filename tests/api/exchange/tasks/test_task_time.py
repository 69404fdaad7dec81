"""Logged time leaves a project beside its tasks, and comes into another one."""

from typing import Any

from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.exchange.archives import A
from tests.api.exchange.task_files import exported, imported, in_lines, rehearsed
from tests.api.stage import Json, Person, done, join, sign_up

SPENT: Json = {"type": "worklog", "task": "a", "minutes": 5, "date": "2026-02-27"}
FEBRUARY = "from=2026-02-01&to=2026-02-28"


async def member(app: Litestar, system: System, ana: Person) -> Person:
    person = await sign_up(app, organization=False)
    await join(system, person, ana.org_id, Role.MEMBER)
    return person


async def entries(person: Person, task: str) -> list[Any]:
    items: list[Any] = done(await person.get(f"/task/{task}/worklogs"), 200)["items"]
    return items


async def test_time_leaves_with_its_task_and_comes_back_to_whom_it_is_of(
    app: Litestar, system: System, ana: Person
) -> None:
    ben, project = await member(app, system, ana), await ana.project()
    await ana.task(project)
    body = {"minutes": 90, "date": "2026-02-27", "note": "Söon 🚂"}
    his = done(await ben.post("/task/ENG-1/worklogs", body), 201)
    hers = done(await ana.post("/task/ENG-1/worklogs", {"minutes": 5, "date": "2026-02-26"}), 201)
    gone = done(await ana.post("/task/ENG-1/worklogs", {"minutes": 7}), 201)
    done(await ana.delete(f"/task/ENG-1/worklogs/{gone['id']}"), 204)
    copy = done(await ana.post("/project", {"key": "COPY", "name": "Copy"}), 201)

    lines = await exported(ana, project)
    _, last = await imported(ana, copy, in_lines(*lines))
    _, again = await imported(ana, copy, in_lines(*lines))

    assert [each["minutes"] for each in lines if each.get("type") == "worklog"] == [90, 5]
    assert (last["created"], again["created"], again["unchanged"]) == (3, 0, 3)
    first, second = await entries(ana, "COPY-1")
    assert (first["userId"], first["createdBy"], first["note"]) == (ben.id, ana.id, "Söon 🚂")
    assert (first["date"], first["minutes"]) == ("2026-02-27", 90)
    assert first["imported"] == {
        "externalId": his["id"],
        "occurredAt": his["createdAt"],
        "author": ben.email,
    }
    assert (second["userId"], second["imported"]["externalId"]) == (ana.id, hers["id"])
    assert done(await ana.get("/task/COPY-1"), 200)["timeSpentMinutes"] == 95
    assert await exported(ana, copy) == [
        {**each, **({"key": "COPY-1"} if "key" in each else {})} for each in lines
    ]


async def test_time_of_somebody_who_is_no_member_is_nobodys(ana: Person) -> None:
    project = await ana.project()

    await imported(ana, project, in_lines(A, {**SPENT, "id": "w1", "author": "Jo Old"}))

    [entry] = await entries(ana, "ENG-1")
    assert (entry["userId"], entry["imported"]["author"]) == (None, "Jo Old")
    sums = done(await ana.get(f"/timesheet?{FEBRUARY}&groupBy=user"), 200)
    assert sums["groups"] == [{"userId": None, "minutes": 5, "entries": 1}]
    table = (await ana.get(f"/worklogs/export?{FEBRUARY}")).text
    assert "2026-02-27,5,,,ENG,ENG-1" in table
    path = f"/task/ENG-1/worklogs/{entry['id']}"
    done(await ana.patch(path, {"minutes": 6}), 200)


async def test_an_entry_that_cannot_be_is_refused_alone(
    app: Litestar, system: System, ana: Person
) -> None:
    ben, project = await member(app, system, ana), await ana.project()
    lines: list[Json] = [
        A,
        {**SPENT, "id": "w1"},
        {**SPENT, "id": "w2", "author": ben.email},
        {**SPENT, "id": "w3", "author": ana.email},
        {**SPENT, "id": "w4", "date": "1999-12-31"},
        {**SPENT, "id": "w5", "minutes": 0},
        {**SPENT, "id": "w6", "task": "b"},
        {**SPENT, "id": "w1"},
        {**SPENT, "id": "w7", "note": "a\0b"},
    ]

    would, _ = await rehearsed(ben, project, in_lines(*lines))
    _, last = await imported(ben, project, in_lines(*lines))

    codes = [each.get("code", each["outcome"]) for each in sorted(would, key=lambda e: e["line"])]
    assert codes == [
        *("created", "created", "created", "not_permitted", "day_out_of_range"),
        *("invalid_line", "unknown_task", "unchanged", "invalid_line"),
    ]
    assert (last["created"], last["unchanged"]) == (3, 1)
    assert [each["userId"] for each in await entries(ben, "ENG-1")] == [ben.id, ben.id]
