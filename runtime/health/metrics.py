"""The metrics of a process in the text format of Prometheus; those of API processes are added."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
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
from runtime.health.totals import CPU, Counted, SharedCounts

PREFIX = "trackrecord"
COUNTERS = (
    ("pools_created", "Pools of connections that were created; SQLite files count as one each."),
    ("pools_closed", "Pools of connections that were closed."),
    ("connections_created", "Connections that were opened."),
    ("connections_closed", "Connections that were closed."),
    ("queries", "Commands sent to the store; for mail, mails handed to the server."),
    ("query_errors", "Commands that failed."),
    ("slow_queries", "Commands that took longer than a second."),
    ("retries", "Operations that were tried again after the store did not answer."),
    ("health_checks_failed", "Pings that the store did not answer in time."),
)
"""What is counted for each driver, in the order of ``Counted.drivers``."""

BATCHES = ("commit_batch_size", "Commands that shared one commit of the event log.")
STORE_UP = ("store_up", "1 if the store answered its last ping, else 0.")
FIGURES = (
    ("read_store_file_bytes", "Size of the SQLite file of the read models."),
    ("read_store_wal_bytes", "Size of its write-ahead log."),
)
"""The figures of a store of read models; MongoDB has none."""

GAUGES = (
    ("log_head", "Events in the log, over all partitions."),
    ("projector_lag_events", "Events that the slowest read model does not include yet."),
    ("projector_standing_seconds", "How long the projector has not advanced while events wait."),
    ("stalled_endpoints", "Webhooks that have not advanced for STALLED_AFTER while events wait."),
    ("open_deliveries", "Webhook deliveries that have neither succeeded nor failed for good."),
    ("live_streams", "Open streams of live events."),
    ("oldest_open_delivery_seconds", "Age of the oldest of them; 0 without any."),
)
PROCESS = {
    CPU: "CPU time, user and system, including that of API processes that have ended.",
    "process_resident_memory_bytes": "Memory in RAM; what processes share counts for each.",
    "process_virtual_memory_bytes": "Virtual memory.",
    "process_open_fds": "Open file descriptors.",
    "process_max_fds": "How many file descriptors one process may open.",
    "process_start_time_seconds": "When the oldest of the processes started, since 1970.",
}
"""The figures of the operating system (Linux only), added up over the API processes of a port."""


def render_metrics(monitor: Monitor, clock: Clock, shared: SharedCounts) -> bytes:
    """Return the metrics as the monitor has last seen the system."""
    registry = CollectorRegistry()
    registry.register(SystemCollector(monitor, clock, shared.total()))
    return generate_latest(registry)


class SystemCollector(Collector):
    """Renders the counters and the latest findings of the monitor."""

    def __init__(self, monitor: Monitor, clock: Clock, counted: Counted) -> None:
        self._monitor, self._clock, self._counted = monitor, clock, counted

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, without any I/O."""
        for index, (name, meaning) in enumerate(COUNTERS):
            counter = CounterMetricFamily(f"{PREFIX}_{name}", meaning, labels=["driver"])
            for driver, counts in self._counted.drivers.items():
                counter.add_metric([driver], counts[index])
            yield counter
        yield self._batches()
        yield from self._states()
        yield from self._gauges()
        yield from self._process()

    def _batches(self) -> Metric:
        total, buckets = 0, list[tuple[str, float]]()
        for bound, count in zip((*BATCH_BOUNDS, None), self._counted.batches, strict=True):
            total += count
            buckets.append(("+Inf" if bound is None else str(bound), total))
        name, meaning = BATCHES
        family = HistogramMetricFamily(f"{PREFIX}_{name}", meaning)
        family.add_metric([], buckets, self._counted.commands)
        return family

    def _states(self) -> Iterator[Metric]:
        name, meaning = STORE_UP
        up = GaugeMetricFamily(f"{PREFIX}_{name}", meaning, labels=["driver"])
        for driver, store in self._monitor.stores.items():
            up.add_metric([driver], 0 if store.trouble else 1)
        yield up
        for name, meaning in FIGURES:
            figure = self._monitor.figures.get(name.removeprefix("read_store_"))
            if figure is not None:
                yield GaugeMetricFamily(f"{PREFIX}_{name}", meaning, value=float(figure))

    def _gauges(self) -> Iterator[Metric]:
        monitor = self._monitor
        oldest = monitor.backlog.oldest
        age_s = (self._clock() - oldest).total_seconds() if oldest is not None else 0.0
        values = (
            monitor.head,
            monitor.projector.behind,
            monitor.projector.standing_s,
            len(monitor.endpoints.stalled),
            monitor.backlog.open,
            self._counted.streams,
            age_s,
        )
        for (name, meaning), value in zip(GAUGES, values, strict=True):
            yield GaugeMetricFamily(f"{PREFIX}_{name}", meaning, value=float(value))

    def _process(self) -> Iterator[Metric]:
        for name, meaning in PROCESS.items():
            value = self._counted.process.get(name)
            if value is not None:
                family = CounterMetricFamily if name == CPU else GaugeMetricFamily
                yield family(name, meaning, value=value)
