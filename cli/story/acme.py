"""What the demo organization has: two people, their team, its projects and the tasks in them."""

from typing import TYPE_CHECKING, Any

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
        login = self._posted("/auth/login", {"email": email, "password": password})
        http.headers["authorization"] = f"Bearer {login['accessToken']}"
        self._ana: str = login["user"]["id"]
        self._organization: str = login["user"]["organizationId"]

    def fill(self) -> None:
        """Create everything; only what the plan PREMIUM allows."""
        plan = f"/org/{self._organization}/plan"
        self._http.patch(plan, json={"plan": "PREMIUM"}).raise_for_status()
        ben, authorization = self._colleague()
        team = self._posted("/team", {"name": "Platform"})["id"]
        for user, role in ((self._ana, "LEAD"), (ben, "MEMBER")):
            self._posted(f"/team/{team}/members", {"userId": user, "role": role})
        release = self._engineering(team)
        self._plan(release)
        self._discuss(release, ben, authorization)
        self._hire(team)

    def _colleague(self) -> tuple[str, str]:
        """Return the id of a second member, and the Authorization of their requests.

        Where invitations are mailed, nobody can accept one here, and Ana works alone.
        """
        asked = {"email": COLLEAGUE_EMAIL, "role": "MEMBER"}
        link = self._posted(f"/org/{self._organization}/invitations", asked).get("link")
        if link is None:
            return self._ana, self._http.headers["authorization"]
        invitation = link.partition("#")[2]
        accepted = {"token": invitation, "name": "Ben Demo", "password": self._password}
        own = self._http.headers.pop("authorization")  # Ben has no account yet
        session = self._posted("/invitations/accept", accepted)
        self._http.headers["authorization"] = own
        return session["user"]["id"], f"Bearer {session['accessToken']}"

    def _engineering(self, team: str) -> str:
        """Create the tasks of ENG, and return the id of the one that is being planned."""
        asked = {"key": "ENG", "name": "Engineering", "teamId": team}
        project = self._posted("/project", asked)
        ids: list[str] = []
        for title, priority, status in _TASKS:
            asked = {"title": title, "priority": priority}
            task = self._posted(f"/project/{project['id']}/tasks", asked)
            if status != "TODO":
                self._posted(f"/task/{task['id']}/status?path=auto", {"status": status})
            ids.append(task["id"])
        legal, release = ids[3], ids[5]
        self._posted(f"/task/{legal}/relations", {"kind": "blocks", "taskId": release})
        asked = {"title": "Write the changelog", "parentId": release}
        self._posted(f"/project/{project['id']}/tasks", asked)
        return release

    def _plan(self, release: str) -> None:
        planned = {"startDate": "2031-05-05", "dueDate": "2031-05-16", "estimate": 8}
        self._http.patch(f"/task/{release}", json=planned).raise_for_status()
        for name, color in (("release", "#1f883d"), ("customers wait", "#d1242f")):
            label = self._posted("/label", {"name": name, "color": color})
            self._posted(f"/task/{release}/labels", {"labelId": label["id"]})

    def _discuss(self, release: str, ben: str, authorization: str) -> None:
        """Comment, let Ben answer, and attach a file; both watch the task from then on."""
        path = f"/task/{release}/comments"
        asked = {"body": "Ben, is two weeks enough?", "mentions": [ben]}
        comment = self._posted(path, asked)
        answer = {"body": "Yes, once legal has answered.", "parentId": comment["id"]}
        self._posted(path, answer, {"authorization": authorization})
        self._http.post(
            f"/task/{release}/attachments",
            content=_CHECKLIST,
            headers={
                "content-type": "text/plain",
                "content-disposition": 'attachment; filename="checklist.txt"',
            },
        ).raise_for_status()

    def _hire(self, team: str) -> None:
        """Create a private project with a workflow of its own."""
        asked = {"key": "HIRE", "name": "Hiring", "teamId": team, "visibility": "PRIVATE"}
        project = self._posted("/project", asked)["id"]
        self._http.put(f"/project/{project}/workflow", json=_HIRING).raise_for_status()
        for title, status in (("Kim, designer", "INTERVIEW"), ("Lee, engineer", "APPLIED")):
            self._posted(f"/project/{project}/tasks", {"title": title, "status": status})

    def _posted(self, path: str, body: Any, headers: dict[str, str] | None = None) -> Any:
        answer = self._http.post(path, json=body, headers=headers)
        answer.raise_for_status()
        return answer.json()
