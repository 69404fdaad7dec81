"""The chapters of the demo: each does something and checks claims about the result."""

import asyncio
import os
import signal
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import pairwise
from typing import Any
from uuid import uuid4

from audit.verify import verify
from cli.story.claims import STORY_PASSWORD, ClaimFailed, Story
from cli.story.teamwork import work_together

CLIENTS = 8
TASKS = 20
LOAD_TASKS = 60


async def found(story: Story) -> None:
    """Register an organization and create a project."""
    await story.ask(
        "POST",
        "/auth/register",
        {
            "email": story.email,
            "password": STORY_PASSWORD,
            "name": "Ana",
            "organization": {"name": "Demo", "subdomain": story.slug},
        },
    )
    login = await story.ask(
        "POST", "/auth/login", {"email": story.email, "password": STORY_PASSWORD}
    )
    story.http.headers["authorization"] = f"Bearer {login['accessToken']}"
    profile = await story.ask("GET", "/auth/profile")
    story.claim("whoever registers an organization becomes its ADMIN", profile["role"] == "ADMIN")
    plan = f"/org/{profile['organizationId']}/plan"
    story.organization = await story.ask("PATCH", plan, {"plan": "PREMIUM"})
    story.project = await story.ask("POST", "/project", {"key": "ENG", "name": "Engineering"})
    story.claim("a plain GET returns the new project ENG at once", await _project_is_there(story))


async def _project_is_there(story: Story) -> bool:
    projects = await story.ask("GET", "/project")
    return [p["id"] for p in projects["items"]] == [story.project["id"]]


async def subscribe(story: Story) -> None:
    """Subscribe a receiver that refuses the first delivery."""
    story.webhook = await story.ask(
        "POST", "/webhook", {"url": story.receiver.url, "events": ["task.*"]}
    )
    story.receiver.secret = story.webhook["secret"]
    again = await story.ask("GET", f"/webhook/{story.webhook['id']}")
    story.claim("the webhook's secret is shown only once", "secret" not in again)
    story.receiver.refuse_next = 1


async def crowd(story: Story) -> None:
    """Create tasks from several clients concurrently."""
    numbers = iter(range(1, TASKS + 1))

    async def client() -> None:
        for number in numbers:
            await _create(story, f"Task {number}")

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    keys = await _keys(story)
    expected = [f"ENG-{n}" for n in range(1, TASKS + 1)]
    story.claim("their keys are ENG-1 to ENG-20, without gaps or duplicates", keys == expected)


async def move(story: Story) -> None:
    """Move a task through its statuses, and try a forbidden one."""
    first = await story.ask("GET", "/task/ENG-1")
    path = f"/task/{first['id']}/status"
    for status in ("IN_PROGRESS", "IN_REVIEW", "DONE"):
        moved = await story.ask("POST", path, {"status": status})
    story.claim("ENG-1 went through review to DONE", moved["status"] == "DONE")
    refused = await story.http.post(path, json={"status": "IN_REVIEW"})
    told = refused.json()
    story.claim(
        "a forbidden status is refused, and the error lists the allowed ones",
        refused.status_code == 409 and told["allowed"] == ["TODO", "IN_PROGRESS"],
    )
    named, change = {"x-correlation-id": "oops"}, {"title": "Oops", "priority": "URGENT"}
    await story.ask("PATCH", f"/task/{first['id']}", change, **named)
    undone = await story.ask("POST", "/undo/oops")
    back = await story.ask("GET", f"/task/{first['id']}")
    story.claim(
        "one undo gives a title and a priority back, and the log has both ways",
        undone["undone"] == 2 and (back["title"], back["version"]) == (first["title"], 8),
    )


async def deliver(story: Story) -> None:
    """Wait for the webhooks and compare them with the log."""
    trail = await _events(story, "task.")
    expected = len(trail)

    async def all_there() -> bool:
        return len({e["id"] for e in story.receiver.accepted}) >= expected

    await story.until(all_there, f"{expected} webhooks")
    accepted = story.receiver.accepted
    story.claim(
        f"{expected} events arrived, each verified by the standardwebhooks library",
        {e["id"] for e in accepted} == {e["id"] for e in trail} and not story.receiver.forged,
    )
    story.claim(
        "the refused one was sent again with the same id",
        set(story.receiver.refused) <= {e["id"] for e in accepted} and story.receiver.refused,
    )
    by_stream: dict[str, list[int]] = defaultdict(list)
    for event in accepted:
        by_stream[event["stream"]["id"]].append(event["seq"])
    story.claim(
        "every task's events arrived in order",
        all(seqs == sorted(seqs) for seqs in by_stream.values()),
    )
    chain = {e["seq"]: e["prevSeq"] for e in accepted}
    seqs = sorted(chain)
    story.claim(
        "each names the previous one, so none was missed",
        all(chain[b] == a for a, b in pairwise(seqs)),
    )


