"""A process without an HTTP API shows its metrics on a port of its own, to scrapers only."""

import asyncio
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from devstack.port import HeldPort
from eventstore.counters import LOG_DRIVER
from projections.engine.progress import Progress
from runtime.health.metrics_port import metrics_shown
from runtime.health.monitor import Monitor
from runtime.health.totals import CPU, Counted, SharedCounts, counted_here
from runtime.settings import load_settings
from runtime.system import open_system


@asynccontextmanager
async def shown(data_dir: Path, networks: str) -> AsyncGenerator[str]:
    """Show metrics; yield their address."""
    port = int(HeldPort())
    settings = load_settings({"DATA_DIR": str(data_dir), "METRICS_PORT": str(port)})
    settings = replace(settings, metrics_networks=(ip_network(networks),))
    async with open_system(settings) as system:
        monitor = Monitor(system, Progress(system.read_store, system.log))
        async with metrics_shown(system, monitor):
            yield f"http://127.0.0.1:{port}/metrics"


def scraped(url: str) -> tuple[int, str]:
    """Return status and text of a page."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  our own address
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


@pytest.mark.servers
async def test_a_scraper_gets_every_driver_and_the_size_of_the_write_ahead_log(
    tmp_path: Path,
) -> None:
    async with shown(tmp_path, "127.0.0.0/8") as url:
        status, text = await asyncio.to_thread(scraped, url)
        other, _ = await asyncio.to_thread(scraped, f"{url}/more")

    samples = {
        sample.name: sample
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert status == 200
    assert other == 404
    assert samples["trackrecord_queries_total"].value >= 0
    assert {
        "trackrecord_oldest_open_delivery_seconds",
        "trackrecord_stalled_endpoints",
        "trackrecord_live_streams",
        "process_resident_memory_bytes",
    } <= samples.keys()


@pytest.mark.servers
async def test_others_get_nothing(tmp_path: Path) -> None:
    async with shown(tmp_path, "192.0.2.0/24") as url:
        assert await asyncio.to_thread(scraped, url) == (404, "")


def test_what_several_processes_counted_is_added_up(tmp_path: Path) -> None:
    shared = SharedCounts(str(tmp_path))
    here = counted_here()
    other = Counted({LOG_DRIVER: [1] * 9, "other": [2] * 9}, [3] * len(here.batches), 5)
    (tmp_path / "1").write_bytes(msgspec.msgpack.encode(other))
    shared.publish()

    total = shared.total()

    assert total.drivers["other"] == [2] * 9
    assert total.drivers[LOG_DRIVER] == [n + 1 for n in here.drivers.get(LOG_DRIVER, [0] * 9)]
    assert total.commands == here.commands + 5
    assert len(list(tmp_path.iterdir())) == 2


def test_memory_of_processes_that_ended_does_not_count_and_their_cpu_time_does(
    tmp_path: Path,
) -> None:
    memory, start = "process_resident_memory_bytes", "process_start_time_seconds"
    shared, here = SharedCounts(str(tmp_path)), counted_here()
    blank = [0] * len(here.batches)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for pid in (ended.pid, os.getppid()):
        other = Counted({}, blank, 0, {CPU: 100.0, memory: 1e15, start: 1.0}, streams=3)
        (tmp_path / str(pid)).write_bytes(msgspec.msgpack.encode(other))

    whole = shared.total()
    total = whole.process

    assert whole.streams == here.streams + 3
    assert total[CPU] >= 200
    assert 1e15 < total[memory] < 2e15
    assert total[start] == 1.0
    assert total["process_max_fds"] == here.process["process_max_fds"]


def test_one_process_alone_shares_nothing() -> None:
    assert SharedCounts("").total().commands == counted_here().commands
