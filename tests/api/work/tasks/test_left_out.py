"""Filters that leave some values out find all other tasks, in lists, views and on boards."""

from tests.api.stage import Person, done, refused

STATUSES = ("TODO", "IN_PROGRESS", "DONE")


async def filled(ana: Person) -> None:
    """Create a task of each priority in each of some statuses."""
    project = await ana.project()
    for status in STATUSES:
        for priority in ("LOW", "MEDIUM", "HIGH", "URGENT"):
            await ana.task(project, status=status, priority=priority)


async def test_a_status_that_is_left_out_is_so_by_all_keys_that_lead_to_it(ana: Person) -> None:
    await filled(ana)
    done(await ana.patch(f"/org/{ana.org_id}/plan", {"plan": "BASIC"}), 200)
    ours = {
        "statuses": [
            {"key": key, "name": key.lower(), "group": group}
            for key, group in (("READY", "TODO"), ("IN_PROGRESS", "IN_PROGRESS"), ("DONE", "DONE"))
        ],
        "transitions": [
            {"from": "READY", "to": "IN_PROGRESS"},
            {"from": "IN_PROGRESS", "to": "DONE"},
        ],
        "moved": {"TODO": "READY"},
    }
    done(await ana.ask("PUT", "/project/ENG/workflow", json=ours), 200)

    found = done(await ana.get("/project/ENG/tasks?status=!READY"), 200)["items"]

    assert [task["number"] for task in found] == [*range(12, 4, -1)]
    refused(await ana.get("/project/ENG/tasks?status=!TODO"), 422, "unknown_status")


async def test_views_and_boards_leave_out_what_lists_do(ana: Person) -> None:
    await filled(ana)
    asked = {"group": ["!DONE"], "priority": ["!LOW", "!HIGH"]}
    listed = done(await ana.get("/task?group=!DONE&priority=!LOW,!HIGH"), 200)["items"]

    view = done(await ana.post("/view", {"name": "Left", "filter": asked}), 201)
    shown = done(await ana.get(f"/view/{view['id']}/tasks"), 200)["items"]
    board = done(await ana.get("/project/ENG/board?priority=!LOW,!HIGH"), 200)["columns"]

    assert view["filter"] == asked
    assert shown == listed
    assert [task["number"] for task in listed] == [8, 6, 4, 2]
    assert sorted(task["number"] for column in board for task in column["tasks"]) == [
        2, 4, 6, 8, 10, 12
    ]  # fmt: skip


async def test_leaving_out_every_status_of_a_project_finds_nothing_there(ana: Person) -> None:
    await filled(ana)
    statuses = done(await ana.get("/project/ENG/workflow"), 200)["statuses"]
    every = ",".join(f"!{each['key']}" for each in statuses)

    assert done(await ana.get(f"/task?status={every}"), 200)["items"] == []
    assert done(await ana.get(f"/project/ENG/tasks?status={every}"), 200)["items"] == []
