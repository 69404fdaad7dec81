"""A stored reply is repeated only to a caller who is still authenticated and permitted."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import httpx
import pytest
from litestar import Litestar
from msgspec.structs import replace

from api.app import create_app
from commands.handler import CommandHandler
from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.stage import PASSWORD, Person, client_of, join, sign_up, unique

KEY = {"idempotency-key": "once"}


class Asked(NamedTuple):
    """A request for a command, and the lowest role that may send it."""

    method: str
    path: str
    body: Any = None
    least: Role = Role.ADMIN


COMMANDS: dict[str, Callable[[Any, Any, Any], Asked]] = {
    "create project": lambda ana, project, _: Asked(
        "POST", "/project", {"key": "OPS", "name": "Ops"}, Role.MANAGER
    ),
    "archive project": lambda ana, project, _: Asked(
        "POST", f"/project/{project['id']}/archive", None, Role.MANAGER
    ),
    "delete project": lambda ana, project, _: Asked(
        "DELETE", f"/project/{project['id']}", None, Role.MANAGER
    ),
    "create task": lambda ana, project, _: Asked(
        "POST", f"/project/{project['id']}/tasks", {"title": "New"}, Role.MEMBER
    ),
    "edit task": lambda ana, _, task: Asked(
        "PATCH", f"/task/{task['id']}", {"title": "Other"}, Role.MEMBER
    ),
    "delete task of somebody else": lambda ana, _, task: Asked(
        "DELETE", f"/task/{task['id']}", None, Role.MANAGER
    ),
    "create webhook": lambda *_: Asked(
        "POST", "/webhook", {"url": "https://example.com/hook", "events": ["*"]}
    ),
    "edit organization": lambda ana, *_: Asked("PATCH", f"/org/{ana.org_id}", {"name": "New"}),
    "change plan": lambda ana, *_: Asked("PATCH", f"/org/{ana.org_id}/plan", {"plan": "PREMIUM"}),
    "edit member": lambda ana, *_: Asked(
        "PATCH", f"/org/{ana.org_id}/members/{ana.id}", {"role": "ADMIN"}
    ),
}


async def _demote(ana: Person, ben: Person) -> httpx.Response:
    return await ana.patch(f"/org/{ana.org_id}/members/{ben.id}", {"role": "MEMBER"})


async def _remove(ana: Person, ben: Person) -> httpx.Response:
    return await ana.delete(f"/org/{ana.org_id}/members/{ben.id}")


async def _suspend(ana: Person, ben: Person) -> httpx.Response:
    return await ana.patch(f"/org/{ana.org_id}/members/{ben.id}", {"active": False})


async def _delete_organization(ana: Person, ben: Person) -> httpx.Response:
    return await ana.delete(f"/org/{ana.org_id}")


async def _log_out(ana: Person, ben: Person) -> httpx.Response:
    return await ben.post("/auth/logout")


async def _change_password(ana: Person, ben: Person) -> httpx.Response:
    body = {"currentPassword": PASSWORD, "newPassword": "granite-lantern-7-sky"}
    return await ben.post("/auth/change-password", body)


LOSSES: dict[str, Callable[[Person, Person], Awaitable[httpx.Response]]] = {
    "demoted": _demote,
    "removed": _remove,
    "suspended": _suspend,
    "organization deleted": _delete_organization,
    "logged out": _log_out,
    "password changed": _change_password,
}


@pytest.fixture(scope="module")
def other_process(system: System) -> Litestar:
    """Return an application with its own memory, like another process."""
    return create_app(replace(system, commands=CommandHandler(system.log)))


def _through(app: Litestar, person: Person) -> Person:
    """Return *person* with the same token, using another application."""
    profile = {"id": person.id, "organizationId": person.org_id}
    return Person(client_of(app), person.email, profile, person.token)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("command", COMMANDS)
async def test_a_caller_who_lost_access_gets_no_stored_reply(
    app: Litestar, other_process: Litestar, system: System, command: str, loss: str
) -> None:
    ana, ben = await sign_up(app), await sign_up(app)
    await join(system, ben, ana.org_id, Role.ADMIN)
    project = await ana.project()
    asked = COMMANDS[command](ana, project, await ana.task(project))
    if loss == "demoted" and asked.least is Role.MEMBER:
        pytest.skip("a MEMBER may still do that")
    first = await ben.ask(asked.method, asked.path, json=asked.body, headers=KEY)
    assert first.is_success, first.text

    lost = await LOSSES[loss](ana, ben)
    assert lost.is_success, lost.text

    elsewhere = _through(other_process, ben)
    for process in (ben, elsewhere):
        again = await process.ask(asked.method, asked.path, json=asked.body, headers=KEY)
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
