"""API keys of people, and requests with them."""

from typing import Any

import httpx

from tests.api.stage import Person, another_device, done

SCOPES = {"task": ["read", "create", "edit"], "project": ["read", "create"]}


async def create(person: Person, **about: Any) -> Any:
    """Create an API key and return it."""
    body = {"name": "CI", "scopes": SCOPES, **about}
    return done(await person.post("/apikey", body), 201)


async def ask(person: Person, key: str, method: str, path: str, **about: Any) -> httpx.Response:
    """Send a request with *key* from a program without cookies."""
    async with another_device(person) as program:
        headers = {"x-api-key": key, **about.pop("headers", {})}
        return await program.request(method, f"/api{path}", headers=headers, **about)


async def change_plan(person: Person, plan: str) -> None:
    done(await person.patch(f"/org/{person.org_id}/plan", {"plan": plan}), 200)
