"""A stored reply is repeated only to a caller who is still authenticated, permitted and sees it.

Of all commands, roles and ways to lose access, a sample is tried; all of them with WHOLE_MATRIX=1,
which takes some minutes.
"""

import os
import random
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import pytest
from litestar import Litestar
from msgspec.structs import replace

from api.app import create_app
from commands.handler import CommandHandler
from domain.identity.organization.membership import Role
from domain.identity.user.events import UserDeactivated
from domain.permission import Permission, is_allowed
from runtime.system import System
from tests.api.http.command_bodies import COMMANDS, HOOK
from tests.api.http.test_keys_between_routes import body_of, estimated, retitled
from tests.api.stage import (
    PASSWORD,
    Person,
    client_of,
    done,
    join,
    log_in,
    refused,
    sign_up,
    unique,
)
from tests.spec import on, record
from tools.http import description

KEY = {"idempotency-key": "once"}


class Case(NamedTuple):
    """Somebody with a role sends a command, loses access, and sends it again."""

    command: str
    role: Role
    loss: str

    def __str__(self) -> str:
        return f"{self.command}, {self.role.value}, {self.loss}"


async def _demote(system: System, ana: Person, ben: Person) -> httpx.Response:
    return await ana.patch(f"/org/{ana.org_id}/members/{ben.id}", {"role": "MEMBER"})


async def _remove(system: System, ana: Person, ben: Person) -> httpx.Response:
    return await ana.delete(f"/org/{ana.org_id}/members/{ben.id}")


async def _suspend(system: System, ana: Person, ben: Person) -> httpx.Response:
    return await ana.patch(f"/org/{ana.org_id}/members/{ben.id}", {"active": False})


async def _delete_organization(system: System, ana: Person, ben: Person) -> httpx.Response:
    return await ana.delete(f"/org/{ana.org_id}")


async def _log_out(system: System, ana: Person, ben: Person) -> httpx.Response:
    return await ben.post("/auth/logout")


async def _change_password(system: System, ana: Person, ben: Person) -> httpx.Response:
    body = {"currentPassword": PASSWORD, "newPassword": "granite-lantern-7-sky"}
    return await ben.post("/auth/change-password", body)


async def _end_session(system: System, ana: Person, ben: Person) -> Any:
    sessions = await ben.get("/auth/sessions")
    if sessions.status_code == 401:
        return sessions  # the command itself has ended it
    [own] = [each["id"] for each in sessions.json()["items"] if each["current"]]
    return await ben.delete(f"/auth/sessions/{own}")


async def _deactivate(system: System, ana: Person, ben: Person) -> Any:
    return await record(system.log, on(UUID(ben.id), UserDeactivated()))


MEMBERSHIP: dict[str, Callable[[System, Person, Person], Awaitable[Any]]] = {
    "demoted": _demote,
    "removed": _remove,
    "suspended": _suspend,
    "organization deleted": _delete_organization,
}
"""Ways to lose what a role permits, by somebody else."""

ACCOUNT: dict[str, Callable[[System, Person, Person], Awaitable[Any]]] = {
    "logged out": _log_out,
    "session ended": _end_session,
    "password changed": _change_password,
    "deactivated": _deactivate,
}
"""Ways to lose the session, and with it everything."""


