"""No secret stands in a store, a log, an export, a mail or a webhook of the running product."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
from redis.asyncio import Redis

from tests.acceptance.system import System, system
from tests.deliveries.receiver import Receiver
from tests.mail.post_office import PostOffice, post_office

pytestmark = pytest.mark.acceptance
PASSWORD, CHANGED = "violet-canary-9-moon", "quiet-canary-77-lamp"
PATIENCE_S = 30.0
Json = dict[str, Any]


class Flows:
    """One person who uses everything that has a secret, and the secrets that they got."""

    def __init__(self, http: httpx.AsyncClient, office: PostOffice, receiver: Receiver) -> None:
        self.http, self._office, self._receiver = http, office, receiver
        self.secrets: dict[str, str] = {"password": PASSWORD, "new password": CHANGED}
        self.mailed: dict[str, str] = {}
        self.shown: list[str] = []

    async def ask(self, method: str, path: str, body: Json | None = None) -> Any:
        answer = await self.http.request(method, path, json=body)
        assert answer.is_success, f"{path}: {answer.text}"
        return answer.json() if answer.content else None

    async def live(self) -> None:
        """Send every secret through its flow."""
        account = {"email": "ana@example.com", "password": PASSWORD}
        organization = {"name": "Acme", "subdomain": "acme"}
        await self.ask(
            "POST", "/auth/register", {**account, "name": "Ana", "organization": organization}
        )
        login = await self.ask("POST", "/auth/login", account)
        self._authorize(login)
        self.secrets["refresh token"] = _cookie(self.http, "rt")
        self._authorize(await self.ask("POST", "/auth/refresh-token"))
        self.secrets["next refresh token"] = _cookie(self.http, "rt")
        org = login["user"]["organizationId"]
        hook = {"url": self._receiver.url, "events": ["*"]}
        made = await self.ask("POST", "/webhook", hook)
        self.secrets["webhook secret"] = made["secret"].removeprefix("whsec_")
        key = await self.ask("POST", "/apikey", {"name": "CI", "scopes": {"task": ["read"]}})
        self.secrets["api key"] = key["key"][-38:]
        await self.ask("POST", f"/org/{org}/invitations", {"email": "eve@example.com"})
        self.mailed["invitation"] = await self._token("/invitation#")
        await self.ask("POST", "/auth/forgot-password", {"email": "ana@example.com"})
        self.mailed["reset"] = await self._token("/reset-password#")
        await self._second_factor()
        change = {"currentPassword": PASSWORD, "newPassword": CHANGED}
        self._authorize(await self.ask("POST", "/auth/change-password", change))
        for path in (
            "/user/me",
            "/auth/profile",
            "/auth/sessions",
            "/apikey",
            "/webhook",
            "/audit",
        ):
            self.shown.append((await self.http.get(path)).text)
        for kind in ("jsonl", "csv", "ocsf"):
            self.shown.append((await self.http.get(f"/audit/export?format={kind}")).text)

    async def _second_factor(self) -> None:
        proposed = await self.ask("POST", "/auth/totp", {"currentPassword": PASSWORD})
        self.secrets["totp secret"] = proposed["secret"]
        code = pyotp.TOTP(proposed["secret"]).now()
        confirmed = await self.ask("POST", "/auth/totp/confirm", {"code": code})
        self.secrets["recovery code"] = confirmed["recoveryCodes"][0]

    def _authorize(self, login: Json) -> None:
        self.http.headers["authorization"] = f"Bearer {login['accessToken']}"
        self.secrets[f"access token {len(self.secrets)}"] = login["accessToken"].rpartition(".")[2]

    async def _token(self, before: str) -> str:
        """Return the token of the mail with a link to *before*."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for message in self._office.messages:
                    found = re.search(re.escape(before) + r"(\S+)", message.get_content())
                    if found:
                        return found.group(1)
                await asyncio.sleep(0.05)


def _cookie(http: httpx.AsyncClient, name: str) -> str:
    return next(cookie.value or "" for cookie in http.cookies.jar if cookie.name == name)


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files of all stores and logs."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.name, path.read_bytes()


async def _held_by_redis(url: str) -> bytes:
    """Return every key of Redis with what it holds, serialized."""
    async with Redis.from_url(url) as redis:
        held = [(key, await redis.dump(key)) async for key in redis.scan_iter()]
    return b"\n".join(key + (value or b"") for key, value in held)


async def test_no_secret_stands_anywhere_but_where_it_was_given() -> None:
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
                flows = Flows(http, office, receiver)
                await flows.live()
            await receiver.wait_for(5, PATIENCE_S)
            redis = await _held_by_redis(started.running.environment["REDIS_URL"])
            files = list(_files(started.data_dir))
        finally:
            await asyncio.to_thread(running.__exit__, None, None, None)
        bodies = [request.body for request in receiver.requests]
        mails = [message.as_bytes() for message in office.messages]

    places = {
        **dict(files),
        "redis": redis,
        "webhooks": b"\n".join(bodies),
        "answers": "\n".join(flows.shown).encode(),
    }
    assert b"api_key.created" in places["webhooks"]
    assert b"ana@example.com" in b"\n".join(mails)
    assert {"events.db", "up.log"} <= places.keys()
    assert redis
    assert len(flows.secrets) >= 10
    for name, secret in {**flows.secrets, **flows.mailed}.items():
        assert len(secret) >= 8, name
        found = [place for place, held in places.items() if secret.encode() in held]
        assert found == [], name
    for name, secret in flows.secrets.items():
        assert not any(secret.encode() in mail for mail in mails), name
    for name, secret in flows.mailed.items():
        assert sum(secret in message.get_content() for message in office.messages) == 1, name
