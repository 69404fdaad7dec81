"""A random history of an organization, and what GET answered when each event was the newest."""

from typing import Any, NamedTuple
from uuid import UUID

from hypothesis import strategies as st

from domain.base import OrgId
from runtime.system import System
from tests.api.past.moments import own
from tests.api.stage import Json, Person

Step = tuple[str, int, int]
"""What is done, to which of the tasks or projects, and with which other one."""

STATUSES = ("TODO", "IN_PROGRESS", "IN_REVIEW", "DONE", "CANCELLED")
WORKFLOW: Json = {
    "statuses": [
        {"key": "NEW", "name": "New", "group": "TODO"},
        {"key": "TODO", "name": "To do", "group": "TODO"},
        {"key": "DONE", "name": "Over", "group": "DONE"},
    ],
    "transitions": [{"from": "NEW", "to": "TODO"}, {"from": "TODO", "to": "DONE"}],
    "moved": {"IN_PROGRESS": "TODO", "IN_REVIEW": "NEW", "CANCELLED": "DONE"},
}
_OF_TASKS = ("create", "create", "below", "title", "status", "status", "rank", "move", "parent")
_MORE = ("delete", "restore", "assign", "watch", "unwatch", "due", "bulk", "label", "field")
_OF_PROJECTS = ("rekey", "rename", "archive", "unarchive", "drop", "revive", "workflow", "hide")
_OF_ALL = ("organization", "role", "leave")
STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.tuples(
        st.sampled_from([*_OF_TASKS, *_OF_TASKS, *_MORE, *_OF_PROJECTS, *_OF_ALL]),
        st.integers(0, 9),
        st.integers(0, 9),
    ),
    min_size=4,
    max_size=14,
)


class Snapshot(NamedTuple):
    """What GET answered by path once everything up to a sequence was recorded; None for 404."""

    seq: int
    shown: dict[str, Any]


