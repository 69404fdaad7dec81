"""What `make run` creates on its first start, and only then."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.story.seed import DEMO_EMAIL, DEMO_PASSWORD, SEEDED_FILE, seed
from tests.acceptance.system import System, data_directory

_PLANS = ("cycles", "milestones")
pytestmark = [pytest.mark.acceptance, pytest.mark.servers]


class Visitor:
    """Somebody who logs in as the demo's ADMIN and looks around."""

    def __init__(self, url: str, http: httpx.Client) -> None:
        self.url, self.http = url, http
        login = {"email": DEMO_EMAIL, "password": DEMO_PASSWORD}
        token = self.http.post("/auth/login", json=login).raise_for_status().json()["accessToken"]
        self.http.headers["authorization"] = f"Bearer {token}"

    def see(self, path: str) -> Any:
        shown = self.http.get(path).raise_for_status().json()
        return shown.get("items", shown)


@pytest.fixture(scope="module")
def visitor() -> Iterator[Visitor]:
    with data_directory() as directory:
        started = System(directory)
        started.options = ()
        try:
            started.start()
            url = started.running.url
            with httpx.Client(base_url=f"{url}/api", timeout=30) as http:
                yield Visitor(url, http)
        finally:
            started.stop()


def test_a_team_has_a_lead_and_a_private_project_with_its_own_workflow(visitor: Visitor) -> None:
    [team] = visitor.see("/team")
    projects = {each["key"]: each for each in visitor.see("/project")}
    engineering, hiring = projects["ENG"], projects["HIRE"]
    lead, colleague = team["members"]

    assert [lead["role"], colleague["role"]] == ["LEAD", "MEMBER"]
    assert (engineering["visibility"], hiring["visibility"]) == ("ORGANIZATION", "PRIVATE")
    assert {engineering["teamId"], hiring["teamId"]} == {team["id"]}
    assert colleague["userId"] in [each["userId"] for each in visitor.see("/project/HIRE/members")]
    workflow = visitor.see("/project/HIRE/workflow")
    assert [each["key"] for each in workflow["statuses"]][:2] == ["APPLIED", "INTERVIEW"]
    assert visitor.see("/task/HIRE-1")["status"] == "INTERVIEW"


def test_a_project_has_a_task_template(visitor: Visitor) -> None:
    site = next(each["id"] for each in visitor.see("/project") if each["key"] == "SITE")
    [template] = visitor.see(f"/template?projectId={site}")

    assert (template["name"], template["task"]["dueIn"]) == ("A page", 14)
    assert len(template["subtasks"]) == 2


def test_projects_are_on_hold_archived_and_have_other_keys(visitor: Visitor) -> None:
    projects = {each["key"]: each["status"] for each in visitor.see("/project")}
    old = [visitor.see(f"/task/PAST-{number}") for number in (1, 2, 3)]

    assert projects == {
        "APP": "ON_HOLD",
        "ENG": "ACTIVE",
        "HIRE": "ACTIVE",
        "IDEA": "ACTIVE",
        "PAST": "ARCHIVED",
        "SITE": "ACTIVE",
    }
    assert visitor.see("/project/WEB")["key"] == "SITE"
    assert visitor.see("/task/WEB-1")["key"] == "SITE-1"
    assert visitor.see("/task/IDEA-1")["title"] == "Write a blog"
    assert visitor.see("/task/IDEA-1")["key"].startswith("SITE-")
    assert {each["imported"]["author"] for each in old} == {"Jo Old"}


def test_the_website_is_planned_with_all_that_a_task_can_have(visitor: Visitor) -> None:
    home, press = visitor.see("/task/SITE-1"), visitor.see("/task/SITE-6")
    [cycle], [milestone] = (visitor.see(f"/project/SITE/{each}") for each in _PLANS)
    [label] = visitor.see(f"/label?projectId={home['projectId']}")
    fields = [each["type"] for each in visitor.see("/project/SITE/fields")]
    views = [
        (each["name"], each["shared"])
        for each in visitor.see(f"/view?projectId={home['projectId']}")
    ]

    assert (home["cycleId"], home["milestoneId"]) == (cycle["id"], milestone["id"])
    assert cycle["progress"] == milestone["progress"] == {"done": 0, "all": 2}
    assert home["subtasks"] == {"done": 1, "all": 2}
    assert press["dueAt"] == "2031-06-12T15:00:00Z"
    assert press["recurrence"]["rrule"] == "FREQ=MONTHLY;BYMONTHDAY=12;COUNT=6"
    assert press["recurrence"]["next"] == "2031-07-12"
    assert (press["estimate"], press["labels"]) == (2, [label["id"]])
    assert len(press["watchers"]) == 2
    assert sorted(fields) == ["date", "multi_select", "number", "text", "user"]
    assert {*press["fields"]} == {"approver", "channels", "live_on", "source", "words"}
    titles = [each["title"] for each in visitor.see("/task?project=SITE&status=TODO&sort=rank")]
    assert titles.index("Tell the press") + 1 == titles.index("Open the shop")
    assert views == [("Mine on the website", False), ("Next", True)]
    kinds = [each["kind"] for key in (1, 5) for each in visitor.see(f"/task/SITE-{key}/relations")]
    assert sorted(kinds) == ["blocked_by", "blocks", "duplicated_by", "relates"]


