"""An Idempotency-Key that one request has used never makes another one look done."""

from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from litestar import Litestar

from commands.stored_replies import REPLIES_KEPT, SECRETS_KEPT
from domain.base import OrgId
from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.http.command_bodies import COMMANDS, HOOK
from tests.api.stage import (
    MovableClock,
    Person,
    done,
    join,
    log_in,
    refused,
    sign_up,
    unique,
)
from tools.http import description

FIRST = (
    "POST /api/project",
    "PATCH /api/task/{task}",
    "POST /api/webhook",
    "POST /api/project/{project}/resume",
)
"""Commands that create or change something, show a secret, and have nothing to do."""

READS = (
    "GET /api/audit/export",
    "HEAD /api/audit/export",
    "GET /api/project",
    "HEAD /api/task/{task}",
)


def body_of(route: str, known: dict[str, str]) -> dict[str, Any]:
    """Return the body of a command, as a request takes it; a file is sent as it is."""
    body = COMMANDS.get(route)
    if isinstance(body, bytes):
        return {"content": body}
    if body is not None:
        body = {n: v.format(**known) if isinstance(v, str) else v for n, v in body.items()}
    return {"json": body}


class Here(NamedTuple):
    """Somebody, and what they have to work on."""

    ana: Person
    known: dict[str, str]

    async def ask(self, route: str, key: str) -> Any:
        """Send a request with an Idempotency-Key."""
        method, path = route.format(**self.known).split(" ")
        about = {**body_of(route, self.known), "headers": {"idempotency-key": key}}
        return await self.ana.ask(method, path.removeprefix("/api"), **about)


@pytest.fixture
async def here(app: Litestar, system: System, ana: Person) -> Here:
    ben = await sign_up(app)
    await join(system, ben, ana.org_id, Role.MEMBER)
    project = await ana.project()
    task, webhook = await ana.task(project), done(await ana.post("/webhook", HOOK), 201)
    comment = done(await ana.post(f"/task/{task['id']}/comments", {"body": "Oiled?"}), 201)
    spent = done(await ana.post(f"/task/{task['id']}/worklogs", {"minutes": 30}), 201)
    inviting = f"/org/{ana.org_id}/invitations"
    invitation = done(await ana.post(inviting, {"email": "cleo@example.com"}), 201)
    api_key = done(await ana.post("/apikey", COMMANDS["POST /api/apikey"]), 201)
    [session, *_] = done(await ana.get("/auth/sessions"), 200)["items"]
    known = {
        **await ana.others(project),
        "organization_id": ana.org_id,
        "user_id": ben.id,
        "ben": ben.id,
        "project_id": project["id"],
        "project": project["id"],
        "team_id": done(await ana.post("/team", {"name": "Gears"}), 201)["id"],
        "comment_id": comment["id"],
        "emoji": "👍",
        "worklog_id": spent["id"],
        "attachment_id": (await ana.file(task["id"]))["id"],
        "task": task["id"],
        "webhook_id": webhook["id"],
        "session_id": session["id"],
        "invitation_id": invitation["id"],
        "api_key_id": api_key["id"],
        "unique": unique()[-20:],
        "correlation_id": await estimated(ana, task["id"]),
        "seq": await retitled(ana, task["id"]),
    }
    return Here(ana, known)


async def estimated(person: Person, task: str) -> str:
    """Estimate a task; return by what that can be undone."""
    headers = {"x-correlation-id": unique("c")}
    done(await person.patch(f"/task/{task}", {"estimate": 3}, headers=headers), 200)
    return headers["x-correlation-id"]


async def retitled(person: Person, task: str) -> str:
    """Give a task another title; return the event that has the first one."""
    done(await person.patch(f"/task/{task}", {"title": "Grease it"}), 200)
    [created] = done(await person.get(f"/audit?type=task.created&stream={task}"), 200)["items"]
    return str(created["seq"])


async def heads(system: System) -> list[int]:
    return [await system.log.last_position(part) for part in range(system.log.parts)]


