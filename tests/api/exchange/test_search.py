"""The search over HTTP: what is found, by whom, and what is refused."""

from typing import Any

import pytest
from litestar import Litestar

from domain.identity.organization.membership import Role
from projections.engine.progress import Progress
from runtime.system import System
from tests.api.identity.test_erasure import erase, invited
from tests.api.stage import Person, done, join, refused, sign_up


async def search(person: Person, q: str, **more: Any) -> Any:
    """Return a page of what *person* finds."""
    return done(await person.get("/search", params={"q": q, **more}), 200)


async def keys(person: Person, q: str) -> list[str]:
    """Return the keys of the tasks that *person* finds, with a mark at those found by a comment."""
    found = (await search(person, q))["items"]
    return [f"{hit['key']}{'' if hit['commentId'] is None else '+'}" for hit in found]


async def say(person: Person, key: str, body: str) -> Any:
    return done(await person.post(f"/task/{key}/comments", {"body": body}), 201)


async def test_tasks_are_found_by_key_title_and_description_and_comments_by_their_text(
    ana: Person,
) -> None:
    project = await ana.project()
    await ana.task(project, "Oil the gears", description="Every Tuesday")
    await ana.task(project, "Paint it")
    await say(ana, "ENG-2", "Not with OIL paint")

    assert await keys(ana, "oil") == ["ENG-2+", "ENG-1"]
    assert await keys(ana, "oil tues") == ["ENG-1"]
    assert await keys(ana, "tues oil") == []  # only the last word may begin
    assert await keys(ana, "eng-2") == ["ENG-2"]
    assert await keys(ana, "eng") == ["ENG-2", "ENG-1"]
    assert await keys(ana, "rust") == []


async def test_a_hit_names_the_task_and_highlights_the_words(ana: Person) -> None:
    project = await ana.project()
    task = await ana.task(project, "Paint <b>it</b>")
    comment = await say(ana, "ENG-1", "Not with <i>Oil</i>")

    [said] = (await search(ana, "oil"))["items"]
    [titled] = (await search(ana, "paint"))["items"]

    named = {"taskId": task["id"], "projectId": project["id"], "key": "ENG-1"}
    assert said == named | {
        "commentId": comment["id"],
        "title": "Paint <b>it</b>",
        "excerpts": [
            {
                "field": "comment",
                "parts": [
                    {"text": "Not with <i>", "found": False},
                    {"text": "Oil", "found": True},
                    {"text": "</i>", "found": False},
                ],
            }
        ],
    }
    assert titled["commentId"] is None
    assert [one["field"] for one in titled["excerpts"]] == ["title"]


async def test_pages_follow_on_each_other_newest_first(ana: Person) -> None:
    project = await ana.project()
    for number in range(5):
        await ana.task(project, f"Oil gear {number}")
    found: list[str] = []
    cursor: dict[str, Any] = {}
    for _ in range(3):
        page = await search(ana, "oil", limit=2, **cursor)
        found += [hit["key"] for hit in page["items"]]
        cursor = {"cursor": page["nextCursor"]}

    assert found == ["ENG-5", "ENG-4", "ENG-3", "ENG-2", "ENG-1"]
    assert cursor == {"cursor": None}
    page = await search(ana, "oil", limit=2)
    other = await ana.get("/search", params={"q": "gear", "cursor": page["nextCursor"]})
    refused(other, 400, "malformed_request")


async def test_a_search_follows_every_change_of_a_text(ana: Person) -> None:
    project = await ana.project()
    await ana.project("HR")
    await ana.task(project, "Oil it", description="Daily")
    path = f"/task/ENG-1/comments/{(await say(ana, 'ENG-1', 'Rusty'))['id']}"

    done(await ana.patch("/task/ENG-1", {"title": "Paint it", "description": None}), 200)
    done(await ana.patch(path, {"body": "Shiny"}), 200)
    for gone in ("oil", "daily", "rusty"):
        assert await keys(ana, gone) == []
    assert await keys(ana, "paint") == ["ENG-1"]
    assert await keys(ana, "shiny") == ["ENG-1+"]

    hr = done(await ana.get("/project/HR"), 200)
    done(await ana.post("/task/ENG-1/move", {"projectId": hr["id"]}), 200)
    assert await keys(ana, "paint") == ["HR-1"]
    assert await keys(ana, "hr-1") == ["HR-1"]
    assert await keys(ana, "shiny") == ["HR-1+"]

    done(await ana.patch("/project/HR", {"key": "PPL"}), 200)
    assert await keys(ana, "shiny") == ["PPL-1+"]


