"""What the demo organization has: two people, their team, its projects and the tasks in them."""

from typing import TYPE_CHECKING

from cli.story.asking import Asker, logged_in, newcomer
from cli.story.records import Records
from cli.story.website import Website

if TYPE_CHECKING:  # loading it takes longer than a start without a first login
    import httpx

COLLEAGUE_EMAIL = "ben@acme.example"

_TASKS = (
    ("Write the welcome page", "HIGH", "DONE"),
    ("Invite the design team", "MEDIUM", "IN_REVIEW"),
    ("Import tasks from the old tracker", "HIGH", "IN_PROGRESS"),
    ("Ask legal about the audit export", "URGENT", "IN_PROGRESS"),
    ("Choose colours for the status labels", "LOW", "CANCELLED"),
    ("Plan the first release", "MEDIUM", "TODO"),
)
_CHECKLIST = b"- freeze the API\n- write the changelog\n- tell support\n"
_HIRING = {
    "statuses": [
        {"key": "APPLIED", "name": "Applied", "group": "TODO"},
        {"key": "INTERVIEW", "name": "Interviews", "group": "IN_PROGRESS", "wipLimit": 3},
        {"key": "OFFER", "name": "Offer sent", "group": "IN_REVIEW"},
        {"key": "HIRED", "name": "Hired", "group": "DONE"},
        {"key": "DECLINED", "name": "Declined", "group": "CANCELLED"},
    ],
    "transitions": [
        {"from": "APPLIED", "to": "INTERVIEW"},
        {"from": "INTERVIEW", "to": "OFFER", "guards": ["no_open_subtask"]},
        {"from": "OFFER", "to": "HIRED", "guards": ["no_open_blocker"]},
        {"from": "APPLIED", "to": "DECLINED"},
        {"from": "INTERVIEW", "to": "DECLINED"},
        {"from": "OFFER", "to": "DECLINED"},
    ],
    "moved": {"TODO": "APPLIED"},
}


class Acme:
    """Fills the demo organization as its ADMIN, who has just registered it."""

    def __init__(self, http: "httpx.Client", email: str, password: str) -> None:
        self._http, self._password = http, password
        self._ana = logged_in(http, email, password)

    def fill(self) -> None:
        """Create everything; only what the plan PREMIUM allows."""
        ana = self._ana
        ana.patch(f"/org/{ana.organization}/plan", plan="PREMIUM")
        ben = self._colleague()
        team: str = ana.post("/team", {"name": "Platform"})["id"]
        for user, role in ((ana, "LEAD"), (ben, "MEMBER")):
            ana.post(f"/team/{team}/members", {"userId": user.id, "role": role})
        release = self._engineering(team)
        self._plan(release)
        self._discuss(release, ben)
        self._hire(team, ben)
        Website(ana, ben, team).fill()
        Records(ana).fill()

    def _colleague(self) -> Asker:
        """Return a second member.

        Where invitations are mailed, nobody can accept one here, and Ana works alone.
        """
        asked = {"email": COLLEAGUE_EMAIL, "role": "MEMBER"}
        link = self._ana.post(f"/org/{self._ana.organization}/invitations", asked).get("link")
        if link is None:
            return self._ana
        return newcomer(self._http, link.partition("#")[2], "Ben Demo", self._password)

    def _engineering(self, team: str) -> str:
        """Create the tasks of ENG, and return the id of the one that is being planned."""
        ana, ids = self._ana, list[str]()
        project = ana.post("/project", {"key": "ENG", "name": "Engineering", "teamId": team})
        tasks = f"/project/{project['id']}/tasks"
        for title, priority, status in _TASKS:
            task = ana.post(tasks, {"title": title, "priority": priority})
            if status != "TODO":
                ana.post(f"/task/{task['id']}/status?path=auto", {"status": status})
            ids.append(task["id"])
        legal, release = ids[3], ids[5]
        ana.post(f"/task/{legal}/relations", {"kind": "blocks", "taskId": release})
        ana.post(tasks, {"title": "Write the changelog", "parentId": release})
        return release

    def _plan(self, release: str) -> None:
        ana = self._ana
        ana.patch(f"/task/{release}", startDate="2031-05-05", dueDate="2031-05-16", estimate=8)
        for name, color in (("release", "#1f883d"), ("customers wait", "#d1242f")):
            label = ana.post("/label", {"name": name, "color": color})
            ana.post(f"/task/{release}/labels", {"labelId": label["id"]})

    def _discuss(self, release: str, ben: Asker) -> None:
        """Comment, let Ben answer, and attach a file; both watch the task from then on."""
        path = f"/task/{release}/comments"
        asked = {"body": "Ben, is two weeks enough?", "mentions": [ben.id]}
        comment = self._ana.post(path, asked)
        ben.post(path, {"body": "Yes, once legal has answered.", "parentId": comment["id"]})
        self._ana.attach(release, "checklist.txt", "text/plain", _CHECKLIST)

    def _hire(self, team: str, ben: Asker) -> None:
        """Create a private project with a workflow of its own."""
        asked = {"key": "HIRE", "name": "Hiring", "teamId": team, "visibility": "PRIVATE"}
        project = self._ana.post("/project", asked)["id"]
        self._ana.put(f"/project/{project}/workflow", _HIRING)
        self._ana.post(f"/project/{project}/members", {"userId": ben.id})
        for title, status in (("Kim, designer", "INTERVIEW"), ("Lee, engineer", "APPLIED")):
            self._ana.post(f"/project/{project}/tasks", {"title": title, "status": status})
