"""What filters of lists of tasks refuse, and what they say."""

import pytest

from api.work.tasks.filter_values import FIELD_AND_VALUE
from tests.api.stage import Person, done, refused


@pytest.mark.parametrize(
    "query",
    [
        "sort=title",
        "sort=--due",
        "status=todo",
        "status=TODO,",
        "group=LATER",
        "priority=HIGH,LOWEST",
        "priority=!LOWEST",
        "status=!TODO,DONE",
        "status=!!TODO",
        "label=!me",
        "label=me",
        "creator=none",
        "assignee=Ana",
        "cycle=next",
        "milestone=Beta",
        "label=1,2",
        "due=2026-01-01",
        "due=..",
        "due=2026-13-01..",
        "due=0001-01-01..",
        "due=2026-02-02..2026-02-01",
        "created=2026-02-02..2026-02-01",
        "updated=2026-02-02T08:00:00Z..2026-02-02T07:59:59Z",
        "completed=2026-02-02T08:00:00Z..2026-02-01",
        "overdue=false",
        "blocked=maybe",
        "parent="
        + ",".join(["01a2b3c4-0000-7000-8000-000000000000"[:-2] + f"{n:02}" for n in range(51)]),
    ],
)
async def test_a_filter_that_cannot_be_meant_is_refused(ana: Person, query: str) -> None:
    project = await ana.project()

    for path in ("/task", f"/project/{project['id']}/tasks"):
        problem = refused(await ana.get(f"{path}?{query}"), 422, "invalid_request")
        assert [error["path"] for error in problem["errors"]] == [query.partition("=")[0]]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("assignee=Ana", "'Ana' is not an id, `me` or `none`"),
        ("due=2026-02-02..2026-02-01", "Expected a range that ends no earlier than it begins"),
        ("created=2026-02-02..2026-02-01", "Expected a range that ends no earlier than it begins"),
        ("watcher=none", "'none' is not an id or `me`"),
        ("cycle=next", "'next' is not an id, `current` or `none`"),
        ("cycle=none,current", "Use `none` alone, without other values"),
        ("label=none,x", "Use `none` alone, without other values"),
        ("milestone=x", "'x' is not an id or `none`"),
        ("status=todo", "'todo' is not the key of a status, such as IN_PROGRESS"),
        ("status=TODO,!DONE", "Put `!` before each value, to leave all of them out"),
        ("group=DONE,!TODO", "Put `!` before each value, to leave all of them out"),
        ("status=!todo", "'todo' is not the key of a status, such as IN_PROGRESS"),
        ("priority=!LOW,!MEDIUM,!HIGH,!URGENT", "All values are left out: leave one of them"),
        ("priority=TOP", "'TOP' is not one of LOW, MEDIUM, HIGH, URGENT"),
        ("field=size", f"'size' is not {FIELD_AND_VALUE.what}"),
        ("field=size:a, b", f"' b' is not {FIELD_AND_VALUE.what}"),
        ("field=size:" + "x" * 10_000, f"'size:{'x' * 45}' is not {FIELD_AND_VALUE.what}"),
    ],
)
async def test_the_refusal_of_a_filter_says_what_it_takes(
    ana: Person, query: str, message: str
) -> None:
    problem = refused(await ana.get(f"/task?{query}"), 422, "invalid_request")
    assert [error["message"] for error in problem["errors"]] == [message]


async def test_a_filter_takes_fifty_values(ana: Person) -> None:
    values = ",".join([f"01a2b3c4-0000-7000-8000-{number:012}" for number in range(50)])

    assert done(await ana.get(f"/task?creator={values}"), 200)["items"] == []


@pytest.mark.parametrize(
    "query",
    [
        "due=2026-02-02..2026-02-02",
        "created=2026-02-02..2026-02-02",
        "updated=2026-02-02T08:00:00Z..2026-02-02T08:00:00Z",
    ],
)
async def test_a_range_may_end_when_it_begins(ana: Person, query: str) -> None:
    await ana.project()

    assert done(await ana.get(f"/task?{query}"), 200)["items"] == []


async def test_a_saved_view_has_no_range_that_ends_before_it_begins(ana: Person) -> None:
    for name in ("due", "created"):
        view = {"name": "Late", "filter": {name: "2026-02-02..2026-02-01"}}
        problem = refused(await ana.post("/view", view), 422, "invalid_request")
        assert [error["path"] for error in problem["errors"]] == [f"$.filter.{name}"]