async def test_nothing_in_the_trash_is_found(ana: Person) -> None:
    project = await ana.project()
    task = await ana.task(project, "Oil it")
    await ana.task(project, "Oil that")
    path = f"/task/ENG-1/comments/{(await say(ana, 'ENG-1', 'Oiled'))['id']}"
    await say(ana, "ENG-2", "Oiled")

    done(await ana.delete(path), 204)
    assert await keys(ana, "oil") == ["ENG-2+", "ENG-2", "ENG-1"]
    done(await ana.delete("/task/ENG-2"), 204)
    assert await keys(ana, "oil") == ["ENG-1"]
    done(await ana.post(f"{path}/restore"), 200)
    assert await keys(ana, "oil") == ["ENG-1+", "ENG-1"]
    done(await ana.delete(f"/project/{project['id']}"), 204)
    assert await keys(ana, "oil") == []
    assert task["key"] == "ENG-1"


async def test_what_a_deleted_task_hides_is_not_found(ana: Person) -> None:
    project = await ana.project()
    above = await ana.task(project, "Oil it")
    await ana.task(project, "Oil a part", parentId=above["id"])
    await say(ana, "ENG-2", "Oiled")

    done(await ana.delete("/task/ENG-1"), 204)
    assert await keys(ana, "oil") == []
    done(await ana.post("/task/ENG-1/restore"), 200)
    assert await keys(ana, "oil") == ["ENG-2+", "ENG-2", "ENG-1"]


async def test_texts_of_somebody_who_was_erased_belong_to_the_organization(
    app: Litestar, system: System, read_side: Progress, ana: Person
) -> None:
    ben = await invited(app, ana)
    await ben.task(await ana.project(), "Oil it")
    await say(ben, "ENG-1", "Oiled")

    await erase(system, read_side, ben)

    answer = await ana.get("/search", params={"q": "oil"})
    assert [hit["key"] for hit in done(answer, 200)["items"]] == ["ENG-1", "ENG-1"]
    assert ben.name not in answer.text
    assert (await keys(ana, ben.name)) == []


async def test_a_private_project_is_searched_by_those_who_see_it(
    app: Litestar, system: System, ana: Person
) -> None:
    ben = await sign_up(app, organization=False)
    await join(system, ben, ana.org_id, Role.MANAGER)
    shown = await ana.project()
    await ana.task(shown, "Oil it")
    body = {"key": "HID", "name": "Hidden", "visibility": "PRIVATE"}
    hidden = done(await ana.post("/project", body), 201)
    await ana.task(hidden, "Oil that")
    await say(ana, "HID-1", "Oiled")

    assert await keys(ana, "oil") == ["HID-1+", "HID-1", "ENG-1"]
    page = await search(ben, "oil", limit=1)
    assert [hit["key"] for hit in page["items"]] == ["ENG-1"]
    assert page["nextCursor"] is None
    for word in ("that", "oiled", "hid-1"):
        page = await search(ben, word, limit=1)
        assert page == {"items": [], "nextCursor": None}, "not even a page that is to follow"

    done(await ana.patch(f"/project/{hidden['id']}", {"visibility": "ORGANIZATION"}), 200)
    assert await keys(ben, "oil") == ["HID-1+", "HID-1", "ENG-1"]


async def test_another_organization_finds_nothing(app: Litestar, ana: Person) -> None:
    await ana.task(await ana.project(), "Oil it")
    stranger = await sign_up(app)

    assert await keys(stranger, "oil") == []


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"q": ""},
        {"q": "-?!"},
        {"q": "x" * 201},
        {"q": " ".join(f"w{n}" for n in range(11))},
        {"q": "oil", "limit": 101},
        {"q": "oil", "sort": "newest"},
    ],
)
async def test_a_search_that_is_not_one_is_refused(ana: Person, query: dict[str, Any]) -> None:
    refused(await ana.get("/search", params=query), 422, "invalid_request")


async def test_ten_words_are_the_most(ana: Person) -> None:
    words = " ".join(f"w{n}" for n in range(10))
    await ana.task(await ana.project(), words)

    assert await keys(ana, words) == ["ENG-1"]