def test_the_website_is_discussed_and_something_is_in_the_trash(visitor: Visitor) -> None:
    question, answer, sketch = visitor.see("/task/SITE-1/comments")
    trash = [(each["type"], each["name"]) for each in visitor.see("/trash")]
    kinds = {each["kind"] for each in visitor.see("/inbox")}

    assert (answer["parentId"], answer["edits"]) == (question["id"], 1)
    assert sketch["body"] == "Here is the sketch."
    assert [each["name"] for each in visitor.see("/task/SITE-1/attachments")] == ["sketch.svg"]
    assert [each for each, _ in trash] == ["project", "task", "worklog", "comment"]
    assert [visitor.see(f"/task/SITE-{n}")["timeSpentMinutes"] for n in (1, 6)] == [165, 30]
    assert [each["title"] for each in visitor.see("/task?deleted=true")] == ["Add a guest book"]
    assert len(visitor.see("/search?q=add a map")) == 2
    assert kinds >= {"mentioned", "commented"}


def test_administrators_see_a_deleted_project_and_a_paused_webhook(visitor: Visitor) -> None:
    [hook] = visitor.see("/webhook")
    [deleted] = visitor.see("/trash?type=project")

    assert (hook["privateProjects"], hook["status"]) == (True, "PAUSED")
    assert deleted["name"] == "Trade fair"
    assert deleted["purgeAt"] is not None
    assert visitor.http.get("/inbox").json()["digest"] is True


def test_a_second_organization_is_under_a_legal_hold(visitor: Visitor) -> None:
    own = {each["name"]: each for each in visitor.see("/user/me/organizations")}
    assert own["Acme"]["active"], "a login leads there"

    def switch(name: str) -> None:
        asked = {"organizationId": own[name]["id"]}
        visitor.http.post("/auth/switch-organization", json=asked).raise_for_status()

    switch("Acme Records")
    try:
        [case] = visitor.see("/trash")
        purged = visitor.http.delete(f"/trash/project/{case['id']}")
    finally:
        switch("Acme")

    assert (case["type"], case["purgeAt"]) == ("project", None)
    assert (purged.status_code, purged.json()["code"]) == (409, "legal_hold")


def test_a_task_is_planned_and_blocked(visitor: Visitor) -> None:
    release = visitor.see("/task/ENG-6")
    labels = {label["id"]: label["name"] for label in visitor.see("/label")}
    [relation] = visitor.see("/task/ENG-6/relations")
    [subtask] = visitor.see("/task/ENG-6/subtasks")

    assert {labels[each] for each in release["labels"]} == {"release", "customers wait"}
    assert (release["startDate"], release["dueDate"]) == ("2031-05-05", "2031-05-16")
    assert release["estimate"] == 8
    assert (relation["kind"], relation["key"], release["blocked"]) == ("blocked_by", "ENG-4", True)
    assert subtask["key"] == "ENG-7"


def test_two_people_discuss_a_task_and_watch_it(visitor: Visitor) -> None:
    question, answer = visitor.see("/task/ENG-6/comments")
    [file] = visitor.see("/task/ENG-6/attachments")

    people = [question["createdBy"], answer["createdBy"]]
    assert answer["parentId"] == question["id"]
    assert question["mentions"] == people[1:]
    assert visitor.see("/task/ENG-6")["watchers"] == people
    assert len(set(people)) == 2
    assert file["name"] == "checklist.txt"


def test_a_later_start_creates_nothing_again(visitor: Visitor, tmp_path: Path) -> None:
    def newest() -> int:
        [event] = visitor.see("/audit?category=work&limit=1")
        return int(event["seq"])

    before = newest()

    seed(visitor.url, tmp_path)  # as if the file had been lost that says that it was done
    seed(visitor.url, tmp_path)

    assert (tmp_path / SEEDED_FILE).exists()
    assert newest() == before
