"""The inbox over HTTP: what it shows, what was read, what was put away."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar

from domain.base import OrgId, UserId
from domain.identity.organization.membership import Role
from domain.planning.inbox import SNOOZED_MAX, stream_of_inbox
from runtime.system import System
from tests.api.stage import MovableClock, Person, done, join, refused, sign_up, stored_events


@pytest.fixture
async def ben(app: Litestar, system: System, ana: Person) -> Person:
    person = await sign_up(app, organization=False)
    await join(system, person, ana.org_id, Role.MEMBER)
    return person


async def inbox(person: Person, query: str = "") -> Any:
    return done(await person.get(f"/inbox{query}"), 200)


def told(page: Any) -> list[tuple[str, str]]:
    return [(notice["kind"], notice["task"]["key"]) for notice in page["items"]]


async def test_an_inbox_shows_what_others_did_that_concerns_one(ana: Person, ben: Person) -> None:
    project = await ana.project()
    task = await ana.task(project, assignees=[ben.id])
    other = await ana.task(project)
    said = {"body": "Done?", "mentions": [ben.id]}
    done(await ana.post(f"/task/{other['id']}/comments", said), 201)
    done(await ana.post(f"/task/{task['id']}/comments", {"body": "Well?"}), 201)
    done(await ben.post(f"/task/{task['id']}/comments", {"body": "Soon."}), 201)
    done(await ana.patch(f"/task/{task['id']}", {"title": "Grease it"}), 200)

    page = await inbox(ben)

    assert told(page) == [
        ("changed", "ENG-1"),
        ("commented", "ENG-1"),
        ("mentioned", "ENG-2"),
        ("assigned", "ENG-1"),
    ]
    assert page["unread"] == 4
    newest = page["items"][0]
    assert newest | {"type": "task.retitled", "unread": True, "id": str(newest["seq"])} == newest
    assert newest["actor"] == {"type": "user", "id": ana.id}
    assert newest["task"] == {
        "id": task["id"],
        "key": "ENG-1",
        "title": "Grease it",
        "projectId": project["id"],
    }
    assert told(await inbox(ana)) == [("commented", "ENG-1")]


async def test_a_mention_that_an_edit_adds_is_told_once(ana: Person, ben: Person) -> None:
    task = await ana.task(await ana.project())
    said = done(await ana.post(f"/task/{task['id']}/comments", {"body": "Done?"}), 201)
    path = f"/task/{task['id']}/comments/{said['id']}"

    done(await ana.patch(path, {"body": "Done, Ben?", "mentions": [ben.id]}), 200)
    done(await ana.patch(path, {"body": "Done, dear Ben?"}), 200)

    page = await inbox(ben)
    assert told(page) == [("mentioned", "ENG-1"), ("commented", "ENG-1")]
    assert page["items"][0]["type"] == "comment.edited"


async def test_a_description_mentions_people_who_are_told_once(ana: Person, ben: Person) -> None:
    project = await ana.project()
    task = await ana.task(project, description="Ben, oil it", mentions=[ben.id])
    other = await ana.task(project)
    path = f"/task/{other['id']}"

    shown = done(await ana.patch(path, {"description": "Ask Ben", "mentions": [ben.id]}), 200)
    done(await ana.patch(path, {"description": "Ask Ben!", "mentions": [ben.id]}), 200)

    page = await inbox(ben)
    assert told(page) == [
        ("changed", "ENG-2"),
        ("mentioned", "ENG-2"),
        ("changed", "ENG-2"),
        ("mentioned", "ENG-1"),
    ]
    assert page["items"][1]["type"] == "task.mentioned"
    assert page["items"][3]["task"]["id"] == task["id"]
    assert (ben.id in shown["watchers"], shown["mentions"]) == (True, [ben.id])
    listed = done(await ana.get(f"/project/{project['id']}/tasks"), 200)["items"]
    assert [each["mentions"] for each in listed] == [[ben.id], [ben.id]]
    assert told(await inbox(ana)) == []


async def test_nobody_is_mentioned_who_does_not_see_the_task(ana: Person, ben: Person) -> None:
    task = await ana.task(await ana.project())
    done(await ana.patch("/project/ENG", {"visibility": "PRIVATE"}), 200)

    refused(
        await ana.patch(f"/task/{task['id']}", {"mentions": [ben.id]}), 409, "cannot_see_project"
    )

    assert told(await inbox(ben)) == []


async def test_an_inbox_goes_on_where_its_cursor_says(ana: Person, ben: Person) -> None:
    project = await ana.project()
    for _ in range(3):
        await ana.task(project, assignees=[ben.id])

    first = await inbox(ben, "?limit=2")
    rest = await inbox(ben, f"?limit=2&cursor={first['nextCursor']}")

    assert told(first) == [("assigned", "ENG-3"), ("assigned", "ENG-2")]
    assert told(rest) == [("assigned", "ENG-1")]
    assert (rest["nextCursor"], rest["unread"]) == (None, 3)
    refused(await ana.get(f"/inbox?cursor={first['nextCursor']}"), 400, "malformed_request")


async def test_what_was_read_is_recorded_at_most_once_a_minute(
    ana: Person, ben: Person, system: System, clock: MovableClock
) -> None:
    project = await ana.project()
    stream = str(stream_of_inbox(UserId(UUID(ben.id)), OrgId(UUID(ana.org_id))))
    for number in range(1, 4):
        await ana.task(project, assignees=[ben.id])
        [notice, *_] = (await inbox(ben, "?unread=true"))["items"]
        done(await ben.post("/inbox/read", {"upToSeq": notice["seq"]}), 204)

        page = await inbox(ben)
        assert (page["unread"], page["readUpTo"]) == (0, notice["seq"])
        assert [each["unread"] for each in page["items"]] == [False] * number
        assert (await inbox(ben, "?unread=true"))["items"] == []
        assert await stored_events(system, stream) == ["inbox.read"]

    clock.ahead += timedelta(minutes=1)
    await ana.task(project)  # of which nobody is told
    done(await ben.post("/inbox/read", {"upToSeq": page["readUpTo"] + 1}), 204)
    assert await stored_events(system, stream) == ["inbox.read", "inbox.read"]
    problem = refused(await ben.post("/inbox/read", {"upToSeq": 9_999}), 422, "invalid_request")
    assert problem["errors"][0]["path"] == "$.upToSeq"


async def test_what_is_put_away_stays_away(ana: Person, ben: Person, clock: MovableClock) -> None:
    project = await ana.project()
    soon = (clock() + timedelta(days=2)).date().isoformat()
    at = (clock() + timedelta(hours=2)).replace(microsecond=0).isoformat()
    far = (clock() + timedelta(days=99)).date().isoformat()
    for dates in ({"dueDate": soon}, {"dueAt": at}, {"dueDate": far}):
        await ana.task(project, assignees=[ben.id], **dates)
    page = await inbox(ben)
    assert told(page)[:2] == [("due_soon", "ENG-2"), ("due_soon", "ENG-1")]
    assert page["unread"] == 5

    for notice in page["items"]:
        done(await ben.post(f"/inbox/{notice['id']}/archive"), 204)

    assert await inbox(ben) | {"items": [], "unread": 0} == await inbox(ben)
    refused(await ben.post("/inbox/nothing/archive"), 404, "not_found")


async def test_an_inbox_shows_nothing_of_what_its_owner_no_longer_sees(
    ana: Person, ben: Person
) -> None:
    hidden, trashed = await ana.project(), await ana.project("OPS")
    await ana.task(hidden, assignees=[ben.id], dueDate="2031-05-16")
    task = await ana.task(trashed, assignees=[ben.id])
    assert len((await inbox(ben))["items"]) == 2

    done(await ana.patch("/project/ENG", {"visibility": "PRIVATE"}), 200)
    done(await ana.delete(f"/task/{task['id']}"), 204)

    assert await inbox(ben) | {"items": [], "unread": 0} == await inbox(ben)


async def test_nobody_else_reads_of_an_inbox(ana: Person, ben: Person) -> None:
    await ana.task(await ana.project(), assignees=[ben.id])
    done(await ben.post("/inbox/read", {"upToSeq": 1}), 204)
    done(await ben.post("/inbox/3/archive"), 204)

    audited = done(await ana.get("/audit?limit=100"), 200)["items"]

    assert not [event for event in audited if event["type"].startswith("inbox.")]
    named = {"url": "https://example.com/hook", "events": ["inbox.*"]}
    assert (await ana.post("/webhook", named)).status_code == 422


async def test_the_daily_mail_is_off_until_it_is_turned_on(ana: Person) -> None:
    assert not (await inbox(ana))["digest"]
    assert done(await ana.patch("/inbox", {"digest": False}), 200) == {"digest": False}
    for on in (True, True, False):
        assert done(await ana.patch("/inbox", {"digest": on}), 200) == {"digest": on}
        assert (await inbox(ana))["digest"] is on


async def test_whoever_wrote_a_comment_is_told_of_reactions(ana: Person, ben: Person) -> None:
    await ana.task(await ana.project())
    said = done(await ben.post("/task/ENG-1/comments", {"body": "Done."}), 201)
    reactions = f"/task/ENG-1/comments/{said['id']}/reactions"

    done(await ben.post(reactions, {"emoji": "🎉"}), 200)
    done(await ana.post(reactions, {"emoji": "👍"}), 200)

    assert told(await inbox(ben))[0] == ("reacted", "ENG-1")
    assert "reacted" not in dict(told(await inbox(ana)))


async def test_what_is_snoozed_comes_first_when_its_time_has_come(
    ana: Person, ben: Person, clock: MovableClock
) -> None:
    project = await ana.project()
    soon = (clock() + timedelta(days=2)).date().isoformat()
    await ana.task(project, assignees=[ben.id], dueDate=soon)
    await ana.task(project, assignees=[ben.id])
    before = await inbox(ben)
    due, newest, first = before["items"]
    assert done(await ben.post("/inbox/read", {"upToSeq": newest["seq"]}), 204) is None

    until = (clock() + timedelta(minutes=10)).isoformat().replace("+00:00", "Z")
    for notice in (due, first):
        done(await ben.post(f"/inbox/{notice['id']}/snooze", {"until": until}), 204)

    assert [each["id"] for each in (await inbox(ben))["items"]] == [newest["id"]]
    assert (await inbox(ben))["unread"] == 0
    asleep = (await inbox(ben, "?snoozed=true"))["items"]
    assert {each["id"] for each in asleep} == {due["id"], first["id"]}
    assert {each["snoozedUntil"] for each in asleep} == {until}

    clock.ahead += timedelta(minutes=10)
    back = await inbox(ben)
    assert [each["id"] for each in back["items"]] == [due["id"], first["id"], newest["id"]]
    assert [each["unread"] for each in back["items"]] == [True, True, False]
    assert back["unread"] == 2
    assert (await inbox(ben, "?snoozed=true"))["items"] == []

    done(await ben.post(f"/inbox/{first['id']}/archive"), 204)
    done(await ben.post(f"/inbox/{due['id']}/snooze", {"until": None}), 204)
    assert [each["id"] for each in (await inbox(ben))["items"]] == [due["id"], newest["id"]]
    done(await ben.post(f"/inbox/{first['id']}/snooze", {"until": None}), 204)
    assert [each["id"] for each in (await inbox(ben))["items"]][1:] == [newest["id"], first["id"]]


async def test_a_notice_is_snoozed_until_a_time_that_is_ahead(ana: Person, ben: Person) -> None:
    await ana.task(await ana.project(), assignees=[ben.id])
    [notice, *_] = (await inbox(ben))["items"]
    path = f"/inbox/{notice['id']}/snooze"

    refused(await ben.post(path, {"until": "2020-01-01T00:00:00Z"}), 422, "snooze_out_of_range")
    for wrong in ({}, {"until": "tomorrow"}, {"until": "2031-01-01T00:00:00"}):
        refused(await ben.post(path, wrong), 422, "invalid_request")
    refused(await ben.post("/inbox/nothing/snooze", {"until": None}), 404, "not_found")


async def test_what_is_snoozed_does_not_come_back_to_whoever_no_longer_sees_it(
    ana: Person, ben: Person, clock: MovableClock
) -> None:
    await ana.task(await ana.project(), assignees=[ben.id])
    [notice, *_] = (await inbox(ben))["items"]
    until = (clock() + timedelta(minutes=10)).isoformat()
    done(await ben.post(f"/inbox/{notice['id']}/snooze", {"until": until}), 204)

    done(await ana.patch("/project/ENG", {"visibility": "PRIVATE"}), 200)
    assert (await inbox(ben, "?snoozed=true"))["items"] == []
    clock.ahead += timedelta(minutes=10)

    assert await inbox(ben) | {"items": [], "unread": 0} == await inbox(ben)


async def test_only_so_many_notices_are_snoozed_at_once(ana: Person, clock: MovableClock) -> None:
    until = (clock() + timedelta(minutes=10)).isoformat()
    for seq in range(SNOOZED_MAX):
        done(await ana.post(f"/inbox/{seq}/snooze", {"until": until}), 204)

    refused(await ana.post("/inbox/99/snooze", {"until": until}), 409, "too_many_snoozed")
    done(await ana.post("/inbox/3/snooze", {"until": None}), 204)
    done(await ana.post("/inbox/99/snooze", {"until": until}), 204)
