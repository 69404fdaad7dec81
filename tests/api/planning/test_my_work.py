"""My work over HTTP: the open tasks that concern the caller, in what they see."""

from typing import Any

from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.stage import Person, done, join, refused, sign_up


def keys(work: Any) -> dict[str, list[str]]:
    return {name: [task["key"] for task in part["items"]] for name, part in work.items()}


async def test_my_work_has_what_concerns_the_caller_and_is_open(
    app: Litestar, system: System, ana: Person
) -> None:
    ben = await sign_up(app, organization=False)
    await join(system, ben, ana.org_id, Role.MEMBER)
    eng, ops = await ana.project(), await ana.project("OPS")
    await ana.task(eng, assignees=[ben.id], dueDate="2031-05-16")
    await ana.task(ops, assignees=[ben.id], dueDate="2031-05-01")
    await ben.task(eng, status="IN_PROGRESS")
    finished = await ben.task(eng)
    done(await ben.post(f"/task/{finished['id']}/status?path=auto", {"status": "DONE"}), 200)
    kept = await ana.task(await ana.project("OLD"), assignees=[ben.id])
    done(await ana.post("/project/OLD/archive"), 200)

    mine = done(await ben.get("/my-work"), 200)

    assert keys(mine) == {
        "assigned": ["OPS-1", "ENG-1"],
        "created": ["ENG-2"],
        "watched": ["ENG-2", "OPS-1", "ENG-1"],
        "due": ["OPS-1", "ENG-1"],
    }
    assert kept["key"] not in str(mine)
    [task] = mine["created"]["items"]
    assert done(await ben.get(f"/task/{task['id']}"), 200) == task
    assert keys(done(await ana.get("/my-work"), 200))["created"] == ["OPS-1", "ENG-1"]


async def test_each_list_goes_on_where_its_cursor_says(ana: Person) -> None:
    project = await ana.project()
    for _ in range(3):
        await ana.task(project, assignees=[ana.id])

    first = done(await ana.get("/my-work?limit=2"), 200)
    cursor = first["assigned"]["nextCursor"]
    rest = done(await ana.get(f"/my-work/assigned?cursor={cursor}"), 200)

    assert keys(first)["assigned"] == ["ENG-3", "ENG-2"]
    assert [task["key"] for task in rest["items"]] == ["ENG-1"]
    assert rest["nextCursor"] is None
    assert first["due"]["nextCursor"] is None
    refused(await ana.get(f"/my-work/created?cursor={cursor}"), 400, "malformed_request")
    refused(await ana.get("/my-work/invented"), 404, "not_found")


async def test_my_work_has_nothing_of_a_project_that_became_private(
    app: Litestar, system: System, ana: Person
) -> None:
    ben = await sign_up(app, organization=False)
    await join(system, ben, ana.org_id, Role.MEMBER)
    project = await ana.project()
    await ben.task(project, assignees=[ben.id], dueDate="2031-05-16")
    assert [*map(len, keys(done(await ben.get("/my-work"), 200)).values())] == [1, 1, 1, 1]

    done(await ana.patch("/project/ENG", {"visibility": "PRIVATE"}), 200)

    assert [*map(len, keys(done(await ben.get("/my-work"), 200)).values())] == [0, 0, 0, 0]
    assert [*map(len, keys(done(await ana.get("/my-work"), 200)).values())] == [0, 0, 0, 0]
    for concern in ("assigned", "created", "watched", "due"):
        assert done(await ben.get(f"/my-work/{concern}"), 200)["items"] == []
