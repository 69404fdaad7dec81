"""An organization in which all that work can have is used, and what its members see of it."""

import asyncio
from typing import Any

import httpx
from litestar import Litestar

from cli.story.acme import Acme
from tests.api.stage import PASSWORD, Json, Person, client_of, done

_OF_ALL = ("/project?limit=100", "/team", "/label", "/view", "/template", "/trash?limit=100")
_OF_PROJECT = (
    "",
    "/tasks?limit=100",
    "/tasks?deleted=true",
    "/board",
    "/cycles",
    "/milestones",
    "/fields",
    "/members",
    "/workflow",
    "/activity?limit=100",
)
_OF_TASK = (
    "",
    "/activity?limit=100",
    "/attachments",
    "/comments",
    "/relations",
    "/subtasks",
    "/worklogs",
)


class _Sending:
    """A client that stories use in a thread, while the application runs in the event loop."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client, self._loop = client, asyncio.get_running_loop()

    def request(self, method: str, path: str, **about: Any) -> httpx.Response:
        sending = self._client.request(method, f"/api{path}", **about)
        return asyncio.run_coroutine_threadsafe(sending, self._loop).result(60)

    def post(self, path: str, **about: Any) -> httpx.Response:
        return self.request("POST", path, **about)


async def fill(app: Litestar, ana: Person) -> None:
    """Do in Ana's organization what there is in that of the demo, and more."""
    client: Any = _Sending(client_of(app))
    await asyncio.to_thread(lambda: Acme(client, ana.email, PASSWORD).fill())
    await _more(ana)


async def _more(ana: Person) -> None:
    """Undo something, redact something, purge something, and mention things in texts."""
    project = done(await ana.post("/project", {"key": "MORE", "name": "More"}), 201)
    one, two = await ana.task(project, "One"), await ana.task(project, "Two")
    path = f"/task/{one['id']}/comments"
    said = done(await ana.post(path, {"body": f"See /task/{two['id']}"}), 201)
    named = {"headers": {"x-correlation-id": "a-mistake"}}
    await ana.patch(f"/task/{two['id']}", {"title": "Three", "estimate": 3}, **named)
    done(await ana.post("/undo/a-mistake"), 200)
    secret = done(await ana.post(path, {"body": "hunter2"}), 201)
    await ana.patch(f"{path}/{secret['id']}", {"body": "Nothing"})
    [posted, *_] = done(await ana.get("/audit?type=comment.posted"), 200)["items"]
    done(await ana.post(f"/audit/{posted['seq']}/redact", {"reason": "A password"}), 200)
    label = done(await ana.post("/label", {"name": "hunter3", "color": "#ff0000"}), 201)
    await ana.patch(f"/label/{label['id']}", {"name": "fine"})
    [renamed, *_] = done(await ana.get("/audit?type=label.created"), 200)["items"]
    done(await ana.post(f"/audit/{renamed['seq']}/redact", {"reason": "A password"}), 200)
    await ana.delete(f"/task/{one['id']}/comments/{said['id']}")
    gone = await ana.task(project, "Gone")
    await ana.delete(f"/task/{gone['id']}")
    done(await ana.delete(f"/trash/task/{gone['id']}"), 204)


async def seen(ana: Person) -> Json:
    """Return what *ana* sees of her organization, by path."""
    found = {path: await _shown(ana, path) for path in _OF_ALL}
    for project in found["/project?limit=100"]["items"]:
        for part in _OF_PROJECT:
            path = f"/project/{project['id']}{part}"
            found[path] = await _shown(ana, path)
        for task in found[f"/project/{project['id']}/tasks?limit=100"]["items"]:
            for part in _OF_TASK:
                path = f"/task/{task['id']}{part}"
                found[path] = await _shown(ana, path)
    for view in found["/view"]["items"]:
        path = f"/view/{view['id']}/tasks"
        found[path] = await _shown(ana, path)
    for path in ("/search?q=the", "/my-work", "/timesheet?from=2020-01-01&to=2020-01-20"):
        found[path] = await _shown(ana, path)
    return found


async def _shown(person: Person, path: str) -> Any:
    return done(await person.get(path), 200)