def test_every_command_that_takes_a_key_is_tried() -> None:
    taking = {
        f"{method.upper()} {path}"
        for path, item in description()["paths"].items()
        for method, operation in item.items()
        if "IdempotencyKey" in str(operation)
    }

    assert taking == COMMANDS.keys()


@pytest.mark.parametrize("first", FIRST)
async def test_a_key_used_for_one_command_is_refused_for_every_other(
    system: System, here: Here, first: str
) -> None:
    assert (await here.ask(first, "key")).is_success
    before = await heads(system)

    for other in COMMANDS.keys() - {first}:
        answer = await here.ask(other, "key")
        assert (other, answer.status_code) == (other, 422)
        refused(answer, 422, "idempotency_key_reused")

    assert await heads(system) == before


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_command_that_used_a_key_leaves_none_for_another(here: Here, command: str) -> None:
    first = await here.ask(command, "key")
    if command == "POST /api/auth/change-password":
        here.ana.token = done(first, 200)["accessToken"]

    answer = await here.ask("PATCH /api/project/{project}", "key")

    if answer.is_success:  # because the first did not use the key
        assert first.is_client_error or command == "PATCH /api/project/{project}"
        project = await here.ana.get(f"/project/{here.known['project_id']}")
        assert done(project, 200)["name"] == "Motors"


@pytest.mark.parametrize("read", READS)
async def test_a_read_uses_up_no_key(here: Here, read: str) -> None:
    for key in ("key", "not a key that anybody would take", ""):
        assert (await here.ask(read, key)).is_success

    done(await here.ask("DELETE /api/project/{project}", "key"), 204)

    gone = await here.ana.get(f"/project/{here.known['project_id']}")
    refused(gone, 404, "not_found")


async def test_a_key_belongs_to_the_organization_that_it_was_used_in(
    app: Litestar, system: System, ana: Person
) -> None:
    other = await sign_up(app)
    body, key = {"key": "ENG", "name": "Engine"}, {"idempotency-key": "both"}
    first = done(await ana.post("/project", body, headers=key), 201)
    await join(system, ana, other.org_id, Role.ADMIN)

    second = done(await ana.post("/project", body, headers=key), 201)

    assert first["id"] != second["id"]


async def test_a_reply_is_repeated_for_72_hours_and_its_secret_for_10_minutes(
    ana: Person, clock: MovableClock
) -> None:
    async def ask() -> Any:
        ana.token = await log_in(ana.client, ana.email)
        return await ana.post("/webhook", HOOK, headers={"idempotency-key": "hook"})

    first = done(await ask(), 201)
    clock.ahead = SECRETS_KEPT
    without = await ask()
    clock.ahead = REPLIES_KEPT
    late = await ask()

    secret = first.pop("secret")
    assert secret.startswith("whsec_")
    assert done(without, 201) == first
    assert without.headers["location"] == f"/api/webhook/{first['id']}"
    assert refused(late, 409, "already_done")["position"] > 0
    assert len(done(await ana.get("/webhook"), 200)["items"]) == 1


async def test_no_text_of_a_reply_stands_in_the_database_in_the_clear(
    system: System, ana: Person
) -> None:
    canary = f"canary-{unique()}"
    project = await ana.project()
    path, key = f"/project/{project['id']}/tasks", {"idempotency-key": f"key-{canary}"}
    body = {"title": f"title-{canary}", "description": f"description-{canary}"}

    done(await ana.post(path, body, headers=key), 201)
    repeated = await ana.post(path, body, headers=key)

    assert repeated.headers["idempotent-replayed"] == "true"
    assert canary in repeated.text
    assert canary.encode() not in _database(system)
    assert UUID(ana.org_id).bytes in _database(system)
    assert await system.log.organization_head(OrgId(UUID(ana.org_id))) > 0


def _database(system: System) -> bytes:
    path = system.settings.events_url.removeprefix("sqlite:///")
    return b"".join(Path(path + suffix).read_bytes() for suffix in ("", "-wal"))
