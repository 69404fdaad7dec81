"""Lists of tasks that have words, beside every other filter and in every order."""

from typing import Any

import pytest

from projections.exchange import tasks_found
from projections.work.task_query import TaskSort
from tests.api.stage import Person, done, refused

SORTS = [f"{sign}{sort.value}" for sort in TaskSort for sign in ("", "-")]


async def workshop(ana: Person) -> dict[str, Any]:
    """Create tasks in two projects whose titles and descriptions share words."""
    eng, ops = await ana.project(), await ana.project("OPS")
    for number in range(6):
        project = (eng, ops)[number % 2]
        said = {"description": "Before winter"} if number in (1, 4) else {}
        assignees = [ana.id] if number < 3 else []
        title = f"Oil the engine {number}" if number else "Paint the gate"
        await ana.task(project, title, assignees=assignees, **said)
    done(await ana.post("/task/ENG-2/comments", {"body": "The gate is painted"}), 201)
    return dict(eng)


async def keys(ana: Person, query: str, path: str = "/task", limit: int = 2) -> list[str]:
    """Return the keys of a list, read in pages."""
    found: list[str] = []
    cursor = ""
    for _ in range(20):
        page = done(await ana.get(f"{path}?{query}&limit={limit}{cursor}"), 200)
        found += [task["key"] for task in page["items"]]
        if page["nextCursor"] is None:
            return found
        cursor = f"&cursor={page['nextCursor']}"
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=gate", ["ENG-1"]),  # a comment is no task
        ("q=GATE paint", ["ENG-1"]),
        ("q=eng", ["ENG-1", "ENG-2", "ENG-3", "OPS-1", "OPS-2", "OPS-3"]),  # a key, or a beginning
        ("q=engine oil", ["ENG-2", "ENG-3", "OPS-1", "OPS-2", "OPS-3"]),
        ("q=engin", ["ENG-2", "ENG-3", "OPS-1", "OPS-2", "OPS-3"]),
        ("q=engines", []),
        ("q=winter", ["ENG-3", "OPS-1"]),
        ("q=oil&assignee={ana}", ["ENG-2", "OPS-1"]),
        ("q=oil&assignee={ana},{other}&blocked=false", ["ENG-2", "OPS-1"]),
        ("q=oil&project=OPS&status=TODO", ["OPS-1", "OPS-2", "OPS-3"]),
        ("q=oil&due=2026-01-01..", []),
        ("q=missing", []),
    ],
)
async def test_a_list_has_the_tasks_with_all_words_that_also_fit_its_filters(
    ana: Person, query: str, expected: list[str]
) -> None:
    project = await workshop(ana)
    query = query.format(ana=ana.id, other=project["id"])
    everything = done(await ana.get("/task?limit=100"), 200)["items"]
    assert len(everything) == 6

    assert sorted(await keys(ana, query)) == expected
    if "project=" not in query:
        found = await keys(ana, query, f"/project/{project['id']}/tasks")
        assert sorted(found) == [key for key in expected if key.startswith("ENG")]


@pytest.mark.parametrize("sort", [*SORTS, "field:size", "-field:size"])
async def test_words_leave_the_order_as_it_is(ana: Person, sort: str) -> None:
    await workshop(ana)
    oiled = {"ENG-2", "ENG-3", "OPS-1", "OPS-2", "OPS-3"}
    expected = [key for key in await keys(ana, f"sort={sort}", limit=100) if key in oiled]

    for limit in (1, 2, 100):
        assert await keys(ana, f"q=oil&sort={sort}", limit=limit) == expected


async def test_the_trash_is_searched_as_well(ana: Person) -> None:
    await workshop(ana)
    for key in ("ENG-2", "OPS-1", "ENG-1"):
        done(await ana.delete(f"/task/{key}"), 204)

    assert sorted(await keys(ana, "q=oil")) == ["ENG-3", "OPS-2", "OPS-3"]
    assert sorted(await keys(ana, "q=oil&deleted=true", limit=1)) == ["ENG-2", "OPS-1"]
    assert await keys(ana, "q=winter&deleted=true") == ["OPS-1"]


@pytest.mark.parametrize("sort", SORTS)
async def test_words_that_many_tasks_have_are_found_by_looking_at_the_list(
    ana: Person, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    project = await workshop(ana)
    expected = await keys(ana, f"q=oil&sort={sort}")
    monkeypatch.setattr(tasks_found, "AMONG_MAX", 4)

    for limit in (1, 2, 100):
        assert await keys(ana, f"q=oil&sort={sort}", limit=limit) == expected
    here = [key for key in expected if key.startswith("ENG")]
    assert await keys(ana, f"q=oil&sort={sort}", f"/project/{project['id']}/tasks") == here
    assert len(expected) == 5


@pytest.mark.parametrize("query", ["q=", "q=!?", "q=a b c d e f g h i j k", f"q={'x' * 201}"])
async def test_what_is_no_search_is_refused(ana: Person, query: str) -> None:
    project = await ana.project()

    for path in ("/task", f"/project/{project['id']}/tasks"):
        refused(await ana.get(f"{path}?{query}"), 422, "invalid_request")
