"""An API key stands nowhere but in the response that created it."""

import asyncio
import logging
from pathlib import Path
from uuid import UUID

import pytest

from api.http.access_log import FLUSH_S
from deliveries.body import body_of
from domain.base import OrgId
from eventstore.operations.records import Delivery
from runtime.redis_rates import key_of
from runtime.setting import LogLevel
from runtime.system import System
from tests.api.conftest import Make
from tests.api.keys import ask, create
from tests.api.stage import DEADLINE_S, another_device, done, sign_up


async def test_no_key_stands_in_a_store_a_log_an_answer_or_a_webhook(
    make_app: Make,
    system: System,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    ana = await sign_up(make_app(log_level=LogLevel.DEBUG))
    made = await create(ana, networks=["192.0.2.0/24"])
    rotated = done(await ana.post(f"/apikey/{made['id']}/rotate"), 200)
    secrets = [key["key"][-38:] for key in (made, rotated)]

    for project, key in (("ENG", made["key"]), ("OPS", rotated["key"])):
        body = {"key": project, "name": "Engine"}
        done(await ask(ana, key, "POST", "/project", json=body), 201)
        async with another_device(ana) as program:
            headers = {"authorization": f"Bearer {key}"}
            assert (await program.get("/api/task/ENG-1", headers=headers)).is_error
            assert (await program.get(f"/api/project?key={key}", headers=headers)).is_error
            assert (await program.get(f"/api/project/{key}", headers=headers)).is_error
    shown = [await ana.get(path) for path in ("/apikey", f"/apikey/{made['id']}", "/audit")]
    shown += [await ana.get(f"/audit/export?format={kind}") for kind in ("jsonl", "csv", "ocsf")]
    texts = [answer.text for answer in shown] + await _webhook_bodies(system, ana.org_id)
    texts += [each.getMessage() for each in caplog.records if each.name != "httpx"]
    access = ""
    async with asyncio.timeout(DEADLINE_S):
        while made["prefix"] not in access:  # the search finds what is public
            await asyncio.sleep(FLUSH_S)
            access += capfd.readouterr().err
    texts += [access, key_of("key", 1, UUID(made["id"]))]
    await ana.client.aclose()

    for secret in secrets:
        assert [text for text in texts if secret in text] == []
        assert [name for name, held in _files(system) if secret.encode() in held] == []
    assert UUID(ana.org_id).bytes in b"".join(held for _, held in _files(system))


async def _webhook_bodies(system: System, org_id: str) -> list[str]:
    """Return what a webhook that is subscribed to everything would get."""
    log = system.log
    rows = await log.organization(OrgId(UUID(org_id)), 0, 1_000)
    at = system.clock()
    delivery = Delivery(
        id="d", endpoint="w", org=org_id, seq=1, prev=0, event_id="e", type="t", stream="s",
        created_at=at, next_at=at,
    )  # fmt: skip
    return [body_of(delivery, recorded, 1).decode() for recorded in await log.decoded(rows)]


def _files(system: System) -> list[tuple[str, bytes]]:
    """Return the files of the event log, the operational state and the read models."""
    folder: Path = system.settings.data_dir
    return [(path.name, path.read_bytes()) for path in folder.rglob("*") if path.is_file()]
