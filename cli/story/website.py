"""The second project of the demo organization, in which all that work can have is used once.

Its days are some years ahead, so that nothing is overdue.
"""

import json
import time
from typing import Any

from cli.story.asking import Asker

_BY_JO = {"author": "Jo Old", "occurredAt": "2019-03-01T08:00:00Z"}
_OLD_TASKS = (
    {"id": "old-1", "title": "Buy the domain", "status": "DONE", **_BY_JO},
    {"id": "old-2", "title": "Draw a logo", "status": "DONE", **_BY_JO},
    {"id": "old-3", "title": "Print flyers", "status": "CANCELLED", **_BY_JO},
)
_IMPORTED_S = 30.0
_SKETCH = b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>'
_CHANNELS = [{"key": "web", "name": "Website"}, {"key": "mail", "name": "Newsletter"}]


class Website:
    """Fills the projects around a website: SITE, which was WEB, and three others beside it."""

    def __init__(self, ana: Asker, ben: Asker, team: str) -> None:
        self._ana, self._ben, self._team = ana, ben, team
        self._site = ""

    def fill(self) -> None:
        """Create everything, so that nothing is left half done."""
        asked = {"key": "WEB", "name": "Website", "teamId": self._team, "leadId": self._ben.id}
        self._site = self._ana.post("/project", asked)["id"]
        self._fields()
        home, shop, press = self._tasks()
        self._plan(home, shop, press)
        self._relate(home, shop, press)
        self._discuss(home)
        self._log_time(home, press)
        self._move_in()
        self._throw_away()
        self._save_views()
        self._make_template()
        self._put_aside()
        self._ana.patch(f"/project/{self._site}", key="SITE")

    def _task(self, title: str, **about: Any) -> str:
        made = self._ana.post(f"/project/{self._site}/tasks", {"title": title, **about})
        return str(made["id"])

    def _fields(self) -> None:
        for key, name, kind in (
            ("words", "Words", "number"),
            ("live_on", "Goes live", "date"),
            ("approver", "Approved by", "user"),
            ("source", "Source", "text"),
        ):
            asked = {"key": key, "name": name, "type": kind}
            self._ana.post(f"/project/{self._site}/fields", asked)
        asked = {"key": "channels", "name": "Channels", "type": "multi_select"}
        self._ana.post(f"/project/{self._site}/fields", {**asked, "options": _CHANNELS})

    def _tasks(self) -> tuple[str, str, str]:
        """Create the tasks: one with subtasks of its own, and one of each status."""
        home = self._task("Design the start page", priority="HIGH", status="IN_PROGRESS")
        hero = self._task("Choose the pictures", parentId=home)
        self._task("Ask for the rights to use them", parentId=hero)
        self._task("Draw the menu", parentId=home, status="DONE")
        shop = self._task("Open the shop", priority="URGENT")
        press = self._task("Tell the press", assignees=[self._ben.id])
        self._ana.post(f"/task/{press}/rank", {"before": shop})
        self._ana.post(f"/task/{press}/watchers", {"userId": self._ana.id})
        return home, shop, press

    def _plan(self, home: str, shop: str, press: str) -> None:
        """Give tasks dates, a cycle, a milestone, labels and values of fields."""
        ana, site = self._ana, self._site
        days = {"name": "Sprint 1", "startsOn": "2031-06-02", "endsOn": "2031-06-13"}
        cycle = ana.post(f"/project/{site}/cycles", days)["id"]
        beta = ana.post(f"/project/{site}/milestones", {"name": "Online", "date": "2031-07-01"})
        label = ana.post("/label", {"name": "copy", "color": "#0969da", "projectId": site})["id"]
        about = {"cycleId": cycle, "milestoneId": beta["id"]}
        values = {"words": 300, "live_on": "2031-07-01", "approver": self._ben.id}
        ana.patch(f"/task/{home}", **about, startDate="2031-06-02", estimate=5)
        ana.patch(f"/task/{shop}", **about, dueDate="2031-06-13", estimate=13)
        ana.patch(f"/task/{press}", dueAt="2031-06-12T17:00:00+02:00", estimate=2)
        ana.put(f"/task/{press}/recurrence", {"rrule": "FREQ=MONTHLY;COUNT=6"})
        ana.post(f"/task/{press}/labels", {"labelId": label})
        fields = {**values, "source": "agency", "channels": ["web", "mail"]}
        ana.patch(f"/task/{press}", fields=fields)
        ana.post("/task/bulk", {"ids": [home, shop], "set": {"assignees": {"add": [ana.id]}}})

    def _relate(self, home: str, shop: str, press: str) -> None:
        for one, kind, other in ((home, "blocks", shop), (press, "relates", shop)):
            self._ana.post(f"/task/{one}/relations", {"kind": kind, "taskId": other})
        double = self._task("Make a new start page", status="CANCELLED")
        self._ana.post(f"/task/{double}/relations", {"kind": "duplicates", "taskId": home})

    def _discuss(self, home: str) -> None:
        """Let Ben ask and be answered; one comment is edited, one deleted, one restored."""
        path = f"/task/{home}/comments"
        asked = {"body": "Is the old picture good enough, @Ana?", "mentions": [self._ana.id]}
        thread = self._ben.post(path, asked)["id"]
        answer = self._ana.post(path, {"body": "Yes.", "parentId": thread})["id"]
        self._ana.patch(f"{path}/{answer}", body="No, we need a larger one.")
        for body in ("Posted by mistake.", "Here is the sketch."):
            said = self._ben.post(path, {"body": body})["id"]
            self._ben.delete(f"{path}/{said}")
        self._ben.post(f"{path}/{said}/restore")
        self._ben.attach(home, "sketch.svg", "image/svg+xml", _SKETCH)

    def _log_time(self, home: str, press: str) -> None:
        """Let both log time; one entry is corrected, one deleted."""
        start = f"/task/{home}/worklogs"
        drawn = self._ana.post(start, {"minutes": 90, "note": "Drew three of them"})["id"]
        self._ana.patch(f"{start}/{drawn}", minutes=120)
        self._ben.post(start, {"minutes": 45})
        self._ben.post(f"/task/{press}/worklogs", {"minutes": 30, "note": "Called the paper"})
        twice = self._ben.post(start, {"minutes": 45})["id"]
        self._ben.delete(f"{start}/{twice}")

    def _move_in(self) -> None:
        """Move a task here, with what is below it, from a project of ideas."""
        ideas = self._ana.post("/project", {"key": "IDEA", "name": "Ideas"})["id"]
        blog = self._ana.post(f"/project/{ideas}/tasks", {"title": "Write a blog"})["id"]
        about = {"title": "Find an author", "parentId": blog}
        self._ana.post(f"/project/{ideas}/tasks", about)
        self._ana.post(f"/task/{blog}/move", {"projectId": self._site})

    def _throw_away(self) -> None:
        """Delete two tasks, each with one below it, and restore the second."""
        for title in ("Add a guest book", "Add a map"):
            task = self._task(title)
            self._task(f"{title}: sketch", parentId=task)
            self._ana.delete(f"/task/{task}")
        self._ana.post(f"/task/{task}/restore")

    def _save_views(self) -> None:
        site = {"projectId": self._site, "sort": "due", "columns": ["key", "title", "dueDate"]}
        wanted = {"group": ["TODO", "IN_PROGRESS"]}
        self._ana.post("/view", {"name": "Next", "shared": True, "filter": wanted, **site})
        mine = {"assignee": [self._ana.id]}
        self._ana.post("/view", {"name": "Mine on the website", "filter": mine, **site})

    def _make_template(self) -> None:
        """Save what a new page begins with, for whoever creates the next one."""
        page = {"title": "A new page", "description": "For whom, and why?", "dueIn": 14}
        parts = [{"title": "Write the text", "dueIn": 7}, {"title": "Let Ben read it"}]
        body = {"name": "A page", "projectId": self._site, "task": page, "subtasks": parts}
        self._ana.post("/template", body)

    def _put_aside(self) -> None:
        """Create a project on hold, and import another one, which is then archived."""
        app = self._ana.post("/project", {"key": "APP", "name": "App"})["id"]
        self._ana.post(f"/project/{app}/tasks", {"title": "Find out who wants one"})
        self._ana.post(f"/project/{app}/hold", {"reason": "The website comes first"})
        past = self._ana.post("/project", {"key": "PAST", "name": "Before Trackrecord"})["id"]
        lines = "".join(json.dumps(task) + "\n" for task in _OLD_TASKS)
        started = self._ana.bring_in(past, lines.encode())
        until = time.monotonic() + _IMPORTED_S
        while self._ana.get(f"/import/{started}")["state"] == "RUNNING":
            if time.monotonic() > until:
                return  # it goes on by itself, and the project stays active
            time.sleep(0.1)
        self._ana.post(f"/project/{past}/archive")
