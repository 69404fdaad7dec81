"""A search finds a task by each key that its project has or had."""

import pytest
from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.exchange.streams import member
from tests.api.exchange.test_search import keys, search
from tests.api.stage import Json, Person, done


@pytest.fixture
async def project(ana: Person) -> Json:
    """Return a project that was ENG, and then RUN, and now is ROCKET, with a task of each time."""
    project: Json = await ana.project()
    path = f"/project/{project['id']}"
    await ana.task(project, "Oil it")
    done(await ana.patch(path, {"key": "RUN"}), 200)
    await ana.task(project, "Run 7, oiled")
    done(await ana.patch(path, {"key": "ROCKET"}), 200)
    await ana.task(project, "Launch", description="ENG oil")
    await ana.task(await ana.project("OPS"), "Oil rocket 1")
    return project


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("rocket-1", ["OPS-1", "ROCKET-1"]),
        ("run-1", ["ROCKET-1"]),
        ("run-7", ["ROCKET-2"]),
        ("eng-1", ["ROCKET-1"]),
        ("eng-2", ["ROCKET-2"]),
        ("eng-3", ["ROCKET-3"]),
        ("ROCKET-3", ["ROCKET-3"]),
        ("rocket", ["OPS-1", "ROCKET-3", "ROCKET-2", "ROCKET-1"]),
        ("rock", ["OPS-1", "ROCKET-3", "ROCKET-2", "ROCKET-1"]),
        ("eng", ["ROCKET-3", "ROCKET-2", "ROCKET-1"]),
        ("run oil", ["ROCKET-3", "ROCKET-2", "ROCKET-1"]),
        ("eng run rocket oil", ["ROCKET-3", "ROCKET-2", "ROCKET-1"]),
        ("oil run", ["ROCKET-3", "ROCKET-1"]),
        ("ops-3", []),
        ("eng-4", []),
    ],
)
async def test_a_task_is_found_by_every_key_of_its_project(
    ana: Person, project: Json, query: str, found: list[str]
) -> None:
    listed = done(await ana.get("/task", params={"q": query}), 200)["items"]

    assert await keys(ana, query) == found
    assert [each["key"] for each in listed] == found
    pages: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await search(ana, query, limit=1, **cursor)
        pages += [hit["key"] for hit in page["items"]]
        if page["nextCursor"] is None:
            break
        cursor = {"cursor": page["nextCursor"]}
    assert pages == found


async def test_the_key_that_was_asked_for_is_highlighted(ana: Person, project: Json) -> None:
    [old] = (await search(ana, "eng-1"))["items"]
    _, new = (await search(ana, "rocket-1"))["items"]

    for hit, key in ((old, "ENG"), (new, "ROCKET")):
        [excerpt] = hit["excerpts"]
        parts = [(part["text"], part["found"]) for part in excerpt["parts"]]
        assert (excerpt["field"], parts) == ("key", [(key, True), ("-", False), ("1", True)])
        assert hit["key"] == "ROCKET-1"


async def test_old_keys_of_a_hidden_project_find_nothing(
    app: Litestar, system: System, ana: Person, project: Json
) -> None:
    ben = await member(app, system, ana, Role.MEMBER)
    seen = await keys(ben, "run-2")
    done(await ana.patch(f"/project/{project['id']}", {"visibility": "PRIVATE"}), 200)

    assert seen == ["ROCKET-2"]
    assert await keys(ben, "run-2") == []
    assert await keys(ben, "rocket") == ["OPS-1"]
