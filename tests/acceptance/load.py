"""Clients that keep working while a process is killed, and remember every response."""

import asyncio
from typing import Any, Self
from uuid import uuid4

import httpx

from tests.acceptance.system import System

PASSWORD = "a long walk beside the river"
CLIENTS = 8
TASKS = 60
PATIENCE_S = 60.0
PAUSE_S = 0.05


class Load:
    """Eight clients: each command has an idempotency key and is retried until it succeeds."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._http = system.http()
        self._project = ""
        self.acknowledged: list[dict[str, Any]] = []

    async def __aenter__(self) -> Self:
        slug = f"load-{uuid4().hex[:10]}"
        account = {"email": f"{slug}@example.com", "password": PASSWORD}
        organization = {"name": slug, "subdomain": slug}
        await self._insist(
            "/auth/register", {**account, "name": "Load", "organization": organization}
        )
        login = await self._insist("/auth/login", account)
        self._http.headers["authorization"] = f"Bearer {login['accessToken']}"
        self._project = (await self._insist("/project", {"key": "RUN", "name": "Run"}))["id"]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def run(self, kill: str) -> None:
        """Create and move tasks, and kill process *kill* meanwhile."""
        numbers = iter(range(TASKS))
        half = asyncio.Event()

        async def client() -> None:
            for number in numbers:
                if number == TASKS // 3:
                    half.set()
                path = f"/project/{self._project}/tasks"
                task = await self._insist(path, {"title": f"Task {number}"})
                moved = await self._insist(f"/task/{task['id']}/status", {"status": "IN_PROGRESS"})
                self.acknowledged.append(moved)

        async with asyncio.TaskGroup() as group:
            for _ in range(CLIENTS):
                group.create_task(client())
            await half.wait()
            await asyncio.to_thread(self._system.kill, kill)

    async def check_that_nothing_acknowledged_is_lost(self) -> None:
        """Compare what clients were told with what a reader sees now."""
        shown: dict[str, dict[str, Any]] = {}
        query: dict[str, Any] = {"limit": 100}
        while True:
            page = await self._get(f"/project/{self._project}/tasks", query)
            shown.update({task["key"]: task for task in page["items"]})
            if page["nextCursor"] is None:
                break
            query["cursor"] = page["nextCursor"]
        assert sorted(shown) == sorted(f"RUN-{n}" for n in range(1, TASKS + 1))
        assert {task["key"]: task for task in self.acknowledged} == shown

    async def _insist(self, path: str, body: dict[str, Any]) -> Any:
        key = uuid4().hex
        return await self._until(
            lambda: self._http.post(path, json=body, headers={"idempotency-key": key})
        )

    async def _get(self, path: str, query: dict[str, Any]) -> Any:
        return await self._until(lambda: self._http.get(path, params=query))

    async def _until(self, ask: Any) -> Any:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    answer: httpx.Response = await ask()
                except httpx.TransportError:
                    await asyncio.sleep(PAUSE_S)
                    continue
                if answer.status_code < 500:
                    answer.raise_for_status()
                    return answer.json()
                await asyncio.sleep(PAUSE_S)
