"""Whoever is demoted while acting, as a person or by an API key, is demoted at once everywhere."""

import asyncio
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.system import COMMAND, ROOT, environment, eventually
from tests.acceptance.test_limits import api

pytestmark = pytest.mark.acceptance
ROUNDS = 100
TOGETHER = 4
READERS = 6
PASSWORD = "violet-tractor-9-moon"
ORGANIZATION = {"name": "Acme", "subdomain": "acme"}
Json = dict[str, Any]


class Office:
    """An organization of Ana and Ben, reached through two processes."""

    def __init__(self, client: httpx.AsyncClient, urls: list[str]) -> None:
        self.client, self.urls = client, urls
        self.ana: Json = {}
        self.ben: Json = {}
        self.key = ""
        self.org = ""
        self.newest = 0
        """The version of the project that somebody was told of last."""

    async def open(self) -> None:
        """Register Ana with the organization, let Ben join as a MANAGER and create a key."""
        body = {"email": "ana@example.com", "password": PASSWORD, "name": "Ana"}
        await self.post("/auth/register", {**body, "organization": ORGANIZATION}, {})
        del body["name"]
        login = await self.post("/auth/login", body, {})
        self.ana = {"authorization": f"Bearer {login['accessToken']}"}
        self.org = login["user"]["organizationId"]
        asked = {"email": "ben@example.com", "role": "MANAGER"}
        invited = await self.post(f"/org/{self.org}/invitations", asked, self.ana)
        token = invited["link"].partition("#")[2]
        accepted = {"token": token, "name": "Ben", "password": PASSWORD}
        joined = await self.post("/invitations/accept", accepted, {})
        self.ben = {"authorization": f"Bearer {joined['accessToken']}"}
        self.member = f"/org/{self.org}/members/{joined['user']['id']}"
        scopes = {"project": ["read", "create", "edit"]}
        made = await self.post("/apikey", {"name": "CI", "scopes": scopes}, self.ben)
        self.key = made["key"]
        project = {"key": "ENG", "name": "Engine"}
        self.project = f"/project/{(await self.post('/project', project, self.ben))['id']}"

    async def post(self, path: str, body: Json, headers: Json) -> Json:
        answer = await self.client.post(self.urls[0] + path, json=body, headers=headers)
        answer.raise_for_status()
        found: Json = answer.json()
        return found

    async def change_role(self, role: str, via: int) -> None:
        answer = await self.client.patch(
            self.urls[via] + self.member, json={"role": role}, headers=self.ana
        )
        answer.raise_for_status()

    async def rename(self, name: str, via: int, headers: Json) -> int:
        """Rename the project as Ben or with his key; return the status."""
        answer = await self.client.patch(
            self.urls[via] + self.project, json={"name": name}, headers=headers
        )
        assert answer.status_code in (200, 403), answer.text
        if answer.status_code == httpx.codes.OK:
            self.newest = max(self.newest, version_of(answer))
        return answer.status_code

    async def read(self, ended: asyncio.Event, via: int) -> None:
        """Read the project as Ana until *ended*, never older than what was answered before."""
        while not ended.is_set():
            acknowledged = self.newest
            answer = await self.client.get(self.urls[via] + self.project, headers=self.ana)
            answer.raise_for_status()
            assert version_of(answer) >= acknowledged

    async def acts_as(self) -> list[str]:
        """Return the role that Ben had at each change of the project, in the order of the log."""
        path, role, roles = "/audit?limit=100", "MANAGER", list[str]()
        events: list[Json] = []
        while path:
            page = (await self.client.get(self.urls[0] + path, headers=self.ana)).json()
            events += page["items"]
            more = page["nextCursor"]
            path = f"/audit?limit=100&cursor={more}" if more else ""
        for event in reversed(events):
            if event["type"] == "member.role_changed":
                role = event["data"]["to"]
            if event["type"] == "project.renamed":
                roles.append(role)
        return roles


def version_of(answer: httpx.Response) -> int:
    """Return the version of what was answered."""
    return int(answer.headers["etag"].strip('W/"'))


@contextmanager
def follower(data_dir: Path, **more: str) -> Iterator[None]:
    """Run what keeps the read models up to date until the block ends."""
    with (data_dir / "follow.log").open("ab") as log:
        process = subprocess.Popen(
            [*COMMAND, "follow"],
            env=environment(data_dir, APP_ENV="test", **more),
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def ready(url: str) -> bool | None:
    """Return True once the read models can be read."""
    return httpx.get(f"{url}/health/ready").status_code == 200 or None


async def test_no_act_of_100_rounds_comes_after_the_demotion(
    tmp_path: Path, log_settings: dict[str, str]
) -> None:
    with ExitStack() as stack:
        urls = [stack.enter_context(api(tmp_path, **log_settings)) for _ in range(2)]
        stack.enter_context(follower(tmp_path, **log_settings))
        eventually(lambda: ready(urls[1]), "the read models are ready")
        async with httpx.AsyncClient(timeout=30) as client:
            office = Office(client, urls)
            await office.open()

            renamed = await demoted_again_and_again(office)

            assert 0 < renamed < ROUNDS * TOGETHER
            assert await office.acts_as() == ["MANAGER"] * renamed


async def demoted_again_and_again(office: Office) -> int:
    """Demote Ben in each round while he acts and others read; return how often he acted."""
    callers = [office.ben, {"x-api-key": office.key}]
    ended, renamed = asyncio.Event(), 0
    async with asyncio.TaskGroup() as group:
        for n in range(READERS):
            group.create_task(office.read(ended, n % 2))
        for turn in range(ROUNDS):
            acting = [
                office.rename(f"{turn}-{n}", n % 2, callers[n // 2 % 2]) for n in range(TOGETHER)
            ]
            *statuses, _ = await asyncio.gather(*acting, office.change_role("MEMBER", turn % 2))
            renamed += statuses.count(200)
            late = [await office.rename("late", n, callers[n]) for n in (0, 1)]
            assert late == [403, 403]
            await office.change_role("MANAGER", (turn + 1) % 2)
        ended.set()
    return renamed
