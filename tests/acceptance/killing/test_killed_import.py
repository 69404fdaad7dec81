"""An import outlives the process that ran it: the next one goes on, and imports no line twice."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.acceptance.customers import PASSWORD
from tests.acceptance.system import POLL_S, System, system

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]

LINES = 4_000
PATIENCE_S = 150.0


async def test_an_import_whose_process_is_killed_twice_is_done_with_every_line_once() -> None:
    with system() as running:
        async with running.http() as client:
            project = await _arrive(client)
            tasks = ({"id": f"{n}", "title": "Many"} for n in range(LINES))
            lines = "".join(json.dumps(each) + "\n" for each in tasks)
            begun = await client.post(f"/project/{project}/import", content=lines)
            import_id = begun.raise_for_status().json()["importId"]

        for share in (0.1, 0.5):
            await _until(running, client.headers, import_id, int(LINES * share))
            await running.kill("serve")
        ended = await _until(running, client.headers, import_id, LINES)

        assert (ended["state"], ended["code"]) == ("DONE", None)
        assert (ended["created"], ended["unchanged"], ended["refused"]) == (LINES, 0, [])
        listed = running.command("lint-log")
        assert listed.returncode == 0, listed.stdout


async def _arrive(client: httpx.AsyncClient) -> str:
    """Sign up, and return the id of a project."""
    email, subdomain = f"{uuid4().hex}@example.com", f"o{uuid4().hex[:12]}"
    org = {"name": "Acme", "subdomain": subdomain}
    body = {"email": email, "password": PASSWORD, "name": "Pat", "organization": org}
    profile = (await client.post("/auth/register", json=body)).raise_for_status().json()
    login = {"email": email, "password": PASSWORD}
    token = (await client.post("/auth/login", json=login)).raise_for_status().json()["accessToken"]
    client.headers["authorization"] = f"Bearer {token}"
    plan = {"plan": "PREMIUM"}
    (await client.patch(f"/org/{profile['organizationId']}/plan", json=plan)).raise_for_status()
    made = await client.post("/project", json={"key": "ENG", "name": "Engine"})
    project: str = made.raise_for_status().json()["id"]
    return project


async def _until(running: System, headers: httpx.Headers, import_id: str, lines: int) -> Any:
    """Return how far the import is once it is as far as *lines*, or has ended."""
    async with asyncio.timeout(PATIENCE_S), running.http() as client:
        while True:
            try:
                asked = await client.get(f"/import/{import_id}", headers=headers)
                told = asked.json()
                if asked.is_success and (
                    told["state"] != "RUNNING" or lines <= told["done"] < LINES
                ):
                    return told
            except httpx.TransportError:
                pass  # it is being started again
            await asyncio.sleep(POLL_S)
