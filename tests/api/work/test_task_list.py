"""Lists of tasks over HTTP: across projects and of one, filtered and in every order."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from litestar import Litestar

from domain.identity.organization.membership import Role
from projections.work.task_query import TaskSort
from runtime.system import System
from tests.api.stage import Json, Person, done, join, refused, sign_up

SORTS = [f"{sign}{sort.value}" for sort in TaskSort for sign in ("", "-")]
WEIGHTS = {"LOW": 0, "MEDIUM": 1, "HIGH": 2, "URGENT": 3}
TODAY = datetime.now(UTC).date()


class Work:
    """Two projects of Ana's with tasks that differ in everything that lists ask for."""

    def __init__(
        self, ana: Person, label: str, cycle: str, milestone: str, projects: list[Json]
    ) -> None:
        self.ana, self.label, self.projects = ana, label, projects
        self.cycle, self.milestone = cycle, milestone

    def names(self, **others: str) -> dict[str, str]:
        """Return what filters name."""
        plan = {"cycle": self.cycle, "milestone": self.milestone}
        return {"ana": self.ana.id, "label": self.label, **plan, **others}

    async def tasks(self) -> list[Json]:
        """Return every task as reading it shows it, those created first before the others."""
        keys = [f"{key}-{number}" for number in range(1, 6) for key in ("ENG", "HR")]
        return [done(await self.ana.get(f"/task/{key}"), 200) for key in keys]


@pytest.fixture
async def work(ana: Person) -> Work:
    """Create the two projects, in turns."""
    eng = await ana.project("ENG")
    people = done(await ana.post("/project", {"key": "HR", "name": "People"}), 201)
    label = done(await ana.post("/label", {"name": "Bug", "color": "#ff0000"}), 201)["id"]
    dues: list[Json] = [
        {"dueDate": str(TODAY - timedelta(days=2))},
        {"dueAt": f"{TODAY + timedelta(days=3)}T10:00:00Z"},
        {"dueDate": str(TODAY + timedelta(days=3))},
        {"dueAt": f"{TODAY - timedelta(days=3)}T10:00:00Z"},
        {},
    ]
    for n, (due, priority) in enumerate(zip(dues, [*WEIGHTS, "LOW"], strict=True)):
        for project in (eng, people):
            assignees = [ana.id] if n % 2 else []
            labels = [label] if n == 3 else []
            about: Json = {**due, "priority": priority, "assignees": assignees, "labels": labels}
            await ana.task(project, f"Task {n}", **about)
    parent = done(await ana.get("/task/HR-1"), 200)["id"]
    done(await ana.patch("/task/HR-3", {"parentId": parent}), 200)
    done(await ana.post("/task/ENG-2/status", {"status": "IN_PROGRESS"}), 200)
    blocked = {"kind": "blocked_by", "taskId": parent}
    done(await ana.post("/task/ENG-5/relations", blocked), 201)
    done(await ana.post("/task/ENG-4/comments", {"body": "Soon?"}), 201)
    await ana.file("ENG-4")
    done(await ana.delete(f"/task/ENG-3/watchers/{ana.id}"), 200)
    dates = {"startsOn": "2031-05-05", "endsOn": "2031-05-16"}
    cycle = done(await ana.post("/project/HR/cycles", {"name": "May", **dates}), 201)["id"]
    beta = done(await ana.post("/project/HR/milestones", {"name": "Beta"}), 201)["id"]
    for key, plan in (("HR-2", (cycle, beta)), ("HR-4", (cycle, None)), ("HR-5", (None, beta))):
        body = dict(zip(("cycleId", "milestoneId"), plan, strict=True))
        done(await ana.patch(f"/task/{key}", body), 200)
    return Work(ana, label, cycle, beta, [eng, people])


