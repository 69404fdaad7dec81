"""Tasks that repeat over HTTP, and the worker that makes the next ones."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.stage import (
    MovableClock,
    Person,
    at_once,
    done,
    join,
    log_in,
    refused,
    sign_up,
    unique,
)
from workers.consequences.repeating import repeat_due_tasks

Json = dict[str, Any]
RULE = "/task/ENG-1/recurrence"
DAILY = {"rrule": "FREQ=DAILY"}


def day(clock: MovableClock, ahead: int = 0) -> str:
    return (clock().date() + timedelta(days=ahead)).isoformat()


async def next_day(clock: MovableClock, *people: Person, days: int = 1) -> None:
    """Let it be half past midnight some days later; people log in again."""
    later = clock().date() + timedelta(days=days)
    clock.ahead += datetime.combine(later, datetime.min.time(), UTC) - clock()
    clock.ahead += timedelta(minutes=30)
    for person in people:
        person.token = await log_in(person.client, person.email)


async def keys(system: System, person: Person) -> list[str]:
    """Let a worker do twice what is due, also of other tests; return the tasks that there are."""
    await repeat_due_tasks(system)
    await repeat_due_tasks(system)
    listed = done(await person.get("/project/ENG/tasks"), 200)["items"]
    return sorted(each["key"] for each in listed)


async def task(person: Person, key: str = "ENG-1") -> Json:
    shown: Json = done(await person.get(f"/task/{key}"), 200)
    return shown


async def test_a_task_repeats_until_it_is_told_to_stop(ana: Person, clock: MovableClock) -> None:
    await ana.task(await ana.project())

    shown = done(await ana.ask("PUT", RULE, json={"rrule": "freq=weekly;byday=mo,we"}), 200)

    repeats = shown["recurrence"]
    assert repeats["next"] > day(clock)
    assert date.fromisoformat(repeats["next"]).weekday() in (0, 2)
    assert repeats == {
        "rrule": "FREQ=WEEKLY;BYDAY=MO,WE",
        "after": "schedule",
        "number": 1,
        "next": repeats["next"],
        "nextAt": f"{repeats['next']}T00:00:00Z",
        "skipped": None,
    }
    assert await task(ana) == shown
    listed = done(await ana.get("/project/ENG/tasks"), 200)["items"]
    assert [each["recurrence"] for each in listed] == [repeats]
    assert done(await ana.delete(RULE), 200)["recurrence"] is None
    assert (await task(ana))["recurrence"] is None


async def test_the_next_task_is_made_on_its_day(
    system: System, ana: Person, clock: MovableClock
) -> None:
    dates = {"startDate": day(clock), "dueDate": day(clock, 2)}
    first = await ana.task(await ana.project(), priority="HIGH", assignees=[ana.id], **dates)
    done(await ana.ask("PUT", RULE, json=DAILY), 200)
    assert await keys(system, ana) == ["ENG-1"]

    await next_day(clock, ana)
    assert await keys(system, ana) == ["ENG-1", "ENG-2"]

    second = await task(ana, "ENG-2")
    assert (await task(ana))["recurrence"] is None
    kept = ("title", "priority", "assignees", "watchers", "createdBy", "projectId", "status")
    assert {name: second[name] for name in kept} == {name: first[name] for name in kept}
    assert (second["startDate"], second["dueDate"]) == (day(clock), day(clock, 2))
    assert second["recurrence"]["number"] == 2
    assert second["recurrence"]["next"] == day(clock, 1)
    [told, *_] = done(await ana.get("/task/ENG-1/activity"), 200)["items"]
    assert (told["type"], told["actor"]["type"]) == ("task.repeated", "system")
    assert told["data"] == {"taskId": second["id"], "date": day(clock)}
    [*_, made] = done(await ana.get("/task/ENG-2/activity"), 200)["items"]
    assert made["type"] == "task.created"
    assert made["causationId"] is not None


async def test_days_that_were_missed_are_one_task(
    system: System, ana: Person, clock: MovableClock
) -> None:
    await ana.task(await ana.project(), dueDate=day(clock))
    done(await ana.ask("PUT", RULE, json=DAILY), 200)

    await next_day(clock, ana, days=9)
    assert await keys(system, ana) == ["ENG-1", "ENG-2"]

    assert (await task(ana, "ENG-2"))["dueDate"] == day(clock)


async def test_after_completion_the_next_task_follows_at_once(
    system: System, ana: Person, clock: MovableClock
) -> None:
    await ana.task(await ana.project())
    body = {"rrule": "FREQ=DAILY;INTERVAL=3;COUNT=2", "after": "completion"}
    repeats = done(await ana.ask("PUT", RULE, json=body), 200)["recurrence"]
    assert (repeats["next"], repeats["nextAt"]) == (None, None)
    await next_day(clock, ana, days=30)
    assert await keys(system, ana) == ["ENG-1"]

    for status in ("IN_PROGRESS", "IN_REVIEW", "DONE"):
        done(await ana.post("/task/ENG-1/status", {"status": status}), 200)
    assert await keys(system, ana) == ["ENG-1", "ENG-2"]

    second = await task(ana, "ENG-2")
    assert (second["dueDate"], second["recurrence"]) == (day(clock, 3), None)


@pytest.mark.parametrize(
    ("action", "code"), [("hold", "project_on_hold"), ("archive", "project_archived")]
)
async def test_a_day_is_skipped_where_no_task_can_be_made(
    system: System, ana: Person, clock: MovableClock, action: str, code: str
) -> None:
    await ana.task(await ana.project())
    done(await ana.ask("PUT", RULE, json=DAILY), 200)
    done(await ana.post(f"/project/ENG/{action}"), 200)

    await next_day(clock, ana)
    assert await keys(system, ana) == ["ENG-1"]

    repeats = (await task(ana))["recurrence"]
    assert repeats["skipped"] == {"date": day(clock), "because": code}
    assert repeats["next"] == day(clock, 1)
    [told, *_] = done(await ana.get("/task/ENG-1/activity"), 200)["items"]
    assert (told["type"], told["data"]["because"]) == ("task.occurrence_skipped", code)
    back = {"hold": "resume", "archive": "unarchive"}[action]
    done(await ana.post(f"/project/ENG/{back}"), 200)
    await next_day(clock, ana)
    assert await keys(system, ana) == ["ENG-1", "ENG-2"]
    assert (await task(ana, "ENG-2"))["recurrence"]["skipped"] is None


async def test_an_undo_takes_the_rule_back_but_no_task_that_was_made(
    system: System, ana: Person, clock: MovableClock
) -> None:
    await ana.task(await ana.project())
    purpose = {"x-correlation-id": unique("weekly")}
    done(await ana.ask("PUT", RULE, json=DAILY, headers=purpose), 200)
    path = f"/undo/{purpose['x-correlation-id']}"

    undone = done(await ana.post(path), 200)
    assert undone["conflicts"] == []
    assert (await task(ana))["recurrence"] is None
    done(await ana.ask("PUT", RULE, json=DAILY, headers=purpose), 200)
    await next_day(clock, ana)
    assert await keys(system, ana) == ["ENG-1", "ENG-2"]

    assert (await ana.post(path)).status_code in (200, 409)
    assert (await task(ana, "ENG-2"))["recurrence"] is not None


class TestWhoMay:
    async def test_every_member_who_sees_the_project(
        self, app: Litestar, system: System, ana: Person, dan: Person
    ) -> None:
        await ana.project()
        await ana.task(await ana.project("OPS"))
        await ana.task({"id": "ENG"})
        for role in Role:
            person = await sign_up(app, organization=False)
            await join(system, person, ana.org_id, role)
            done(await person.ask("PUT", RULE, json=DAILY), 200)
            done(await person.delete(RULE), 200)
        refused(await dan.ask("PUT", RULE, json=DAILY), 404, "not_found")
        refused(await dan.delete(RULE), 404, "not_found")

    async def test_a_private_project_is_hidden(
        self, app: Litestar, system: System, ana: Person
    ) -> None:
        await ana.task(await ana.project())
        done(await ana.patch("/project/ENG", {"visibility": "PRIVATE"}), 200)
        for role, status in ((Role.MEMBER, 404), (Role.MANAGER, 404), (Role.ADMIN, 200)):
            person = await sign_up(app, organization=False)
            await join(system, person, ana.org_id, role)
            assert (await person.ask("PUT", RULE, json=DAILY)).status_code == status
            assert (await person.delete(RULE)).status_code == status


class TestRefusals:
    @pytest.mark.parametrize(
        ("rrule", "code"),
        [
            ("every monday", "recurrence_not_valid"),
            ("FREQ=SECONDLY", "recurrence_not_valid"),
            ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never_repeats"),
            ("FREQ=DAILY;UNTIL=20200101", "never_repeats"),
        ],
    )
    async def test_rules_that_are_none_or_never_come(
        self, ana: Person, rrule: str, code: str
    ) -> None:
        await ana.task(await ana.project())
        refused(await ana.ask("PUT", RULE, json={"rrule": rrule}), 422, code)

    @pytest.mark.parametrize(
        "body",
        [{}, {"rrule": ""}, {"rrule": "x" * 201}, {**DAILY, "after": "x"}, {**DAILY, "x": 1}],
    )
    async def test_bodies(self, ana: Person, body: Json) -> None:
        await ana.task(await ana.project())
        refused(await ana.ask("PUT", RULE, json=body), 422, "invalid_request")

    async def test_an_archived_project(self, ana: Person) -> None:
        await ana.task(await ana.project())
        done(await ana.post("/project/ENG/archive"), 200)
        refused(await ana.ask("PUT", RULE, json=DAILY), 409, "project_archived")
        refused(await ana.delete(RULE), 409, "project_archived")

    async def test_a_rule_that_somebody_else_changed(self, ana: Person) -> None:
        made = await ana.task(await ana.project())
        match = {"if-match": f'"{made["version"]}"'}
        done(await ana.ask("PUT", RULE, json=DAILY), 200)
        weekly = {"rrule": "FREQ=WEEKLY"}
        refused(await ana.ask("PUT", RULE, json=weekly, headers=match), 412, "changed_since")
        done(await ana.patch("/task/ENG-1", {"title": "Grease it"}, headers=match), 200)


async def test_workers_at_once_and_a_change_make_no_task_twice(
    system: System, ana: Person, clock: MovableClock
) -> None:
    await ana.task(await ana.project())
    done(await ana.ask("PUT", RULE, json=DAILY), 200)
    await next_day(clock, ana)

    worked = await at_once(
        *(repeat_due_tasks(system) for _ in range(4)),
        ana.patch("/task/ENG-1", {"title": "Grease it"}),
    )

    assert done(worked[4], 200)["title"] == "Grease it"
    assert await keys(system, ana) == ["ENG-1", "ENG-2"]
