"""What `make run` creates on its first start, and only then."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.story.seed import DEMO_EMAIL, DEMO_PASSWORD, SEEDED_FILE, seed
from tests.acceptance.system import System, data_directory

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
    engineering, hiring = visitor.see("/project")

    assert [member["role"] for member in team["members"]] == ["LEAD", "MEMBER"]
    assert (engineering["key"], engineering["visibility"]) == ("ENG", "ORGANIZATION")
    assert (hiring["key"], hiring["visibility"]) == ("HIRE", "PRIVATE")
    assert {engineering["teamId"], hiring["teamId"]} == {team["id"]}
    workflow = visitor.see("/project/HIRE/workflow")
    assert [each["key"] for each in workflow["statuses"]][:2] == ["APPLIED", "INTERVIEW"]
    assert visitor.see("/task/HIRE-1")["status"] == "INTERVIEW"


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
