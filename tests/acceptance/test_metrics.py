"""Every process of a deployment shows its metrics, and those of one API are one."""

import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.customers import Customer
from tests.acceptance.deployment import Deployment
from tests.deliveries.receiver import Receiver

pytestmark = [pytest.mark.acceptance, pytest.mark.needs("postgresql")]

SCRAPES = 10
LEAST_BYTES = 30 * 2**20
"""What an API process has in memory at least; there are two."""


def samples(url: str) -> dict[tuple[str, str], float]:
    """Return every sample by its name and driver."""
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  our own address
        text = answer.read().decode()
    return {
        (sample.name, sample.labels.get("driver", "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_the_processes_of_one_api_count_together(servers: Deployment) -> None:
    async with Receiver() as receiver:
        customer = Customer(servers, receiver)
        await customer.arrive()
        await customer.work(lambda: len(customer.acknowledged) >= 5)
        await customer.http.aclose()

    # Each scrape has a connection of its own, and with it any of the processes.
    scraped = [samples(f"{servers.url}/metrics") for _ in range(SCRAPES)]

    queries = [one["trackrecord_queries_total", "event_log"] for one in scraped]
    commits = [one["trackrecord_commit_batch_size_count", ""] for one in scraped]
    assert queries == sorted(queries)
    assert commits == sorted(commits)
    assert commits[-1] > 10
    assert all(one["trackrecord_store_up", "redis"] == 1 for one in scraped)
    assert all(one["process_resident_memory_bytes", ""] > 2 * LEAST_BYTES for one in scraped)


@pytest.mark.parametrize(
    ("name", "driver"), [("project", "read_models"), ("work", "operations"), ("work", "redis")]
)
def test_processes_without_an_api_have_a_port_of_their_own(
    servers: Deployment, name: str, driver: str
) -> None:
    found = samples(servers.metrics_urls[name])

    assert found["trackrecord_queries_total", driver] > 0
    assert found["trackrecord_connections_created_total", driver] > 0
    assert found["trackrecord_pools_created_total", driver] > 0
    assert found["process_resident_memory_bytes", ""] > 0
