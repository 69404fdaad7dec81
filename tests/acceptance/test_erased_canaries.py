"""Nothing that leaves the product after an erasure names who was erased."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.acceptance.system import POLL_S, System, system
from tests.deliveries.receiver import Receiver
from tests.mail.post_office import PostOffice, post_office

pytestmark = pytest.mark.acceptance
PASSWORD = "violet-tractor-9-moon"
ADDRESS, NAME, RENAMED = "zq-canary@example.com", "Zebulon Qanary", "Zebulina Qanary"
CANARIES = (ADDRESS, "Zebulon", "Zebulina", "Qanary")
PATIENCE_S = 60.0
Json = dict[str, Any]


class Caller:
    """Somebody who uses the API."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http, self.id, self.org = http, "", ""
        self._headers: dict[str, str] = {}

    async def ask(self, method: str, path: str, body: Json | None = None) -> Any:
        answer = await self._http.request(method, path, json=body, headers=self._headers)
        assert answer.is_success, f"{path}: {answer.text}"
        kind = answer.headers.get("content-type", "")
        return answer.json() if kind == "application/json" else answer.text

    def enter(self, login: Json) -> None:
        """Go on with the tokens of a login."""
        self._headers = {"authorization": f"Bearer {login['accessToken']}"}
        self.id, self.org = login["user"]["id"], login["user"]["organizationId"]


async def until(holds: Callable[[], Awaitable[Any]], what: str) -> Any:
    """Return what *holds* returns, once it returns something."""
    for _ in range(int(PATIENCE_S / POLL_S)):
        if found := await holds():
            return found
        await asyncio.sleep(POLL_S)
    raise AssertionError(f"{what}: not within {PATIENCE_S:.0f} s")


async def mailed(office: PostOffice, after: int = 0) -> str:
    """Return the token of the first invitation after some mails."""

    async def token() -> str | None:
        for message in office.messages[after:]:
            if found := re.search(r"/invitation#(\S+)", message.get_content()):
                return found.group(1)
        return None

    return str(await until(token, "an invitation is mailed"))


async def founded(http: httpx.AsyncClient, hook: str) -> Caller:
    """Return the ADMIN of an organization that has somebody told of everything."""
    ana = Caller(http)
    account = {"email": "ana@example.com", "password": PASSWORD}
    organization = {"name": "Acme", "subdomain": "acme"}
    await ana.ask(
        "POST", "/auth/register", {**account, "name": "Ana", "organization": organization}
    )
    ana.enter(await ana.ask("POST", "/auth/login", account))
    await ana.ask("PATCH", f"/org/{ana.org}/settings", {"securityContacts": ["sec@example.com"]})
    await ana.ask("POST", "/webhook", {"url": hook, "events": ["*"]})
    await ana.ask("POST", "/project", {"key": "ENG", "name": "Engine"})
    return ana


async def joined(http: httpx.AsyncClient, ana: Caller, office: PostOffice) -> Caller:
    """Return somebody who joins, is seen in every way, and becomes an ADMIN."""
    kim = Caller(http)
    await ana.ask("POST", f"/org/{ana.org}/invitations", {"email": ADDRESS})
    token = await mailed(office)
    acceptance = {"token": token, "name": NAME, "password": PASSWORD}
    kim.enter(await kim.ask("POST", "/invitations/accept", acceptance))
    await kim.ask("PATCH", "/user/me", {"name": RENAMED})
    [project] = (await kim.ask("GET", "/project"))["items"]
    await kim.ask("POST", f"/project/{project['id']}/tasks", {"title": "Oil it"})
    await kim.ask("POST", "/task/ENG-1/comments", {"body": "Done."})
    await ana.ask("PATCH", f"/org/{ana.org}/members/{kim.id}", {"role": "ADMIN"})
    return kim


async def test_no_mail_webhook_or_export_names_who_was_erased() -> None:
    async with post_office() as office, Receiver() as receiver:
        running = system(
            SMTP_URL=office.url,
            MAIL_FROM="Trackrecord <no-reply@example.com>",
            LOG_LEVEL="DEBUG",
            WEBHOOK_ALLOW_NETWORKS="127.0.0.0/8",
        )
        started: System = await asyncio.to_thread(running.__enter__)
        try:
            async with started.http() as http:
                ana = await founded(http, receiver.url)
                kim = await joined(http, ana, office)
                assert ADDRESS in await ana.ask("GET", "/audit/export?format=csv")
                await kim.ask("DELETE", "/user/me")

                async def forgotten() -> bool:
                    shown = await ana.ask("GET", "/audit/export?format=csv")
                    return not any(canary in shown for canary in CANARIES)

                await until(forgotten, "every process reads erased")
                told, mails = len(receiver.requests), len(office.messages)
                shown = await everything_again(ana, receiver, office)
        finally:
            await asyncio.to_thread(running.__exit__, None, None, None)
        log = started.output.read_text() if started.output.exists() else ""

    bodies = [request.body.decode() for request in receiver.requests[told:]]
    letters = [message.as_string() for message in office.messages[mails:]]
    assert any('"comment.posted"' in body for body in bodies)
    assert any(kim.id in body for body in bodies)
    assert kim.id in shown
    assert letters
    for told_now in (*bodies, *letters, shown, log):
        assert [canary for canary in CANARIES if canary in told_now] == []


async def everything_again(ana: Caller, receiver: Receiver, office: PostOffice) -> str:
    """Have all events sent again and a mail sent; return what the API shows and exports."""
    told, mails = len(receiver.requests), len(office.messages)
    [hook] = (await ana.ask("GET", "/webhook"))["items"]
    await ana.ask("POST", f"/webhook/{hook['id']}/replay", {"fromSeq": 1})

    async def sent() -> bool:
        return any(b'"comment.posted"' in each.body for each in receiver.requests[told:])

    await until(sent, "the events are sent again")
    await ana.ask("POST", f"/org/{ana.org}/invitations", {"email": "next@example.com"})
    await mailed(office, mails)
    exports = [f"/audit/export?format={kind}" for kind in ("jsonl", "csv", "ocsf")]
    paths = (*exports, "/audit?limit=100")
    more = (
        f"/org/{ana.org}/members",
        "/task/ENG-1",
        "/task/ENG-1/comments",
        "/task/ENG-1/activity",
    )
    return "\n".join([str(await ana.ask("GET", path)) for path in (*paths, *more)])
