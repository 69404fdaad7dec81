"""Somebody with an organization in which there is one of everything, made over HTTP."""

from typing import Any
from uuid import uuid4

import httpx
from msgspec import Struct

PASSWORD = "violet-tractor-9-moon"
TIMEOUT_S = 30.0


class World(Struct, frozen=True):
    """An access token, and the id of one resource for each parameter of a path."""

    token: str
    ids: dict[str, str]


def make_world(url: str) -> World:
    """Register somebody at *url* and return what they made."""
    with httpx.Client(base_url=f"{url}/api", timeout=TIMEOUT_S) as client:
        name = f"f{uuid4().hex[:12]}"
        account = {"email": f"{name}@example.com", "password": PASSWORD}
        organization = {"name": "Acme", "subdomain": name}
        profile = _made(client, "/auth/register", name="Pat", organization=organization, **account)
        token = _made(client, "/auth/login", **account)["accessToken"]
        client.headers["authorization"] = f"Bearer {token}"
        org = profile["organizationId"]
        client.patch(f"/org/{org}/plan", json={"plan": "PREMIUM"}).raise_for_status()
        client.headers["x-correlation-id"] = name
        project = _made(client, "/project", key="ENG", name="Engine")["id"]
        task = _made(client, f"/project/{project}/tasks", title="Oil it")["id"]
        webhook = _made(client, "/webhook", url="http://127.0.0.1:9/", events=["task.*"])["id"]
        [session] = client.get("/auth/sessions").raise_for_status().json()["items"]
        invited = {"email": f"i{name}@example.com", "role": "MEMBER"}
        return World(
            token,
            {
                "organization_id": org,
                "user_id": profile["id"],
                "project_id": project,
                "project": project,
                "team_id": _made(client, "/team", name="Gears")["id"],
                "task": task,
                "field_id": _made(
                    client, f"/project/{project}/fields", key="size", name="Size", type="text"
                )["id"],
                "cycle_id": _made(
                    client,
                    f"/project/{project}/cycles",
                    name="One",
                    startsOn="2026-05-04",
                    endsOn="2026-05-15",
                )["id"],
                "milestone_id": _made(client, f"/project/{project}/milestones", name="Beta")["id"],
                "concern": "assigned",
                "notice": "1",
                "view_id": _made(client, "/view", name="Late", shared=True)["id"],
                "template_id": _made(client, "/template", name="Bug")["id"],
                "label_id": _made(client, "/label", name="Bug", color="#ff0000")["id"],
                "attachment_id": client.post(f"/task/{task}/attachments", content=b"one")
                .raise_for_status()
                .json()["id"],
                "import_id": client.post(f"/project/{project}/import", content=b"")
                .raise_for_status()
                .json()["importId"],
                "token": "fl1",
                "comment_id": _made(client, f"/task/{task}/comments", body="Oiled?")["id"],
                "emoji": "👍",
                "worklog_id": _made(client, f"/task/{task}/worklogs", minutes=30)["id"],
                "correlation_id": name,
                "webhook_id": webhook,
                "delivery_id": _made(client, f"/webhook/{webhook}/ping")["id"],
                "invitation_id": _made(client, f"/org/{org}/invitations", **invited)["id"],
                "session_id": session["id"],
                "api_key_id": _made(client, "/apikey", name="CI", scopes={"task": ["read"]})["id"],
            },
        )


def _made(client: httpx.Client, path: str, **body: Any) -> Any:
    response = client.post(path, json=body) if body else client.post(path)
    return response.raise_for_status().json()
