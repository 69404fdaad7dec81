"""Bulk over HTTP: all tasks or none, one correlation id, and an outcome for each in a dry run."""

from typing import Any
from uuid import uuid4

import pytest
from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.exchange.streams import member
from tests.api.stage import Person, done, refused


async def tasks_of(person: Person, count: int) -> list[str]:
    project = await person.project()
    return [(await person.task(project, f"Task {n}"))["id"] for n in range(count)]


async def events_of(person: Person, correlation_id: str) -> list[Any]:
    """Return the events of a bulk change, the oldest first."""
    page = done(await person.get("/audit?limit=100"), 200)["items"]
    return [e for e in reversed(page) if e["correlationId"] == correlation_id]


async def head_of(person: Person) -> int:
    return int(done(await person.get("/audit?limit=1"), 200)["items"][0]["seq"])


async def test_everything_is_set_on_every_task_in_one_append(
    app: Litestar, system: System, ana: Person
) -> None:
    ids = await tasks_of(ana, 3)
    ben = await member(app, system, ana, Role.MEMBER)
    label = done(await ana.post("/label", {"name": "Bug", "color": "#ff0000"}), 201)["id"]
    change = {
        "status": "IN_PROGRESS",
        "priority": "HIGH",
        "dueDate": "2027-01-31",
        "assignees": {"add": [ben.id]},
        "labels": {"add": [label]},
    }

    answer = done(await ana.post("/task/bulk", {"ids": ids, "set": change}), 200)
    again = done(await ana.post("/task/bulk", {"ids": ids, "set": change}), 200)

    assert (answer["changed"], answer["unchanged"]) == (3, 0)
    assert (again["changed"], again["unchanged"]) == (0, 3)
    for task_id in ids:
        task = done(await ana.get(f"/task/{task_id}"), 200)
        assert (task["status"], task["priority"], task["dueDate"]) == (
            *("IN_PROGRESS", "HIGH"),
            "2027-01-31",
        )
        assert (task["assignees"], task["labels"]) == ([ben.id], [label])
    events = await events_of(ana, answer["correlationId"])
    assert [e["type"] for e in events] == 3 * [
        *("task.labelled", "task.assigned", "task.priority_changed", "task.scheduled"),
        "task.status_changed",
    ]
    assert {e["command"] for e in events} == {"ChangeTasks"}
    assert [e["seq"] for e in events] == list(range(events[0]["seq"], events[0]["seq"] + 15))


async def test_one_refusal_refuses_all_and_says_which_and_why(ana: Person) -> None:
    ids = await tasks_of(ana, 3)
    done(await ana.post(f"/task/{ids[1]}/status", {"status": "CANCELLED"}), 200)
    await head_of(ana)  # which is recorded, once an hour
    nobody, before = str(uuid4()), await head_of(ana)

    body = {"ids": [*ids, nobody], "set": {"status": "IN_PROGRESS"}}
    problem = refused(await ana.post("/task/bulk", body), 409, "bulk_refused")
    would = done(await ana.post("/task/bulk?dry_run=true", body), 200)

    items = [
        {"id": ids[1], "outcome": "refused", "code": "transition_not_allowed"},
        {"id": nobody, "outcome": "refused", "code": "not_found"},
    ]
    assert (problem["items"], problem["refused"]) == (items, 2)
    assert would["items"] == [
        {"id": ids[0], "outcome": "changed"},
        items[0],
        {"id": ids[2], "outcome": "changed"},
        items[1],
    ]
    assert [e["stream"]["id"] for e in would["events"]] == [ids[0], ids[2]]
    assert await head_of(ana) == before


async def test_a_guard_sees_what_the_same_request_has_done_before(ana: Person) -> None:
    blocker, blocked = await tasks_of(ana, 2)
    related = {"kind": "blocks", "taskId": blocked}
    done(await ana.post(f"/task/{blocker}/relations", related), 201)
    start = {"ids": [blocker, blocked], "set": {"status": "IN_PROGRESS"}}
    done(await ana.post("/task/bulk", start), 200)
    finish = {"status": "DONE"}

    first = {"ids": [blocked, blocker], "set": finish}
    would = done(await ana.post("/task/bulk?dry_run=true", first), 200)
    problem = refused(await ana.post("/task/bulk", first), 409, "bulk_refused")
    second = {"ids": [blocker, blocked], "set": finish}
    would_now = done(await ana.post("/task/bulk?dry_run=true", second), 200)
    done(await ana.post("/task/bulk", second), 200)

    assert problem["items"] == [{"id": blocked, "outcome": "refused", "code": "open_blockers"}]
    assert would["items"][0] == problem["items"][0]
    assert [each["outcome"] for each in would_now["items"]] == ["changed", "changed"]
    assert done(await ana.get(f"/task/{blocked}"), 200)["status"] == "DONE"


async def test_tasks_are_deleted_together(ana: Person) -> None:
    ids = await tasks_of(ana, 3)

    done(await ana.post("/task/bulk", {"ids": ids, "set": {"delete": True}}), 200)

    for task_id in ids:
        refused(await ana.get(f"/task/{task_id}"), 404, "not_found")