class History:
    """Does steps in an organization of *ana*, to which *ben* belongs, and keeps what was shown."""

    def __init__(self, system: System, ana: Person, ben: Person) -> None:
        self._system, self.ana, self.ben = system, ana, ben
        self.projects: list[str] = []
        self.tasks: list[str] = []
        self.snapshots: list[Snapshot] = []
        self._label = ""

    async def begin(self) -> None:
        """Make two projects, with a task."""
        await self.ana.patch(f"/org/{self.ana.org_id}/plan", {"plan": "PREMIUM"})
        for key in ("ONE", "TWO"):
            made = await self.ana.post("/project", {"key": key, "name": key.title()})
            self.projects.append(made.json()["id"])
        size = {"key": "size", "name": "Size", "type": "number"}
        await self.ana.post(f"/project/{self.projects[0]}/fields", size)
        label = await self.ana.post("/label", {"name": "Bug", "color": "#ff0000"})
        self._label = label.json()["id"]
        await self.step(("create", 0, 0))

    async def step(self, step: Step) -> None:
        """Do a step, which may be refused, and look at everything."""
        what, one, other = step
        await self._do(what, self._of(self.projects, one), one, other)
        log = self._system.log
        seq = await log.organization_head(OrgId(UUID(self.ana.org_id)))
        if not self.snapshots or self.snapshots[-1].seq != seq:
            shown = {path: await shown_to(self.ana, path) for path in self.paths()}
            self.snapshots.append(Snapshot(seq, shown))

    def paths(self) -> list[str]:
        """Return the paths of everything that has a past."""
        organization = f"/org/{self.ana.org_id}"
        projects = [f"/project/{each}{part}" for each in self.projects for part in ("", "/board")]
        tasks = [f"/task/{each}" for each in self.tasks]
        return [organization, f"{organization}/members", *projects, *tasks]

    async def _do(self, what: str, project: str, one: int, other: int) -> None:
        ana = self.ana
        if what in ("create", "below"):
            body: Json = {"title": f"Task {len(self.tasks)}", "status": STATUSES[other % 5]}
            if what == "below":
                body = {"title": "Part", "parentId": self._of(self.tasks, other)}
            made = await ana.post(f"/project/{project}/tasks", body)
            if made.status_code == 201:
                self.tasks.append(made.json()["id"])
        elif what in _ON_PROJECT:
            method, part, body = _ON_PROJECT[what]
            numbered = {name: str(value).replace("#", str(other)) for name, value in body.items()}
            json = WORKFLOW if what == "workflow" else numbered
            await ana.ask(method, f"/project/{project}{part}", json=json)
        elif what in _OF_ALL:
            await self._of_all(what, other)
        else:
            await self._of_task(what, self._of(self.tasks, one), project, other)

    async def _of_task(self, what: str, task: str, project: str, other: int) -> None:
        path, near = f"/task/{task}", self._of(self.tasks, other)
        asked: dict[str, tuple[str, str, Any]] = {
            "title": ("PATCH", "", {"title": f"Title {other}", "description": f"Say {other}"}),
            "due": ("PATCH", "", {"dueDate": f"2026-05-{other + 1:02}", "estimate": other}),
            "field": ("PATCH", "", {"fields": {"size": other}}),
            "label": ("POST", "/labels", {"labelId": self._label}),
            "parent": ("PATCH", "", {"parentId": near}),
            "status": ("POST", "/status", {"status": STATUSES[other % 5], "force": True}),
            "rank": ("POST", "/rank", {"before": near}),
            "move": ("POST", "/move", {"projectId": self._of(self.projects, other)}),
            "delete": ("DELETE", "", None),
            "restore": ("POST", "/restore", None),
            "assign": ("POST", "/assignees", {"userId": self.ben.id}),
            "watch": ("POST", "/watchers", {"userId": self.ben.id}),
            "unwatch": ("DELETE", f"/watchers/{self.ana.id}", None),
        }
        if what == "bulk":
            wanted = {"ids": [task, near], "set": {"priority": "URGENT"}}
            await self.ana.post("/task/bulk", wanted)
            return
        method, part, body = asked[what]
        await self.ana.ask(method, path + part, json=body)

    async def _of_all(self, what: str, other: int) -> None:
        path = f"/org/{self.ana.org_id}"
        member = f"{path}/members/{self.ben.id}"
        if what == "organization":
            await self.ana.patch(path, {"name": f"Acme {other}"})
        elif what == "role":
            await self.ana.patch(member, {"role": ("MEMBER", "MANAGER", "ADMIN")[other % 3]})
        else:
            await self.ana.patch(member, {"active": other % 2 == 0})

    def _of(self, ids: list[str], number: int) -> str:
        return ids[number % len(ids)]


_ON_PROJECT: dict[str, tuple[str, str, Json]] = {
    "rekey": ("PATCH", "", {"key": "KEY#"}),
    "rename": ("PATCH", "", {"name": "Name #"}),
    "hide": ("PATCH", "", {"visibility": "PRIVATE"}),
    "archive": ("POST", "/archive", {}),
    "unarchive": ("POST", "/unarchive", {}),
    "drop": ("DELETE", "", {}),
    "revive": ("POST", "/restore", {}),
    "workflow": ("PUT", "/workflow", {}),
}


async def shown_to(person: Person, path: str) -> Any:
    """Return what GET shows now of what things themselves say; None if it shows nothing."""
    response = await person.get(f"{path}?limit=100" if path.endswith("board") else path)
    if response.status_code == 404:
        return None
    assert response.status_code == 200, response.text
    shown = response.json()
    for column in shown.get("columns", ()):
        column["tasks"] = [own(task) for task in column["tasks"]]
    for member in shown["items"] if path.endswith("members") else ():
        del member["user"]
    return own(shown)


async def past_of(person: Person, path: str, moment: int | str) -> Any:
    """Return what GET shows of a moment, without saying which; None if it shows nothing."""
    asked = {"as_of": moment} | ({"limit": 100} if path.endswith("board") else {})
    response = await person.get(path, params=asked)
    if response.status_code == 404:
        return None
    assert response.status_code == 200, response.text
    shown = response.json()
    del shown["asOf"]
    return shown
