"""The metrics of a process in the text format of Prometheus; those of API processes are added."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from eventstore.counters import BATCH_BOUNDS
from runtime.clock import Clock
from runtime.health.monitor import Monitor
from runtime.health.totals import Counted, SharedCounts

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


def render_metrics(monitor: Monitor, clock: Clock, shared: SharedCounts) -> bytes:
    """Return the metrics as the monitor has last seen the system."""
    registry = CollectorRegistry()
    registry.register(SystemCollector(monitor, clock, shared.total()))
    if not shared.is_shared:
        ProcessCollector(registry=registry)
    return generate_latest(registry)


class SystemCollector(Collector):
    """Renders the counters and the latest findings of the monitor."""

    def __init__(self, monitor: Monitor, clock: Clock, counted: Counted) -> None:
        self._monitor, self._clock, self._counted = monitor, clock, counted

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, without any I/O."""
        for index, (name, meaning) in enumerate(_COUNTERS):
            counter = CounterMetricFamily(f"{_PREFIX}_{name}", meaning, labels=["driver"])
            for driver, counts in self._counted.drivers.items():
                counter.add_metric([driver], counts[index])
            yield counter
        yield self._batches()
        yield from self._states()
        yield from self._gauges()

    def _batches(self) -> Metric:
        total, buckets = 0, list[tuple[str, float]]()
        for bound, count in zip((*BATCH_BOUNDS, None), self._counted.batches, strict=True):
            total += count
            buckets.append(("+Inf" if bound is None else str(bound), total))
        meaning = "Commands that shared one commit of the event log."
        family = HistogramMetricFamily(f"{_PREFIX}_commit_batch_size", meaning)
        family.add_metric([], buckets, self._counted.commands)
        return family

    def _states(self) -> Iterator[Metric]:
        up = GaugeMetricFamily(
            f"{_PREFIX}_store_up", "Whether the store answers.", labels=["driver"]
        )
        for name, store in self._monitor.stores.items():
            up.add_metric([name], 0 if store.trouble else 1)
        yield up
        for name, value in self._monitor.figures.items():
            meaning = "A figure of the store of the read models."
            yield GaugeMetricFamily(f"{_PREFIX}_read_store_{name}", meaning, value=float(value))

    def _gauges(self) -> Iterator[Metric]:
        monitor = self._monitor
        oldest = monitor.backlog.oldest
        age_s = (self._clock() - oldest).total_seconds() if oldest is not None else 0.0
        for name, meaning, value in (
            ("log_head", "Events in the log.", monitor.head),
            ("projector_lag_events", "Events not in the read models.", monitor.projector.behind),
            ("projector_standing_seconds", "How long they wait.", monitor.projector.standing_s),
            ("stalled_endpoints", "Webhooks that stand still.", len(monitor.endpoints.stalled)),
            ("open_deliveries", "Webhook deliveries that have not ended.", monitor.backlog.open),
            ("oldest_open_delivery_seconds", "Age of the oldest open delivery.", age_s),
        ):
            yield GaugeMetricFamily(f"{_PREFIX}_{name}", meaning, value=float(value))
