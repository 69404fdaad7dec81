"""Metrics and readiness tell what is so, and the metrics only to whoever may read them."""

from ipaddress import ip_network
from typing import Any

import pytest
from httpx import AsyncClient
from prometheus_client.parser import text_string_to_metric_families

from eventstore.append import LogUnavailable
from runtime.health.metrics import BATCHES, COUNTERS, FIGURES, GAUGES, PREFIX, PROCESS, STORE_UP
from runtime.health.monitor import READINESS_CHECKS
from runtime.system import System
from tests.api.conftest import Make
from tests.api.stage import Person, client_of

PROXIED = {"x-forwarded-for": "203.0.113.9"}
SCRAPERS = (ip_network("192.0.2.0/24"),)
"""Where the test clients come from."""


async def samples(client: AsyncClient) -> dict[tuple[str, str], float]:
    """Return every sample by its name and driver."""
    response = await client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, sample.labels.get("driver", "")): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


async def test_commands_and_commits_are_counted(make_app: Make, ana: Person) -> None:
    async with client_of(make_app(metrics_networks=SCRAPERS)) as client:
        before = await samples(client)
        headers = {"authorization": f"Bearer {ana.token}"}
        body = {"key": "MET", "name": "Metrics"}
        assert (await client.post("/api/project", json=body, headers=headers)).status_code == 201
        after = await samples(client)

    for name in (
        ("trackrecord_queries_total", "event_log"),
        ("trackrecord_queries_total", "read_models"),
        ("trackrecord_commit_batch_size_count", ""),
        ("trackrecord_log_head", ""),
    ):
        assert after[name] > before[name]
    assert after["trackrecord_connections_created_total", "event_log"] >= 1
    assert after["trackrecord_store_up", "event_log"] == 1
    assert after["trackrecord_open_deliveries", ""] == before["trackrecord_open_deliveries", ""]


async def test_every_metric_is_described(make_app: Make) -> None:
    ours = (*COUNTERS, *FIGURES, *GAUGES, BATCHES, STORE_UP)
    described = {f"{PREFIX}_{name}" for name, _ in ours} | {
        name.removesuffix("_total") for name in PROCESS
    }
    async with client_of(make_app(metrics_networks=SCRAPERS)) as client:
        text = (await client.get("/metrics")).text

    assert {family.name for family in text_string_to_metric_families(text)} == described


@pytest.mark.parametrize("networks", [[], ["10.0.0.0/8"]])
async def test_metrics_are_not_there_for_others(make_app: Make, networks: list[str]) -> None:
    app = make_app(metrics_networks=tuple(map(ip_network, networks)))
    async with client_of(app) as client:
        assert (await client.get("/metrics")).status_code == 404


async def test_metrics_are_not_found_by_a_forwarded_request(make_app: Make) -> None:
    async with client_of(make_app(metrics_networks=SCRAPERS)) as client:
        assert (await client.get("/metrics", headers=PROXIED)).status_code == 404


async def test_readiness_names_each_store_and_how_far_followers_are_behind(make_app: Make) -> None:
    async with client_of(make_app()) as client:
        body: dict[str, Any] = (await client.get("/api/health/ready")).json()

    assert list(body["checks"]) == [name for name in READINESS_CHECKS if name != "redis"]
    assert set(body["behind"]) == {"projector"}
    assert len(body["instance"]) == 32


async def test_a_log_that_cannot_be_written_is_not_ready_until_it_can(
    make_app: Make, ana: Person, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> Any:
        raise LogUnavailable("database or disk is full")

    async with client_of(make_app()) as client:
        with monkeypatch.context() as broken:
            broken.setattr(system.log._writer, "_commit_quick", full)
            headers = {"authorization": f"Bearer {ana.token}"}
            body = {"key": "FULL", "name": "Full"}
            refused = await client.post("/api/project", json=body, headers=headers)
            unready = await client.get("/api/health/ready")
        await system.log.probe_write()
        ready = await client.get("/api/health/ready")

    assert refused.status_code == 503
    assert unready.status_code == 503
    assert unready.json()["checks"]["eventLog"] == "cannot be written"
    assert ready.status_code == 200
