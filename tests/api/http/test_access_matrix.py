"""Who gets which answer from every route: a matrix of routes and callers, from real requests.

``access_matrix.txt`` is what was agreed on. ``make examples`` writes it again, and a new route adds
a line to it. Requests that would change something are dry runs where the route has one, and have an
empty body where not: whoever is let in then gets as far as 422.
"""

import os
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from litestar import Litestar

from domain.base import OrgId, UserId
from domain.identity.organization.membership import MemberDeactivated, Role
from domain.permission import KEY_PERMISSIONS
from runtime.system import System
from tests.api.http import test_keys_between_routes
from tests.api.http.command_bodies import COMMANDS
from tests.api.http.test_keys_between_routes import Here, body_of
from tests.api.stage import ENDING, Person, client_of, done, join, sign_up
from tests.spec import on, record
from tools.http import description

MATRIX = Path(__file__).with_name("access_matrix.txt")
NOWHERE = "00000000-0000-7000-8000-00000000dead"
_NO_IDS = ("unique", "type")
READING = {"task": ["read"], "project": ["read"], "org": ["read"]}
UNTRIED = {"HEAD", "OPTIONS"}
UNSTEADY = {"/health/ready", "/api/health/ready"}
"""Their answer depends on how far the read models are."""

here = test_keys_between_routes.here

Ask = Callable[[str, str, dict[str, Any]], Awaitable[httpx.Response]]


def routes() -> Iterator[tuple[str, bool]]:
    """Yield method and path of every route, and whether its command has dry runs."""
    for path, item in sorted(description()["paths"].items()):
        for method, operation in sorted(item.items()):
            tried = method.upper() not in UNTRIED and path not in UNSTEADY
            if tried and "operationId" in operation:
                route = f"{method.upper()} {path}"
                yield route, route in COMMANDS and "DryRun" in str(operation)


def by(client: httpx.AsyncClient, token: str | None) -> Ask:
    """Return what sends requests with *token*."""
    headers = {} if token is None else {"authorization": f"Bearer {token}"}

    async def ask(method: str, path: str, about: dict[str, Any]) -> httpx.Response:
        return await client.request(method, path, headers=headers, **about)

    return ask


async def callers(
    app: Litestar, client: httpx.AsyncClient, system: System, ana: Person
) -> dict[str, Ask]:
    """Return a caller of each kind: people in Ana's organization and out of it, and keys of hers.

    They all send through *client*, which keeps no cookies.
    """
    found: dict[str, Ask] = {"nobody": by(client, None), "ADMIN": by(client, ana.token)}
    for name, role in (("MANAGER", Role.MANAGER), ("MEMBER", Role.MEMBER), ("suspended", None)):
        person = await sign_up(app)
        await join(system, person, ana.org_id, role or Role.MANAGER)
        found[name] = by(client, person.token)
        await person.client.aclose()
        if role is None:
            org_id, user_id = OrgId(UUID(ana.org_id)), UserId(UUID(person.id))
            gone = on(org_id, MemberDeactivated(user_id=user_id), org_id=org_id)
            await record(system.log, gone)
    other = await sign_up(app)
    found["other ADMIN"] = by(client, other.token)
    await other.client.aclose()
    everything: defaultdict[str, list[str]] = defaultdict(list)
    for permission in sorted(KEY_PERMISSIONS):
        resource, _, action = permission.partition(":")
        everything[resource].append(action)
    await ana.patch(f"/org/{ana.org_id}/plan", {"plan": "PREMIUM"})
    for name, scopes in (("reading key", READING), ("full key", everything)):
        made = done(await ana.post("/apikey", {"name": name, "scopes": scopes}), 201)
        found[name] = by(client, made["key"])
    return found


OWN = re.compile(r"\{(subdomain|notice)\}")
"""What a path names that is the caller's own, or nobody's."""


def told(answer: httpx.Response) -> str:
    """Return the status, and why it was refused."""
    if answer.is_success or answer.is_redirect:
        return str(answer.status_code)
    return f"{answer.status_code} {answer.json()['code']}"


async def matrix(app: Litestar, system: System, stage: Here) -> str:
    """Return the matrix as text: a block for each route, a line for each answer."""
    known = defaultdict(lambda: NOWHERE, stage.known)
    blocks: list[str] = []
    async with client_of(app) as client:
        client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
        who = await callers(app, client, system, stage.ana)
        for route, dry_run in routes():
            method, path = route.split(" ")
            about: dict[str, Any] = {} if method == "GET" else {"json": {}}
            if dry_run:
                about = body_of(route, known)
            url = path.format_map(known) + ("?dry_run=true" if dry_run else ENDING.get(path, ""))
            answers: defaultdict[str, list[str]] = defaultdict(list)
            for name, ask in who.items():
                answers[told(await ask(method, url, about))].append(name)
            lines = (f"  {answer}: {', '.join(names)}" for answer, names in sorted(answers.items()))
            blocks.append("\n".join((route, *lines)))
    return "\n\n".join(blocks) + "\n"


async def test_every_route_answers_every_caller_as_agreed(
    app: Litestar, system: System, here: Here
) -> None:
    found = await matrix(app, system, here)
    if os.environ.get("RECORD_EXAMPLES"):
        MATRIX.write_text(found)

    assert found == MATRIX.read_text(), "if this is as wanted: make examples"


async def test_what_belongs_to_others_is_answered_like_what_never_existed(
    app: Litestar, here: Here
) -> None:
    """Each id in a path and in a body is another organization's, one at a time."""
    stranger = await sign_up(app)
    own = dict.fromkeys(here.known, NOWHERE) | {"organization_id": stranger.org_id}
    own |= {name: here.known[name] for name in _NO_IDS}
    own |= {"user_id": stranger.id, "ben": stranger.id}
    tried = 0
    for route, dry_run in routes():
        named = [name for name in here.known if f"{{{name}}}" in f"{route} {COMMANDS.get(route)}"]
        for name in set(named) - {*_NO_IDS, "notice"}:
            answers: list[str] = []
            for value in (here.known[name], NOWHERE):
                known = defaultdict(lambda: NOWHERE, own | {name: value})
                method, path = route.split(" ")
                about = body_of(route, known)
                url = path.format_map(known)
                url += "?dry_run=true" if dry_run else ENDING.get(path, "")
                answer = await stranger.ask(method, url.removeprefix("/api"), **about)
                text = answer.text.replace(answer.headers["x-request-id"], "")
                answers.append(f"{answer.status_code} {text}".replace(value, ""))
            assert answers[0] == answers[1], (route, name)
            assert answers[0][:3] in {"404", "409", "422"}, (route, name, answers[0])
            tried += 1
    await stranger.client.aclose()
    assert tried > 50


@pytest.mark.parametrize("caller", ["nobody", "suspended", "other ADMIN"])
def test_who_is_no_member_gets_nothing_of_an_organization(caller: str) -> None:
    for block in MATRIX.read_text().split("\n\n"):
        route, *lines = block.splitlines()
        [answer] = [line.strip().partition(":")[0] for line in lines if caller in line]
        if "{" in route and not OWN.search(route):
            assert answer[:3] in {"401", "403", "404", "409", "422"}, (route, answer)
