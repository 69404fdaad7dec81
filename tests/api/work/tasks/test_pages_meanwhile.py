"""A list that is read page by page while things are added has each that was there once."""

import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.api.stage import Person, done

Add = Callable[[Person, int], Awaitable[Any]]
NUMBERS = itertools.count(1)


async def _in_trash(ana: Person, n: int) -> None:
    label = done(await ana.post("/label", {"name": f"Gone {n}", "color": "#0969da"}), 201)
    done(await ana.delete(f"/label/{label['id']}"), 204)


def _posted(path: str, **body: Any) -> Add:
    """Return what posts *body* to *path*, with a number in each text."""

    async def add(ana: Person, n: int) -> None:
        told = {name: value.format(n=n) for name, value in body.items()}
        done(await ana.post(path, told), 201)

    return add


async def _subtask(ana: Person, n: int) -> None:
    above = done(await ana.get("/task/ENG-1"), 200)
    body = {"title": f"Part {n}", "parentId": above["id"]}
    done(await ana.post("/project/ENG/tasks", body), 201)


async def _file(ana: Person, n: int) -> None:
    await ana.file("ENG-1", b"%d" % n)


LISTS: dict[str, Add] = {
    "/label": _posted("/label", name="Label {n}", color="#0969da"),
    "/team": _posted("/team", name="Team {n}"),
    "/project": _posted("/project", key="P{n:03}", name="Project {n}"),
    "/view": _posted("/view", name="View {n}"),
    "/template": _posted("/template", name="Template {n}"),
    "/task": _posted("/project/ENG/tasks", title="Task {n}"),
    "/project/ENG/tasks": _posted("/project/ENG/tasks", title="Task {n}"),
    "/project/ENG/activity": _posted("/project/ENG/tasks", title="Task {n}"),
    "/project/ENG/milestones": _posted("/project/ENG/milestones", name="Milestone {n}"),
    "/task/ENG-1/subtasks": _subtask,
    "/task/ENG-1/comments": _posted("/task/ENG-1/comments", body="Comment {n}"),
    "/task/ENG-1/activity": _posted("/task/ENG-1/comments", body="Comment {n}"),
    "/task/ENG-1/attachments": _file,
    "/trash": _in_trash,
    "/audit": _posted("/label", name="Label {n}", color="#0969da"),
}


async def _page(ana: Person, path: str, limit: int, cursor: str | None) -> Any:
    asked = {"limit": limit} | ({} if cursor is None else {"cursor": cursor})
    return done(await ana.get(path, params=asked), 200)


@pytest.mark.parametrize("path", LISTS)
async def test_what_was_there_is_listed_once_while_more_is_added(ana: Person, path: str) -> None:
    add = LISTS[path]
    done(await ana.patch(f"/org/{ana.org_id}/plan", {"plan": "PREMIUM"}), 200)
    await ana.task(await ana.project())
    for _ in range(5):
        await add(ana, next(NUMBERS))
    before = [one["id"] for one in (await _page(ana, path, 100, None))["items"]]
    found: list[str] = []

    cursor = None
    for _ in range(len(before)):
        page = await _page(ana, path, 2, cursor)
        found += [one["id"] for one in page["items"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
        await add(ana, next(NUMBERS))

    assert len(before) >= 5
    assert [one for one in found if one in before] == before
    assert len(found) == len({*found})
