"""The chapter of the demo in which two people work on a private project."""

from hashlib import sha256

from cli.story.claims import STORY_PASSWORD, Story

_FILE = b"Beware of the paint.\n"
_WORKFLOW = {
    "statuses": [
        {"key": "IDEA", "name": "Ideas", "group": "TODO"},
        {"key": "LIVE", "name": "Live", "group": "DONE"},
    ],
    "transitions": [{"from": "IDEA", "to": "LIVE", "guards": ["no_open_blocker"]}],
    "moved": {"TODO": "IDEA"},
}


async def work_together(story: Story) -> None:
    """Create a private project, let a colleague into it, and plan and discuss a task there."""
    colleague = await _colleague(story)
    if colleague is None:
        story.console.print("    skipped: invitations are mailed (SMTP_URL), so nobody accepts one")
        return
    ben, authorization = colleague
    team = await story.ask("POST", "/team", {"name": "Laboratory"})
    asked = {"key": "LAB", "name": "Laboratory", "visibility": "PRIVATE", "teamId": team["id"]}
    project = await story.ask("POST", "/project", asked)
    await story.ask("PUT", f"/project/{project['id']}/workflow", _WORKFLOW)
    unseen = await _status(story, authorization)
    await story.ask("POST", f"/team/{team['id']}/members", {"userId": ben})
    seen = await _status(story, authorization)
    story.claim(
        "a private project is 404 for a member until they are in its team",
        (unseen, seen) == (404, 200),
    )
    task = f"/task/{await _planned_task(story, project['id'])}"
    await _discuss(story, task, ben, authorization)
    await _attach(story, task)


async def _colleague(story: Story) -> tuple[str, str] | None:
    """Return the id of a new member and the Authorization of their requests.

    None if the link of an invitation is in a mail only.
    """
    invitations = f"/org/{story.organization['id']}/invitations"
    asked = {"email": f"ben-{story.email}", "role": "MEMBER"}
    invited = await story.ask("POST", invitations, asked)
    if invited.get("link") is None:
        return None
    invitation = invited["link"].partition("#")[2]
    accepted = {"token": invitation, "name": "Ben", "password": STORY_PASSWORD}
    own = story.http.headers.pop("authorization")  # Ben has no account yet
    try:
        session = await story.ask("POST", "/invitations/accept", accepted)
    finally:
        story.http.headers["authorization"] = own
    return session["user"]["id"], f"Bearer {session['accessToken']}"


async def _status(story: Story, authorization: str) -> int:
    headers = {"authorization": authorization}
    return (await story.http.get("/project/LAB", headers=headers)).status_code


async def _planned_task(story: Story, project: str) -> str:
    """Create a task with everything that plans it, and return its id."""
    label = await story.ask("POST", "/label", {"name": "launch", "color": "#1f883d"})
    tasks = f"/project/{project}/tasks"
    asked = {"title": "Paint it", "labels": [label["id"]], "dueDate": "2031-05-16", "estimate": 5}
    task = await story.ask("POST", tasks, asked)
    blocker = await story.ask("POST", tasks, {"title": "Buy paint", "parentId": task["id"]})
    path = f"/task/{task['id']}"
    related = {"kind": "blocked_by", "taskId": blocker["id"]}
    await story.ask("POST", f"{path}/relations", related)
    refused = await story.http.post(f"{path}/status", json={"status": "LIVE"})
    story.claim(
        "a guard of the project's own workflow refuses to finish a blocked task",
        (refused.status_code, refused.json()["code"]) == (409, "open_blockers"),
    )
    shown = await story.ask("GET", path)
    story.claim(
        "the task shows its label, due date, estimate, subtask and that it is blocked",
        shown["labels"] == [label["id"]]
        and (shown["dueDate"], shown["estimate"]) == ("2031-05-16", 5)
        and shown["subtasks"] == {"done": 0, "all": 1}
        and shown["blocked"],
    )
    return str(task["id"])


async def _discuss(story: Story, task: str, ben: str, authorization: str) -> None:
    asked = {"body": "Which colour, Ben?", "mentions": [ben]}
    comment = await story.ask("POST", f"{task}/comments", asked)
    answer = {"body": "Green.", "parentId": comment["id"]}
    answered = await story.ask("POST", f"{task}/comments", answer, Authorization=authorization)
    shown = await story.ask("GET", task)
    story.claim(
        "whoever is mentioned watches the task, and answers in the thread",
        ben in shown["watchers"] and answered["parentId"] == comment["id"],
    )


async def _attach(story: Story, task: str) -> None:
    headers = {
        "content-type": "text/plain",
        "content-disposition": 'attachment; filename="paint.txt"',
    }
    sent = await story.http.post(f"{task}/attachments", content=_FILE, headers=headers)
    attached = sent.raise_for_status().json()
    link = await story.ask("GET", f"{task}/attachments/{attached['id']}/link")
    own = story.http.headers.pop("authorization")  # the link alone must do
    try:
        file = await story.http.get(f"{story.running.url}{link['url']}")
    finally:
        story.http.headers["authorization"] = own
    story.claim(
        "a link downloads an attached file without a token, and its SHA-256 is known",
        file.content == _FILE and attached["sha256"] == sha256(_FILE).hexdigest(),
    )