Is = Callable[[Json, Work], bool]
WEEK = f"{TODAY}..{TODAY + timedelta(days=7)}"
FILTERS: dict[str, Is] = {
    "": lambda task, work: True,
    "status=TODO": lambda task, work: task["status"] == "TODO",
    "group=IN_PROGRESS,DONE": lambda task, work: task["group"] == "IN_PROGRESS",
    "priority=HIGH,URGENT": lambda task, work: WEIGHTS[task["priority"]] > 1,
    "status=!TODO": lambda task, work: task["status"] != "TODO",
    "group=!TODO,!DONE&status=!IN_REVIEW": lambda task, work: task["group"] == "IN_PROGRESS",
    "priority=!LOW,!URGENT": lambda task, work: task["priority"] in {"MEDIUM", "HIGH"},
    "assignee={ana}": lambda task, work: work.ana.id in task["assignees"],
    "assignee={ana},{other}": lambda task, work: work.ana.id in task["assignees"],
    "assignee={other}": lambda task, work: False,
    "label={label}": lambda task, work: work.label in task["labels"],
    "label={label}&assignee={ana}&status=TODO": lambda task, work: work.label in task["labels"],
    "parent={parent}": lambda task, work: task["parentId"] is not None,
    "creator={ana}&priority=LOW": lambda task, work: task["priority"] == "LOW",
    "watcher={ana}": lambda task, work: task["watching"],
    "cycle={cycle}": lambda task, work: task["cycleId"] == work.cycle,
    "milestone={milestone}": lambda task, work: task["milestoneId"] == work.milestone,
    "cycle={cycle},{other}&milestone={milestone}": lambda task, work: task["key"] == "HR-2",
    "cycle={milestone}": lambda task, work: False,
    "assignee=none": lambda task, work: not task["assignees"],
    "assignee=me": lambda task, work: work.ana.id in task["assignees"],
    "assignee=me,none&creator=me": lambda task, work: True,
    "watcher=me&label=none": lambda task, work: task["watching"] and not task["labels"],
    "parent=none": lambda task, work: task["parentId"] is None,
    "cycle=none": lambda task, work: task["cycleId"] is None,
    "cycle={cycle}&milestone=none": lambda task, work: task["key"] == "HR-4",
    "milestone=none&cycle=none&parent=none": lambda task, work: (
        not task["cycleId"] and not task["milestoneId"] and not task["parentId"]
    ),
    "due=none": lambda task, work: not is_due(task),
    "due=none&assignee=none&priority=LOW": lambda task, work: not is_due(task),
    "due=none&overdue=true": lambda task, work: False,
    "blocked=true": lambda task, work: task["blocked"],
    "blocked=false": lambda task, work: not task["blocked"],
    "overdue=true": lambda task, work: task["overdue"],
    f"due={WEEK}": lambda task, work: is_due(task, str(TODAY)),
    f"due={TODAY}..": lambda task, work: is_due(task, str(TODAY)),
    f"due=..{TODAY}": lambda task, work: is_due(task) and not is_due(task, str(TODAY)),
    f"due={WEEK}&overdue=true": lambda task, work: False,
}


def is_due(task: Json, since: str = "0") -> bool:
    due: str = task["dueDate"] or task["dueAt"] or ""
    return bool(due) and due[:10] >= since


def sorted_by(sort: str, tasks: list[Json]) -> list[Json]:
    """Return *tasks*, which are in the order in which they were created, in another one."""
    orders: dict[str, Callable[[Json], Any]] = {
        "newest": lambda task: -tasks.index(task),
        "updated": lambda task: [-ord(digit) for digit in task["updatedAt"]],
        "priority": lambda task: (-WEIGHTS[task["priority"]], -tasks.index(task)),
        "due": lambda task: (task["dueAt"] or f"{task['dueDate'] or '9999'}T24", task["key"]),
        "rank": lambda task: (task["rank"], task["key"]),
        "key": lambda task: task["key"],
    }
    return sorted(tasks, key=orders[sort.removeprefix("-")], reverse=sort.startswith("-"))


async def pages(person: Person, path: str, query: str, limit: int) -> list[Json]:
    """Return all items of a list, read in pages."""
    items: list[Json] = []
    cursor = ""
    for _ in range(20):
        page = done(
            await person.get(f"{path}?{query}&limit={limit}{cursor}".replace("?&", "?")), 200
        )
        items += page["items"]
        if page["nextCursor"] is None:
            return items
        cursor = f"&cursor={page['nextCursor']}"
    raise AssertionError("the pages do not end")


async def test_every_filter_finds_what_it_says_in_full_in_every_order(work: Work) -> None:
    ana, tasks = work.ana, await work.tasks()
    names = work.names(other=work.label, parent=tasks[1]["id"])

    for number, (filters, fits) in enumerate(FILTERS.items()):
        query = filters.format_map(names)
        expected = [task for task in tasks if fits(task, work)]
        for sort in (
            SORTS if filters in ("", "assignee={ana}", f"due={WEEK}") else SORTS[number % 12 :][:1]
        ):
            wanted = sorted_by(sort, expected)
            for limit in (3, 100):
                found = await pages(ana, "/task", f"{query}&sort={sort}".lstrip("&"), limit)
                assert keys_of(found) == keys_of(wanted), (query, sort)
                assert found == wanted
            for project in work.projects:
                path = f"/project/{project['id']}/tasks"
                found = await pages(ana, path, f"{query}&sort={sort}".lstrip("&"), 2)
                ours = [task for task in wanted if task["projectId"] == project["id"]]
                assert keys_of(found) == keys_of(ours), (query, sort)


def keys_of(tasks: list[Json]) -> list[str]:
    return [task["key"] for task in tasks]


