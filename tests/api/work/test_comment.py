"""Comments over HTTP: threads, edits that can be read, the trash."""

from typing import Any
from urllib.parse import quote

import pytest
from litestar import Litestar

from domain.identity.organization.membership import Role
from domain.work.reaction import EMOJI_MAX
from runtime.system import System
from tests.api.stage import Person, done, join, refused, sign_up


@pytest.fixture
async def task(ana: Person) -> Any:
    return await ana.task(await ana.project())


@pytest.fixture
async def ben(app: Litestar, system: System, ana: Person) -> Person:
    person = await sign_up(app, organization=False)
    await join(system, person, ana.org_id, Role.MEMBER)
    return person


async def say(person: Person, body: str = "Done?", **about: Any) -> Any:
    return done(await person.post("/task/ENG-1/comments", {"body": body, **about}), 201)


async def bodies(person: Person, query: str = "") -> list[str]:
    page = done(await person.get(f"/task/ENG-1/comments{query}"), 200)
    return [each["body"] for each in page["items"]]


@pytest.mark.usefixtures("task")
class TestComments:
    async def test_a_comment_is_shown_where_its_location_says(self, ana: Person, task: Any) -> None:
        response = await ana.post("/task/ENG-1/comments", {"body": "Done?", "mentions": [ana.id]})

        comment = done(response, 201)
        where = response.headers["location"]
        assert where == f"/api/task/{task['id']}/comments/{comment['id']}"
        found = await ana.get(where.removeprefix("/api"))
        assert done(found, 200) == comment
        assert found.headers["etag"] == '"1"'
        assert (comment["taskId"], comment["mentions"]) == (task["id"], [ana.id])
        assert (comment["createdBy"], comment["edits"]) == (ana.id, 0)

    async def test_comments_are_listed_oldest_first_and_by_thread(self, ana: Person) -> None:
        first = await say(ana, "One")
        await say(ana, "Two")
        await say(ana, "Three", parentId=first["id"])

        page = done(await ana.get("/task/ENG-1/comments?limit=2"), 200)
        rest = f"?limit=2&cursor={page['nextCursor']}"

        assert [each["body"] for each in page["items"]] == ["One", "Two"]
        assert await bodies(ana, rest) == ["Three"]
        assert await bodies(ana, f"?parentId={first['id']}") == ["Three"]

    async def test_an_answer_to_an_answer_is_told_where_the_thread_began(self, ana: Person) -> None:
        first = await say(ana)
        answer = await say(ana, "Yes", parentId=first["id"])

        third = {"body": "Sure?", "parentId": answer["id"]}
        problem = refused(await ana.post("/task/ENG-1/comments", third), 409, "thread_too_deep")

        assert problem["parentId"] == first["id"]

    async def test_every_text_of_an_edited_comment_can_be_read(self, ana: Person) -> None:
        path = f"/task/ENG-1/comments/{(await say(ana, 'One'))['id']}"
        for body in ("Two", "Three"):
            done(await ana.patch(path, {"body": body}), 200)

        first = done(await ana.get(f"{path}/edits?limit=2"), 200)
        rest = done(await ana.get(f"{path}/edits?cursor={first['nextCursor']}"), 200)

        texts = [(e["version"], e["body"]) for e in first["items"] + rest["items"]]
        assert texts == [(1, "One"), (2, "Two"), (3, "Three")]
        assert done(await ana.get(path), 200)["edits"] == 2

    async def test_edits_end_where_the_trash_begins(self, ana: Person) -> None:
        path = f"/task/ENG-1/comments/{(await say(ana, 'One'))['id']}"
        done(await ana.delete(path), 204)
        done(await ana.post(f"{path}/restore"), 200)

        page = done(await ana.get(f"{path}/edits?limit=1"), 200)
        rest = done(await ana.get(f"{path}/edits?limit=1&cursor={page['nextCursor']}"), 200)

        assert [each["body"] for each in page["items"]] == ["One"]
        assert rest["items"] == []

    async def test_if_match_is_about_the_comment(self, ana: Person) -> None:
        path = f"/task/ENG-1/comments/{(await say(ana, 'One'))['id']}"
        done(await ana.patch(path, {"body": "Two"}), 200)

        late = await ana.patch(path, {"body": "Three"}, headers={"if-match": '"1"'})

        refused(late, 412, "changed_since")

    async def test_reactions_are_shown_by_emoji_with_who_gave_them(
        self, ana: Person, ben: Person
    ) -> None:
        path = f"/task/ENG-1/comments/{(await say(ana))['id']}"
        for person, emoji in ((ben, "❤️"), (ana, "👍🏽"), (ana, "❤"), (ana, "❤️")):
            shown = done(await person.post(f"{path}/reactions", {"emoji": emoji}), 200)

        assert shown["reactions"] == [
            {"emoji": "❤️", "users": [ben.id, ana.id]},
            {"emoji": "👍🏽", "users": [ana.id]},
        ]
        assert done(await ben.get(path), 200) == shown
        [listed] = done(await ben.get("/task/ENG-1/comments"), 200)["items"]
        assert listed == shown

        done(await ben.delete(f"{path}/reactions/{quote('❤')}"), 200)
        done(await ben.delete(f"{path}/reactions/{quote('👍🏽')}"), 200)  # which is ana's
        left = done(await ana.delete(f"{path}/reactions/{quote('❤️')}"), 200)
        assert left["reactions"] == [{"emoji": "👍🏽", "users": [ana.id]}]

    @pytest.mark.parametrize("emoji", ["", "ok", "👍👍", "👍 ", "👍\n", "<b>", ":tada:", "é"])
    async def test_a_reaction_is_one_emoji(self, ana: Person, emoji: str) -> None:
        path = f"/task/ENG-1/comments/{(await say(ana))['id']}/reactions"

        problem = refused(await ana.post(path, {"emoji": emoji}), 422, "invalid_request")

        assert problem["errors"][0]["path"] == "$.emoji"

    async def test_a_comment_has_twenty_emoji_at_most(self, ana: Person, ben: Person) -> None:
        path = f"/task/ENG-1/comments/{(await say(ana))['id']}/reactions"
        for emoji in range(0x1F400, 0x1F400 + EMOJI_MAX):
            done(await ana.post(path, {"emoji": chr(emoji)}), 200)

        refused(await ben.post(path, {"emoji": "👍"}), 409, "too_many_reactions")
        done(await ben.post(path, {"emoji": chr(0x1F400)}), 200)

    async def test_nobody_reacts_in_an_archived_project(self, ana: Person) -> None:
        path = f"/task/ENG-1/comments/{(await say(ana))['id']}/reactions"
        done(await ana.post("/project/ENG/archive"), 200)

        refused(await ana.post(path, {"emoji": "👍"}), 409, "project_archived")
        refused(await ana.delete(f"{path}/{quote('👍')}"), 409, "project_archived")

    async def test_a_reaction_changes_nothing_that_an_edit_needs(
        self, ana: Person, ben: Person
    ) -> None:
        path = f"/task/ENG-1/comments/{(await say(ana))['id']}"
        done(await ben.post(f"{path}/reactions", {"emoji": "👍"}), 200)

        edited = await ana.patch(path, {"body": "Well?"}, headers={"if-match": '"1"'})

        assert done(edited, 200)["reactions"] == [{"emoji": "👍", "users": [ben.id]}]

    async def test_a_deleted_comment_is_nowhere_until_it_is_restored(self, ana: Person) -> None:
        comment = await say(ana)
        path = f"/task/ENG-1/comments/{comment['id']}"
        done(await ana.delete(path), 204)

        for gone in ("", "/edits"):
            refused(await ana.get(path + gone), 404, "not_found")
        refused(await ana.patch(path, {"body": "Well?"}), 404, "not_found")
        assert await bodies(ana) == []

        restored = done(await ana.post(f"{path}/restore"), 200)
        changing = ("version", "updatedAt")
        assert {n: v for n, v in restored.items() if n not in changing} == {
            n: v for n, v in comment.items() if n not in changing
        }
        assert await bodies(ana) == ["Done?"]

    async def test_strangers_find_no_comment(self, ana: Person, dan: Person) -> None:
        comment = await say(ana)
        await dan.task(await dan.project())
        path = f"/task/ENG-1/comments/{comment['id']}"

        for refusal in (
            await dan.get(path),
            await dan.get(f"{path}/edits"),
            await dan.patch(path, {"body": "Mine"}),
            await dan.delete(path),
            await dan.post(f"{path}/reactions", {"emoji": "👍"}),
            await dan.delete(f"{path}/reactions/{quote('👍')}"),
            await dan.post("/task/ENG-1/comments", {"body": "Yes", "parentId": comment["id"]}),
            await dan.post("/task/ENG-1/comments", {"body": "Yes", "mentions": [ana.id]}),
        ):
            refused(refusal, 404, "not_found")

    async def test_a_member_changes_only_their_own_comments(
        self, app: Litestar, system: System, ana: Person
    ) -> None:
        ben = await sign_up(app)
        await join(system, ben, ana.org_id, Role.MEMBER)
        path = f"/task/ENG-1/comments/{(await say(ana))['id']}"

        refused(await ben.patch(path, {"body": "Mine"}), 403, "comment_of_another")
        refused(await ben.delete(path), 403, "not_permitted")
        own = f"/task/ENG-1/comments/{(await say(ben))['id']}"
        done(await ben.patch(own, {"body": "Mine"}), 200)
        done(await ana.delete(own), 204)
        refused(await ben.post(f"{own}/restore"), 403, "not_permitted")
        await ben.client.aclose()

    async def test_a_blank_comment_is_refused(self, ana: Person) -> None:
        for body in ("", " \n "):
            response = await ana.post("/task/ENG-1/comments", {"body": body})
            refused(response, 422, "invalid_request")

    async def test_no_comment_is_made_in_an_archived_project(self, ana: Person, task: Any) -> None:
        done(await ana.post(f"/project/{task['projectId']}/archive"), 200)

        response = await ana.post("/task/ENG-1/comments", {"body": "Done?"})

        refused(response, 409, "project_archived")
        assert await bodies(ana) == []
