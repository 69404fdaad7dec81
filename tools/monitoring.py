"""Generates the page on health checks, metrics and the doctor's checks."""

from collections.abc import Iterator

from cli.doctor import DEEP_S, EXAMINATION_S, EXAMINATIONS
from eventstore.counters import (
    LOG_DRIVER,
    MAIL_DRIVER,
    OPERATIONS_DRIVER,
    READ_MODELS_DRIVER,
    REDIS_DRIVER,
)
from runtime.health.metrics import (
    BATCHES,
    COUNTERS,
    FIGURES,
    GAUGES,
    PREFIX,
    PROCESS,
    STORE_UP,
)
from runtime.health.monitor import READINESS_CHECKS
from runtime.health.totals import CPU
from tools.markdown import code, page, table

_HEALTH = """\
## Health

`GET /api/health` answers 200 as long as the process is alive, and looks at nothing else.
`GET /api/health/ready` asks every store at once and says of each part `ok`, or what is wrong. If a
part that requests need is not ok, the answer is 503 `not_ready`, otherwise 200 with the status `ok`
or `degraded`. `behind` has the number of events that a follower has yet to process."""

_METRICS = """\
## Metrics

`GET /metrics` of the API, and on `METRICS_PORT` of `project` and `work`, in the text format of
Prometheus. The API processes of one port count together: any of them answers for all. Counters are
those of the processes since they started, so what another process did is in its own metrics."""

_DRIVERS = {
    LOG_DRIVER: "the event log",
    OPERATIONS_DRIVER: "the operational state next to it",
    READ_MODELS_DRIVER: "the store of the read models",
    REDIS_DRIVER: "Redis",
    MAIL_DRIVER: "the mail server, once a mail was sent; it is not pinged",
}


def monitoring_page() -> str:
    """Return the page: one table for each of health, metrics and the doctor."""
    doctor = (
        "## Doctor\n\n`trackrecord doctor` changes nothing. Each check has"
        f" {EXAMINATION_S:g} s, and `--deep` has {DEEP_S / 60:g} minutes unless `--within` says"
        " otherwise. The exit code is 1 if any check is bad, and 2 for wrong settings."
    )
    return page(
        "Health, metrics and doctor",
        _HEALTH,
        table(("check", "says", "means", "status"), _checks()),
        _METRICS,
        table(("metric", "kind", "meaning"), _metrics()),
        "The label `driver` names the store:",
        table(("driver", "is"), ((code(name), what) for name, what in _DRIVERS.items())),
        doctor,
        table(("check", "well if"), EXAMINATIONS.items()),
    )


def _checks() -> Iterator[tuple[str, str, str, str]]:
    for name, check in READINESS_CHECKS.items():
        yield code(name), code("ok"), check.ok, ""
        for state, meaning in check.states.items():
            yield "", code(state), meaning, "503" if check.needed else "200, degraded"


def _metrics() -> Iterator[tuple[str, str, str]]:
    for name, meaning in COUNTERS:
        yield code(f'{PREFIX}_{name}_total{{driver="…"}}'), "counter", meaning
    yield code(f"{PREFIX}_{BATCHES[0]}"), "histogram", BATCHES[1]
    yield code(f'{PREFIX}_{STORE_UP[0]}{{driver="…"}}'), "gauge", STORE_UP[1]
    for name, meaning in (*FIGURES, *GAUGES):
        yield code(f"{PREFIX}_{name}"), "gauge", meaning
    for name, meaning in PROCESS.items():
        yield code(name), "counter" if name == CPU else "gauge", meaning
