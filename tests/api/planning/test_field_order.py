"""Lists of tasks over HTTP in the order of a custom field."""

from typing import Any

import pytest

from projections.work import task_field_order
from tests.api.stage import Person, done, refused

SIZES = [
    {"key": "s", "name": "Small"},
    {"key": "m", "name": "Medium"},
    {"key": "l", "name": "Large"},
]


async def keys(ana: Person, path: str) -> list[str]:
    return [task["key"] for task in done(await ana.get(path), 200)["items"]]


@pytest.fixture
async def sized(ana: Person) -> Any:
    """Return a project whose tasks have sizes."""
    project = await ana.project()
    field = {"key": "size", "name": "Size", "type": "select", "options": SIZES}
    done(await ana.post("/project/ENG/fields", field), 201)
    for size in ("m", None, "l", "s"):
        await ana.task(project, fields={} if size is None else {"size": size})
    return project


async def test_a_list_is_sorted_by_a_custom_field(ana: Person, sized: Any) -> None:
    path = f"/project/{sized['id']}/tasks"

    first = await ana.get(f"{path}?sort=field:size&limit=3")

    assert [task["key"] for task in first.json()["items"]] == ["ENG-4", "ENG-1", "ENG-3"]
    assert await keys(ana, first.links["next"]["url"].removeprefix("/api")) == ["ENG-2"]
    assert await keys(ana, "/task?sort=-field:size") == ["ENG-2", "ENG-3", "ENG-1", "ENG-4"]
    assert await keys(ana, "/task?sort=field:size&field=size:s,size:l") == ["ENG-4", "ENG-3"]
    assert await keys(ana, "/task?sort=field:unknown") == ["ENG-1", "ENG-2", "ENG-3", "ENG-4"]


async def test_a_view_has_the_order_of_a_custom_field(ana: Person, sized: Any) -> None:
    view = done(await ana.post("/view", {"name": "By size", "sort": "field:size"}), 201)

    assert await keys(ana, f"/view/{view['id']}/tasks") == ["ENG-4", "ENG-1", "ENG-3", "ENG-2"]


async def test_an_order_is_refused_if_it_is_malformed_or_there_are_too_many_tasks(
    ana: Person, sized: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused(await ana.get("/task?sort=field:Not%20a%20key"), 422, "invalid_request")
    view = done(await ana.post("/view", {"name": "By size", "sort": "field:size"}), 201)

    monkeypatch.setattr(task_field_order, "SORTED_MAX", 3)
    for path in ("/task", f"/project/{sized['id']}/tasks"):
        refused(await ana.get(f"{path}?sort=field:size"), 422, "too_many_to_sort")
    refused(await ana.get(f"/view/{view['id']}/tasks"), 422, "too_many_to_sort")