async def test_the_projects_can_be_chosen_by_id_or_key(work: Work) -> None:
    ana, (eng, people) = work.ana, work.projects

    for chosen, projects in (
        ("hr", {"HR"}),
        (eng["id"], {"ENG"}),
        (f"ENG,{people['id']}", {"HR", "ENG"}),
    ):
        found = done(await ana.get(f"/task?project={chosen}&sort=key"), 200)["items"]
        assert {task["key"].partition("-")[0] for task in found} == projects
    refused(await ana.get("/task?project=OPS"), 404, "not_found")


async def test_a_status_that_moved_is_found_across_projects_by_status_group_and_assignee(
    work: Work,
) -> None:
    ana, project = work.ana, f"/project/{work.projects[0]['id']}"
    done(await ana.patch(f"/org/{ana.org_id}/plan", {"plan": "PREMIUM"}), 200)
    free = done(await ana.get(f"{project}/workflow"), 200)
    kept = [one for one in free["statuses"] if one["key"] != "IN_PROGRESS"]
    steps = [("TODO", "IN_REVIEW"), ("IN_REVIEW", "DONE"), ("TODO", "CANCELLED")]
    body = {
        "statuses": kept,
        "transitions": [{"from": a, "to": b, "guards": []} for a, b in steps],
        "moved": {"IN_PROGRESS": "IN_REVIEW"},
    }
    done(await ana.ask("PUT", f"{project}/workflow", json=body), 200)

    for query in (
        f"status=IN_REVIEW&assignee={ana.id}",
        f"group=IN_REVIEW&assignee={ana.id}&sort=key",
        "status=IN_REVIEW",
        "group=IN_REVIEW&sort=-due",
    ):
        for path in ("/task", f"{project}/tasks"):
            found = done(await ana.get(f"{path}?{query}"), 200)["items"]
            assert [(task["key"], task["group"]) for task in found] == [("ENG-2", "IN_REVIEW")]
    assert done(await ana.get("/task?status=IN_PROGRESS"), 200)["items"] == []
    assert done(await ana.get("/task?group=IN_PROGRESS&sort=rank"), 200)["items"] == []


@pytest.mark.parametrize("role", [Role.MANAGER, Role.MEMBER])
async def test_no_list_shows_a_spy_a_task_of_a_private_project(
    app: Litestar, system: System, work: Work, role: Role
) -> None:
    ben = await sign_up(app, organization=False)
    await join(system, ben, work.ana.org_id, role)
    hidden = {task["id"]: task for task in await work.tasks() if task["key"].startswith("HR")}
    names = work.names(other=ben.id, parent=next(iter(hidden)))
    done(await work.ana.patch("/project/HR", {"visibility": "PRIVATE"}), 200)

    for filters in FILTERS:
        for sort in SORTS:
            answer = await ben.get(
                f"/task?{filters.format_map(names)}&sort={sort}".replace("?&", "?")
            )
            shown = {task["id"] for task in done(answer, 200)["items"]}
            assert not shown & set(hidden), (filters, sort)
            assert "HR-" not in answer.text
    private, missing = await ben.get("/task?project=HR"), await ben.get("/task?project=ZZ")
    assert (
        refused(private, 404, "not_found")["title"] == refused(missing, 404, "not_found")["title"]
    )
    await ben.client.aclose()


async def test_tasks_of_a_deleted_project_are_listed_again_once_it_is_restored(work: Work) -> None:
    ana = work.ana
    everything = done(await ana.get("/task"), 200)["items"]

    done(await ana.delete("/project/HR"), 204)
    assert {task["key"][:3] for task in done(await ana.get("/task"), 200)["items"]} == {"ENG"}
    done(await ana.post(f"/project/{work.projects[1]['id']}/restore"), 200)
    assert done(await ana.get("/task"), 200)["items"] == everything


async def test_a_project_under_a_new_key_is_listed_and_sorted_by_it(work: Work) -> None:
    ana = work.ana
    done(await ana.patch("/project/HR", {"key": "ANT"}), 200)

    found = keys_of(await pages(ana, "/task", "sort=key", 3))

    assert found == [f"{key}-{number}" for key in ("ANT", "ENG") for number in range(1, 6)]


async def test_a_cursor_belongs_to_the_filters_and_the_order_of_its_list(work: Work) -> None:
    ana = work.ana
    first = done(await ana.get("/task?sort=due&status=TODO&limit=2"), 200)
    cursor = first["nextCursor"]

    done(await ana.get(f"/task?status=TODO&sort=due&limit=1&cursor={cursor}"), 200)
    for other in ("sort=-due&status=TODO", "sort=due", "sort=due&status=DONE", "status=TODO"):
        refused(await ana.get(f"/task?{other}&cursor={cursor}"), 400, "malformed_request")