async def test_tasks_move_with_their_subtasks_and_are_planned_there(ana: Person) -> None:
    ids = await tasks_of(ana, 2)
    source = done(await ana.get("/project/ENG"), 200)
    below = await ana.task(source, parentId=ids[0])
    target = done(await ana.post("/project", {"key": "OPS", "name": "Other"}), 201)
    dates = {"name": "One", "startsOn": "2027-01-01", "endsOn": "2027-01-14"}
    cycle = done(await ana.post("/project/OPS/cycles", dates), 201)["id"]
    beta = done(await ana.post("/project/OPS/milestones", {"name": "Beta"}), 201)["id"]
    size = {"key": "size", "name": "Size", "type": "number"}
    done(await ana.post("/project/OPS/fields", size), 201)
    plan = {"projectId": target["id"], "cycleId": cycle, "milestoneId": beta, "fields": {"size": 3}}

    would = done(await ana.post("/task/bulk?dry_run=true", {"ids": ids, "set": plan}), 200)
    answer = done(await ana.post("/task/bulk", {"ids": ids, "set": plan}), 200)
    again = done(await ana.post("/task/bulk", {"ids": ids, "set": plan}), 200)

    assert [each["outcome"] for each in would["items"]] == ["changed", "changed"]
    assert (answer["changed"], answer["unchanged"], again["unchanged"]) == (2, 0, 2)
    for task_id in ids:
        task = done(await ana.get(f"/task/{task_id}"), 200)
        assert (task["projectId"], task["fields"]) == (target["id"], {"size": 3})
        assert (task["cycleId"], task["milestoneId"]) == (cycle, beta)
    moved = done(await ana.get(f"/task/{below['id']}"), 200)
    assert (moved["projectId"], moved["parentId"]) == (target["id"], ids[0])
    assert (moved["cycleId"], moved["fields"]) == (None, {})


async def test_a_task_is_deleted_with_its_subtasks(ana: Person) -> None:
    project = await ana.project()
    top = await ana.task(project)
    below = await ana.task(project, parentId=top["id"])

    done(await ana.post("/task/bulk", {"ids": [top["id"]], "set": {"delete": True}}), 200)

    refused(await ana.get(f"/task/{below['id']}"), 404, "not_found")
    done(await ana.post(f"/task/{top['id']}/restore"), 200)
    done(await ana.get(f"/task/{below['id']}"), 200)


async def test_what_a_plan_and_a_role_allow_at_once_is_limited(
    app: Litestar, system: System, ana: Person
) -> None:
    ids, change = [str(uuid4()) for _ in range(101)], {"priority": "LOW"}
    ben = await member(app, system, ana, Role.MEMBER)

    small = refused(
        await ana.post("/task/bulk", {"ids": ids[:51], "set": change}), 402, "plan_limit"
    )
    done(await ana.patch(f"/org/{ana.org_id}/plan", {"plan": "PREMIUM"}), 200)
    body = {"ids": ids, "set": change}
    large = refused(await ben.post("/task/bulk", body), 403, "too_many_tasks")

    assert (small["what"], small["limit"], small["used"]) == ("bulk_tasks", 50, 51)
    assert large["limit"] == 100
    refused(await ana.post("/task/bulk", body), 409, "bulk_refused")


@pytest.mark.parametrize(
    "change",
    [{}, {"force": True, "delete": True}, {"delete": True, "priority": "LOW"}, {"delete": False}],
)
async def test_a_request_that_says_nothing_or_too_much_is_refused(
    ana: Person, change: dict[str, Any]
) -> None:
    body = {"ids": [str(uuid4())], "set": change}

    refused(await ana.post("/task/bulk", body), 422, "invalid_request")


async def test_ids_are_named_once_and_are_at_most_a_thousand(ana: Person) -> None:
    one = str(uuid4())
    for ids in ([], [one, one], [str(uuid4()) for _ in range(1_001)], ["ENG-1"]):
        body = {"ids": ids, "set": {"priority": "LOW"}}
        refused(await ana.post("/task/bulk", body), 422, "invalid_request")


async def test_a_retry_with_the_same_key_gets_the_same_answer(ana: Person) -> None:
    body = {"ids": await tasks_of(ana, 2), "set": {"priority": "LOW"}}
    key = {"idempotency-key": "bulk"}

    first = done(await ana.post("/task/bulk", body, headers=key), 200)
    again = await ana.post("/task/bulk", body, headers=key)

    assert done(again, 200) == first
    assert again.headers["idempotent-replayed"] == "true"
    assert len(await events_of(ana, first["correlationId"])) == 2


async def test_tasks_of_a_project_that_the_caller_does_not_see_are_not_there(
    app: Litestar, system: System, ana: Person
) -> None:
    ids = await tasks_of(ana, 1)
    done(await ana.patch("/project/ENG", {"visibility": "PRIVATE"}), 200)
    ben = await member(app, system, ana, Role.MANAGER)

    body = {"ids": ids, "set": {"delete": True}}
    problem = refused(await ben.post("/task/bulk", body), 409, "bulk_refused")

    assert problem["items"] == [{"id": ids[0], "outcome": "refused", "code": "not_found"}]