def _cases() -> list[Case]:
    """Return every case in which access is lost that was there before."""
    needs = {
        f"{method.upper()} {path}": operation.get("x-needs")
        for path, item in description()["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }
    found: list[Case] = []
    for command in COMMANDS:
        if needs[command] is None:
            found += [Case(command, Role.ADMIN, loss) for loss in ACCOUNT]
            continue
        needed = Permission(needs[command])
        for role in filter(lambda role: is_allowed(role, needed), Role):
            losses = MEMBERSHIP.keys() | ACCOUNT.keys()
            if is_allowed(Role.MEMBER, needed):
                losses -= {"demoted"}
            found += [Case(command, role, loss) for loss in sorted(losses)]
    return found


def _sample(cases: list[Case]) -> list[Case]:
    """Return two cases of each command, the same in every run."""
    chance = random.Random(8)  # noqa: S311 - nothing secret
    by_command = [[case for case in cases if case.command == command] for command in COMMANDS]
    return [case for some in by_command for case in chance.sample(some, 2)]


CASES = _cases() if "WHOLE_MATRIX" in os.environ else _sample(_cases())


@pytest.fixture(scope="module")
def other_process(system: System) -> Litestar:
    """Return an application with its own memory, like another process."""
    return create_app(replace(system, commands=CommandHandler(system.log)))


def _through(app: Litestar, person: Person) -> Person:
    """Return *person* with the same token, using another application."""
    profile = {"id": person.id, "organizationId": person.org_id}
    return Person(client_of(app), person.email, profile, person.token)


async def _asked(person: Person, command: str, known: dict[str, str]) -> httpx.Response:
    method, path = command.format(**known).split(" ")
    about = body_of(command, known)
    return await person.ask(method, path.removeprefix("/api"), headers=KEY, **about)


async def _furnished(app: Litestar, system: System, ana: Person, ben: Person) -> dict[str, str]:
    """Make one of everything and return the ids for the paths; some of it is Ben's own."""
    done(await ana.patch(f"/org/{ana.org_id}/plan", {"plan": "BASIC"}), 200)  # MEMBERs have keys
    cleo = await sign_up(app)
    await join(system, cleo, ana.org_id, Role.MEMBER)
    project = await ana.project()
    invitation = {"email": f"{unique()}@example.com"}
    inviting = f"/org/{ana.org_id}/invitations"
    await log_in(ben.client, ben.email)
    sessions = done(await ben.get("/auth/sessions"), 200)["items"]
    task = (await ben.task(project))["id"]
    comment = done(await ben.post(f"/task/{task}/comments", {"body": "Oiled?"}), 201)
    spent = done(await ben.post(f"/task/{task}/worklogs", {"minutes": 30}), 201)
    other = (await ben.task(project))["id"]
    return {
        **{"other": other, "other_id": other, "kind": "blocks"},
        "organization_id": ana.org_id,
        "user_id": cleo.id,
        "ben": ben.id,
        "project_id": project["id"],
        "project": project["id"],
        "team_id": done(await ana.post("/team", {"name": "Gears"}), 201)["id"],
        "task": task,
        "comment_id": comment["id"],
        "worklog_id": spent["id"],
        "attachment_id": (await ben.file(task))["id"],
        **await ana.others(project),
        "view_id": done(await ben.post("/view", {"name": "Own"}), 201)["id"],
        "webhook_id": done(await ana.post("/webhook", HOOK), 201)["id"],
        "api_key_id": done(await ben.post("/apikey", COMMANDS["POST /api/apikey"]), 201)["id"],
        "invitation_id": done(await ana.post(inviting, invitation), 201)["id"],
        "session_id": next(each["id"] for each in sessions if not each["current"]),
        "unique": unique()[-20:],
        "emoji": "👍",
        "correlation_id": await estimated(ben, task),
        "seq": await retitled(ana, task),
    }


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_a_caller_who_lost_access_gets_no_stored_reply(
    app: Litestar, other_process: Litestar, system: System, case: Case
) -> None:
    ana, ben = await sign_up(app), await sign_up(app)
    await join(system, ben, ana.org_id, case.role)
    known = await _furnished(app, system, ana, ben)
    if case.role is Role.MEMBER and case.command.endswith("/members/{user_id}"):
        known["user_id"] = ben.id  # a MEMBER may only leave
    first = await _asked(ben, case.command, known)
    assert first.status_code not in (401, 403), first.text

    await (MEMBERSHIP | ACCOUNT)[case.loss](system, ana, ben)

    elsewhere = _through(other_process, ben)
    for process in (ben, elsewhere):
        again = await _asked(process, case.command, known)
        assert again.is_client_error, again.text
        assert "idempotent-replayed" not in again.headers


async def test_a_retry_gets_the_same_bytes_from_every_process(
    app: Litestar, other_process: Litestar, ana: Person
) -> None:
    key = {"idempotency-key": unique()}
    first = await ana.post("/project", {"key": "REP", "name": "Repeat"}, headers=key)
    elsewhere = _through(other_process, ana)

    for process in (ana, elsewhere):
        again = await process.post("/project", {"key": "REP", "name": "Repeat"}, headers=key)
        assert again.content == first.content
        assert again.headers["idempotent-replayed"] == "true"


async def test_whoever_loses_sight_of_what_they_made_gets_no_stored_reply(
    app: Litestar, other_process: Litestar, system: System, ana: Person
) -> None:
    ben = await sign_up(app, organization=False)
    await join(system, ben, ana.org_id, Role.MANAGER)
    elsewhere = _through(other_process, ben)
    body = {"key": "HID", "name": "Quicksilver", "visibility": "PRIVATE"}
    project = await _made_with_key(ben, elsewhere, "/project", body)
    path = f"/project/{project['id']}"
    task = await _made_with_key(ben, elsewhere, f"{path}/tasks", {"title": "Quicksilver"})
    opened = done(await ben.post("/project", {"key": "OPEN", "name": "Open"}), 201)
    moving = f"/project/{opened['id']}/tasks"
    moved = await _made_with_key(ben, elsewhere, moving, {"title": "Quicksilver"})
    done(await ben.post(f"/task/{moved['id']}/move", {"projectId": project["id"]}), 200)
    asked = [
        ("/project", body),
        (f"{path}/tasks", {"title": "Quicksilver"}),
        (moving, {"title": "Quicksilver"}),
        (f"/task/{task['id']}/comments", {"body": "Quicksilver"}),
        ("/label", {"name": "Quicksilver", "color": "#ff0000", "projectId": project["id"]}),
    ]
    for route, sent in asked[3:]:
        await _made_with_key(ben, elsewhere, route, sent)

    done(await ana.delete(f"{path}/members/{ben.id}"), 204)

    for route, sent in asked:
        for process in (elsewhere, ben):
            again = await process.ask("POST", route, json=sent, headers={"idempotency-key": route})
            refused(again, 404, "not_found")


async def _made_with_key(ben: Person, elsewhere: Person, route: str, body: Any) -> Any:
    """Make something, and see that both processes repeat the reply."""
    key = {"idempotency-key": route}
    made = done(await ben.ask("POST", route, json=body, headers=key), 201)
    for process in (ben, elsewhere):
        assert done(await process.ask("POST", route, json=body, headers=key), 201) == made
    return made
