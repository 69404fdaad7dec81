"""HTTP route of the metrics of this process, in the text format of Prometheus."""

from collections.abc import Iterator
from ipaddress import ip_address

from litestar import Controller, get
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from api.http.parameters import shows_file
from api.http.policy import public
from api.http.problem import not_found
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from domain.base import NotFound
from eventstore.counters import BATCH_BOUNDS, DriverCounters, all_counters, batch_sizes
from runtime.clock import Clock
from runtime.monitor import Monitor

_PREFIX = "trackrecord"
_COUNTERS = (
    ("pools_created", "Pools of connections that were created."),
    ("pools_closed", "Pools of connections that were closed."),
    ("connections_created", "Connections that were opened."),
    ("connections_closed", "Connections that were closed."),
    ("queries", "Commands sent to the store."),
    ("query_errors", "Commands that failed."),
    ("slow_queries", "Commands that took longer than a second."),
    ("retries", "Operations that were tried again."),
    ("health_checks_failed", "Pings that the store did not answer in time."),
)


def _counts(driver: DriverCounters) -> tuple[int, ...]:
    return (
        driver.pools_created,
        driver.pools_closed,
        driver.connections_created,
        driver.connections_closed,
        driver.commands,
        driver.errors,
        driver.slow,
        driver.retries,
        driver.health_checks_failed,
    )


class MetricsController(Controller):
    """The metrics of this process."""

    tags = ("Operations",)

    @get(
        "/metrics",
        opt=public(fails=(NotFound,)),
        responses=shows_file("Metrics in the format of Prometheus", "text/plain"),
    )
    async def get_metrics(self, request: ApiRequest) -> ApiResponse:
        """Report the metrics of this process, to callers on this machine or in METRICS_NETWORKS.

        The text format of Prometheus, version 0.0.4. Everybody else gets 404.
        """
        system = request.api.system
        refuse_strangers(request)
        await request.api.monitor.look()
        registry = CollectorRegistry()
        registry.register(SystemCollector(request.api.monitor, system.clock))
        ProcessCollector(registry=registry)
        return ApiResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST.encode())


def refuse_strangers(request: ApiRequest) -> None:
    """Refuse everybody except the configured scrapers.

    A request that a proxy forwarded for an unknown client, as its headers show, is refused as well.

    :raises Problem: 404.
    """
    allowed = request.api.system.settings.metrics_networks
    client = request.client_info
    forwarded = client.header(b"x-forwarded-for") or client.header(b"forwarded")
    if forwarded or client.ip is None:
        raise not_found()
    if not any(ip_address(client.ip) in network for network in allowed):
        raise not_found()


class SystemCollector(Collector):
    """Renders the counters and the latest findings of the monitor."""

    def __init__(self, monitor: Monitor, clock: Clock) -> None:
        self._monitor, self._clock = monitor, clock

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, without any I/O."""
        drivers = all_counters()
        for index, (name, meaning) in enumerate(_COUNTERS):
            counter = CounterMetricFamily(f"{_PREFIX}_{name}", meaning, labels=["driver"])
            for driver in drivers:
                counter.add_metric([driver.driver], _counts(driver)[index])
            yield counter
        yield self._batches()
        yield from self._gauges()

    def _batches(self) -> Metric:
        total, buckets = 0, list[tuple[str, float]]()
        for bound, count in zip((*BATCH_BOUNDS, None), batch_sizes.counts, strict=True):
            total += count
            buckets.append(("+Inf" if bound is None else str(bound), total))
        meaning = "Commands that shared one commit of the event log."
        family = HistogramMetricFamily(f"{_PREFIX}_commit_batch_size", meaning)
        family.add_metric([], buckets, batch_sizes.sum)
        return family

    def _gauges(self) -> Iterator[Metric]:
        monitor = self._monitor
        up = GaugeMetricFamily(
            f"{_PREFIX}_store_up", "Whether the store answers.", labels=["driver"]
        )
        for name, store in monitor.stores.items():
            up.add_metric([name], 0 if store.trouble else 1)
        yield up
        oldest = monitor.backlog.oldest
        age_s = (self._clock() - oldest).total_seconds() if oldest is not None else 0.0
        for name, meaning, value in (
            ("log_head", "Events in the log.", monitor.head),
            ("projector_lag_events", "Events not in the read models.", monitor.projector.behind),
            ("open_deliveries", "Webhook deliveries that have not ended.", monitor.backlog.open),
            ("oldest_open_delivery_seconds", "Age of the oldest open delivery.", age_s),
        ):
            yield GaugeMetricFamily(f"{_PREFIX}_{name}", meaning, value=float(value))
