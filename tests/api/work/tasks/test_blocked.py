"""Lists of what is blocked agree with what each task says of itself, whatever is deleted."""

import pytest

from tests.api.stage import Json, Person, done

SORTS = ("newest", "-key", "rank", "field:size")


async def blocked_tasks(ana: Person) -> Json:
    """Create tasks of which some are blocked from one project, some from two, and some not."""
    here, there, beyond = [await ana.project(key) for key in ("ENG", "OPS", "HR")]
    for project in (there, beyond):
        await ana.task(project)
    for number in range(1, 9):
        task = await ana.task(here, f"Task {number}")
        for blocker in ["OPS-1"] * (number % 2) + ["HR-1"] * (number % 3 == 0):
            relation = {"kind": "blocks", "taskId": task["id"]}
            done(await ana.post(f"/task/{blocker}/relations", relation), 201)
    return dict(here)


async def listed(ana: Person, path: str, limit: int) -> list[Json]:
    """Return the items of all pages of a list, of which each links to the next."""
    items: list[Json] = []
    path = f"{path}&limit={limit}"
    for _ in range(20):
        response = await ana.get(path)
        items += done(response, 200)["items"]
        if "link" not in response.headers:
            return items
        path = response.headers["link"].removeprefix("</api").removesuffix('>; rel="next"')
    raise AssertionError("the pages do not end")


async def agree(ana: Person, project: Json, sort: str) -> dict[bool, list[str]]:
    """Check that lists find what says that it is blocked, and the others; return their keys."""
    found: dict[bool, list[str]] = {}
    for path in ("/task?project=ENG", f"/project/{project['id']}/tasks?"):
        everything = await listed(ana, f"{path}&sort={sort}", 100)
        for blocked in (True, False):
            expected = [task for task in everything if task["blocked"] is blocked]
            asked = f"{path}&sort={sort}&blocked={str(blocked).lower()}"
            for limit in (1, 3, 100):
                assert await listed(ana, asked, limit) == expected, (asked, limit)
            found[blocked] = sorted(task["key"] for task in expected)
    return found


@pytest.mark.parametrize("sort", SORTS)
async def test_what_only_deleted_projects_block_is_listed_as_not_blocked(
    ana: Person, sort: str
) -> None:
    project = await blocked_tasks(ana)
    every = {f"ENG-{number}" for number in range(1, 9)}
    by_ops, by_hr = {f"ENG-{n}" for n in (1, 3, 5, 7)}, {"ENG-3", "ENG-6"}

    for path, blocked in (
        ("", by_ops | by_hr),
        ("/project/OPS", by_hr),
        ("/project/HR", set[str]()),
    ):
        if path:
            done(await ana.delete(path), 204)
        found = await agree(ana, project, sort)
        assert found == {True: sorted(blocked), False: sorted(every - blocked)}
    done(await ana.post("/project/OPS/restore"), 200)
    found = await agree(ana, project, sort)
    assert found == {True: sorted(by_ops), False: sorted(every - by_ops)}


async def test_what_a_purged_project_blocked_is_listed_as_not_blocked(ana: Person) -> None:
    project = await blocked_tasks(ana)
    ops = done(await ana.get("/project/OPS"), 200)["id"]
    done(await ana.delete("/project/OPS"), 204)
    done(await ana.delete(f"/trash/project/{ops}"), 204)

    found = await agree(ana, project, "newest")

    assert found[True] == ["ENG-3", "ENG-6"]
