"""Webhooks over HTTP: their configuration, and a secret that is shown once."""

from uuid import UUID

import pytest

from domain.base import OrgId
from domain.catalog import EVENT_TYPES
from runtime.system import System
from tests.api.stage import Json, Person, done, refused

URL = "https://hooks.example.com/in"


async def created(ana: Person, **fields: object) -> Json:
    body = {"url": URL, "events": ["task.*"], **fields}
    webhook: Json = done(await ana.post("/webhook", body), 201)
    return webhook


class TestWebhook:
    async def test_the_secret_is_shown_only_when_the_webhook_is_created(
        self, system: System, ana: Person
    ) -> None:
        webhook = await created(ana)

        secret = webhook.pop("secret")
        assert secret.startswith("whsec_")
        assert done(await ana.get(f"/webhook/{webhook['id']}"), 200) == webhook
        assert done(await ana.get("/webhook"), 200)["items"] == [webhook]
        org_id = OrgId(UUID(ana.org_id))
        sealed = await system.log.secret(UUID(webhook["id"]), org_id, "webhook.1")
        assert sealed is not None
        opened = system.keys.master.unwrap(sealed, UUID(webhook["id"]))
        assert opened.decode() == secret

    async def test_a_retry_shows_the_secret_again_but_it_is_stored_encrypted(
        self, system: System, ana: Person
    ) -> None:
        body, key = {"url": URL, "events": ["*"]}, {"idempotency-key": "hook-1"}

        first = await ana.post("/webhook", body, headers=key)
        second = await ana.post("/webhook", body, headers=key)

        assert first.content == second.content
        assert second.headers["idempotent-replayed"] == "true"
        assert second.headers["location"] == first.headers["location"]
        secret = done(first, 201)["secret"]
        path = system.settings.events_url.removeprefix("sqlite:///")
        for suffix in ("", "-wal"):
            with open(path + suffix, "rb") as file:  # noqa: ASYNC230 - a small file
                stored = file.read()
            assert secret.encode() not in stored
            assert secret.removeprefix("whsec_").encode() not in stored

    async def test_a_webhook_can_be_rotated_paused_resumed_and_replayed(self, ana: Person) -> None:
        webhook = await created(ana)
        path = f"/webhook/{webhook['id']}"

        rotated = done(await ana.post(f"{path}/rotate-secret"), 200)
        assert rotated["secret"] != webhook["secret"]
        assert done(await ana.post(f"{path}/pause"), 200)["status"] == "PAUSED"
        assert done(await ana.post(f"{path}/resume"), 200)["status"] == "ACTIVE"
        done(await ana.post(f"{path}/replay", {"fromSeq": 1}), 202)
        refused(
            await ana.post(f"{path}/replay", {"fromSeq": 3, "toSeq": 2}),
            422,
            "replay_range_not_allowed",
        )
        newest = done(await ana.get("/audit?limit=1"), 200)["items"][0]["seq"]
        refused(
            await ana.post(f"{path}/replay", {"fromSeq": newest + 100}),
            422,
            "replay_range_not_allowed",
        )

    async def test_a_webhook_can_be_changed_deleted_and_restored(self, ana: Person) -> None:
        webhook = await created(ana)
        path = f"/webhook/{webhook['id']}"

        changed = done(await ana.patch(path, {"events": ["task.created"], "description": "x"}), 200)
        assert (changed["events"], changed["description"]) == (["task.created"], "x")
        done(await ana.delete(path), 204)
        refused(await ana.get(path), 404, "not_found")
        assert done(await ana.get("/webhook"), 200)["items"] == []
        assert done(await ana.post(f"{path}/restore"), 200)["events"] == ["task.created"]

    async def test_a_webhook_can_subscribe_only_to_known_events(self, ana: Person) -> None:
        for events in (["task.exploded"], ["nonsense"], []):
            response = await ana.post("/webhook", {"url": URL, "events": events})
            assert response.status_code == 422

    @pytest.mark.parametrize(
        "url",
        [
            "http://hooks.example.com/in",
            "https://10.0.0.1/in",
            "https://localhost.localdomain/in",
            "https://user:pass@hooks.example.com/",
            "https://[::1]/",
            "https://169.254.169.254/latest",
            "ftp://hooks.example.com",
        ],
    )
    async def test_a_webhook_can_use_only_public_addresses(self, ana: Person, url: str) -> None:
        webhook = await created(ana)

        problems = [
            await ana.post("/webhook", {"url": url, "events": ["*"]}),
            await ana.patch(f"/webhook/{webhook['id']}", {"url": url}),
        ]

        for problem in problems:
            errors = refused(problem, 422, "invalid_request")["errors"]
            assert errors[0]["path"] == "$.url"

    async def test_events_are_listed_with_the_schema_of_their_data(self, ana: Person) -> None:
        items = done(await ana.get("/webhook/events"), 200)["items"]

        kinds = {item["type"]: item for item in items}
        assert set(kinds) < set(EVENT_TYPES)
        assert "user.registered" not in kinds
        moved = kinds["task.status_changed"]["schema"]
        assert {"from", "fromGroup", "to", "toGroup", "forced"} < set(moved["properties"])
        assert "IN_REVIEW" in moved["properties"]["toGroup"]["enum"]
        assert "$ref" not in str(items)