async def prove(story: Story) -> None:
    """Export the audit log, verify it, and flip one bit."""
    answer = await story.http.get("/audit/export", params={"format": "jsonl"})
    answer.raise_for_status()
    story.export = answer.content
    lines = story.export.splitlines(keepends=True)
    report = verify(lines)
    story.claim(f"{report.events} exported events verify without server or database", report.ok)
    line = len(lines) // 2
    flipped = bytearray(lines[line])
    flipped[len(flipped) // 2] ^= 1
    report = verify([*lines[:line], bytes(flipped), *lines[line + 1 :]])
    story.claim(
        f"one flipped bit in line {line + 1} is found and reported with its line",
        not report.ok and report.problems[0].line == line + 1,
    )


async def kill(story: Story) -> None:
    """Kill each process while clients are working."""
    acknowledged: list[dict[str, Any]] = []
    numbers = iter(range(LOAD_TASKS))

    async def client() -> None:
        for number in numbers:
            asked = {"title": f"Under fire {number}"}
            path = f"/project/{story.project['id']}/tasks"
            acknowledged.append(await story.insist("POST", path, asked, uuid4().hex))

    load = asyncio.gather(*(client() for _ in range(CLIENTS)))
    for name in ("serve", "follow"):
        pid = story.refresh().processes[name]
        os.kill(pid, signal.SIGKILL)
        story.console.print(f"    killed {name} (process {pid})")
        await story.until(partial(_is_new, story, name, pid), f"{name} to be restarted")
    await load
    expected = [f"ENG-{n}" for n in range(1, TASKS + LOAD_TASKS + 1)]
    await story.until(partial(_serves, story), "the API to answer again")
    keys = await _keys(story)
    story.claim("API, worker and projector were killed and restarted automatically", True)
    story.claim("no acknowledged task was lost, none was created twice", keys == expected)
    titles = {task["key"]: task["title"] for task in acknowledged}
    shown = {task["key"]: task["title"] for task in await _tasks(story)}
    story.claim("each task is as its client was told", titles.items() <= shown.items())


async def _is_new(story: Story, name: str, old: int) -> bool:
    return story.refresh().processes.get(name, old) != old


async def _serves(story: Story) -> bool:
    answer = await story.http.get("/health/ready")
    return answer.status_code == 200 and answer.json()["behind"]["projector"] == 0


async def compare_rebuilt(story: Story) -> None:
    """Rebuild every read model next to the live one and compare."""
    environment = {**os.environ, **story.running.environment, "DATA_DIR": story.running.data_dir}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cli",
        "rebuild",
        "--all",
        "--verify",
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    for line in filter(None, output.decode().splitlines()):
        story.console.print(f"    {line}", soft_wrap=True)
    story.claim("every read model matches the log", process.returncode == 0)


async def _create(story: Story, title: str) -> Any:
    return await story.ask("POST", f"/project/{story.project['id']}/tasks", {"title": title})


async def _tasks(story: Story) -> list[dict[str, Any]]:
    return await _all(story, f"/project/{story.project['id']}/tasks")


async def _keys(story: Story) -> list[str]:
    keys: list[str] = [task["key"] for task in await _tasks(story)]
    return sorted(keys, key=lambda key: int(key.partition("-")[2]))


async def _events(story: Story, prefix: str) -> list[dict[str, Any]]:
    return [e for e in await _all(story, "/audit") if e["type"].startswith(prefix)]


async def _all(story: Story, path: str) -> list[dict[str, Any]]:
    """Return the items of all pages of a list.

    :raises ClaimFailed: the list does not end.
    """
    items: list[dict[str, Any]] = []
    query = "?limit=100"
    for _ in range(100):
        page = await story.ask("GET", f"{path}{query}")
        items += page["items"]
        if page["nextCursor"] is None:
            return items
        query = f"?limit=100&cursor={page['nextCursor']}"
    raise ClaimFailed(f"{path} does not end")


CHAPTERS: tuple[tuple[str, Callable[[Story], Awaitable[None]]], ...] = (
    ("A new organization", found),
    ("A webhook whose receiver fails at first", subscribe),
    ("20 tasks from 8 concurrent clients", crowd),
    ("Status changes and business rules", move),
    ("Signed webhooks: retried, in order, complete", deliver),
    ("A private project, planned and discussed by two people", work_together),
    ("The audit log, verified offline", prove),
    ("kill -9 during the work", kill),
    ("Every read model, rebuilt from the log and compared", compare_rebuilt),
)
