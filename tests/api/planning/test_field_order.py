"""Lists of tasks over HTTP in the order of a custom field."""

from typing import Any

import pytest
from litestar import Litestar

from api.work.tasks import field_order
from domain.identity.organization.membership import Role
from projections.work.field_order import sorting
from runtime.system import System
from tests.api.exchange.streams import member
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


async def in_pages(ana: Person, path: str) -> list[str]:
    """Return the keys of a whole list, read two at a time."""
    found: list[str] = []
    page = await ana.get(f"{path}&limit=2")
    while True:
        found += [task["key"] for task in done(page, 200)["items"]]
        if "next" not in page.links:
            return found
        page = await ana.get(page.links["next"]["url"].removeprefix("/api"))


@pytest.mark.parametrize("more", ["", "&field=size:s,size:l", "&field=cost:2..8", "&priority=LOW"])
@pytest.mark.parametrize("sort", ["field:size", "-field:size", "field:cost", "-field:cost"])
async def test_more_tasks_than_can_be_sorted_come_in_the_same_order(
    ana: Person, sized: Any, monkeypatch: pytest.MonkeyPatch, sort: str, more: str
) -> None:
    cost = {"key": "cost", "name": "Cost", "type": "number"}
    done(await ana.post("/project/ENG/fields", cost), 201)
    for n, key in enumerate(("ENG-1", "ENG-2", "ENG-4")):
        done(await ana.patch(f"/task/{key}", {"fields": {"cost": 10 - 4 * n}}), 200)
    done(await ana.patch("/task/ENG-2", {"priority": "LOW"}), 200)
    done(await ana.delete(f"/task/{(await ana.task(sized, fields={'size': 's'}))['id']}"), 204)
    secret = {"key": "OWN", "name": "Own", "visibility": "PRIVATE"}
    await ana.task(done(await ana.post("/project", secret), 201))
    paths = [f"/task?sort={sort}{more}", f"/project/{sized['id']}/tasks?sort={sort}{more}"]

    in_memory = [await in_pages(ana, path) for path in paths]
    monkeypatch.setattr(sorting, "SORTED_MAX", 0)
    done(await ana.patch("/task/ENG-3", {"title": "No page is in memory"}), 200)

    assert [await in_pages(ana, path) for path in paths] == in_memory


async def test_many_tasks_follow_their_options_and_who_may_see_them(
    app: Litestar, system: System, ana: Person, sized: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ben = await member(app, system, ana, Role.MEMBER)
    monkeypatch.setattr(sorting, "SORTED_MAX", 1)
    path = "/task?sort=field:size"
    before = await in_pages(ben, path)

    turned = [*reversed(SIZES)]
    [field] = done(await ana.get("/project/ENG/fields"), 200)["items"]
    done(await ana.patch(f"/field/{field['id']}", {"options": turned}), 200)
    after = await in_pages(ben, path)
    done(await ana.patch(f"/project/{sized['id']}", {"visibility": "PRIVATE"}), 200)

    assert before == ["ENG-4", "ENG-1", "ENG-3", "ENG-2"]
    assert after == ["ENG-3", "ENG-1", "ENG-4", "ENG-2"]
    assert await in_pages(ben, path) == []
    assert await in_pages(ana, path) == after


async def test_an_order_is_refused_if_it_is_malformed_or_there_are_too_many_tasks(
    ana: Person, sized: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused(await ana.get("/task?sort=field:Not%20a%20key"), 422, "invalid_request")
    view = done(await ana.post("/view", {"name": "By size", "sort": "field:size"}), 201)
    path = f"/project/{sized['id']}/tasks?sort=field:size"
    first = await ana.get(f"{path}&limit=2")

    monkeypatch.setattr(sorting, "SORTED_MAX", 3)
    behind = first.links["next"]["url"].removeprefix("/api")
    refused(await ana.get(behind), 422, "too_many_to_sort")
    monkeypatch.setattr(field_order, "PROJECTS_MAX", 0)
    for each in ("/task?sort=field:size", path, f"/view/{view['id']}/tasks?"):
        refused(await ana.get(f"{each}&limit=3"), 422, "too_many_to_sort")
