"""Filters that leave some values out find all other tasks, in lists, views and on boards."""

from tests.api.stage import Json, Person, done, refused

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


async def named(ana: Person) -> dict[str, str]:
    """Create tasks that name labels and people; return the ids by their names."""
    project = await ana.project()
    labels = [
        done(await ana.post("/label", {"name": name, "color": "#ff0000"}), 201)["id"]
        for name in ("Bug", "Idea")
    ]
    for each in ([labels[0]], labels, [labels[1]], []):
        for assignees in ([ana.id], []):
            status = "TODO" if assignees else "DONE"
            await ana.task(project, labels=each, assignees=assignees, status=status)
    return {"bug": labels[0], "idea": labels[1], "ana": ana.id}


LEFT = {
    "label=!{bug}": [5, 6, 7, 8],
    "label=!{bug},!{idea}": [7, 8],
    "label={idea},!{bug}": [5, 6],
    "label=!none": [1, 2, 3, 4, 5, 6],
    "label=!none,!{bug}": [5, 6],
    "assignee=!me": [2, 4, 6, 8],
    "assignee=!{ana}": [2, 4, 6, 8],
    "assignee=!none": [1, 3, 5, 7],
    "assignee=none,!me": [2, 4, 6, 8],
    "assignee=me,!{ana}": [],
    "creator=!me": [],
    "creator=!{bug}": [1, 2, 3, 4, 5, 6, 7, 8],
    "watcher=!{bug}": [1, 2, 3, 4, 5, 6, 7, 8],
    "completed=none": [1, 3, 5, 7],
    "completed=none&label=!{bug}": [5, 7],
    "label=!{bug}&assignee=!me&group=!TODO&q=oil": [6, 8],
}
"""Filters, and the numbers of the tasks that they leave."""


async def test_labels_and_people_are_left_out_in_every_order(ana: Person) -> None:
    known = await named(ana)
    for asked, numbers in LEFT.items():
        query = asked.format(**known)
        for sort in ("newest", "key", "-updated", "priority", "due", "rank", "field:size"):
            for path in (f"/task?sort={sort}", f"/project/ENG/tasks?sort={sort}"):
                whole = done(await ana.get(f"{path}&{query}"), 200)["items"]
                assert sorted(each["number"] for each in whole) == numbers, query
                pages, cursor = list[Json](), ""
                while cursor is not None:
                    more = f"&limit=1{cursor and f'&cursor={cursor}'}"
                    page = done(await ana.get(f"{path}&{query}{more}"), 200)
                    pages, cursor = pages + page["items"], page["nextCursor"]
                assert pages == whole


async def test_boards_and_views_leave_out_the_same_labels_and_people(ana: Person) -> None:
    known = await named(ana)
    for asked, numbers in LEFT.items():
        query = asked.format(**known)
        if "group" in query:  # a board has no such filter, and a view no words
            continue
        board = done(await ana.get(f"/project/ENG/board?{query}"), 200)["columns"]
        parts = dict(each.split("=") for each in query.split("&"))
        body = {
            name: text if name == "completed" else text.split(",") for name, text in parts.items()
        }
        view = done(await ana.post("/view", {"name": query[:50], "filter": body}), 201)
        shown = done(await ana.get(f"/view/{view['id']}/tasks"), 200)["items"]

        assert sorted(task["number"] for each in board for task in each["tasks"]) == numbers
        assert sorted(task["number"] for task in shown) == numbers
        assert view["filter"] == body


async def test_a_page_is_full_however_much_is_left_out_before_it(ana: Person) -> None:
    known = await named(ana)
    for _ in range(60):
        await ana.task({"id": "ENG"}, labels=[known["bug"]], assignees=[ana.id])

    for query in (f"label=!{known['bug']}", "assignee=!me"):
        page = done(await ana.get(f"/task?{query}&limit=3"), 200)
        assert len(page["items"]) == 3
        assert page["nextCursor"] is not None


async def test_what_is_left_out_is_malformed_as_what_is_asked_for_is(ana: Person) -> None:
    for query in ("label=!x", "label=!", "assignee=!!me", "watcher=!none", "creator=!none"):
        [error] = refused(await ana.get(f"/task?{query}"), 422, "invalid_request")["errors"]
        assert error["path"] == query.partition("=")[0]
        assert "is not an id" in error["message"]
    many = ",".join(f"!00000000-0000-7000-8000-{n:012}" for n in range(51))
    refused(await ana.get(f"/task?label={many}"), 422, "invalid_request")
