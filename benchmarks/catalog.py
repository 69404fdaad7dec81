"""All benchmarks by name, with the question each answers."""

from collections.abc import Callable
from typing import NamedTuple

from benchmarks import (
    append_postgres,
    append_sqlite,
    burst,
    http_create,
    http_page,
    load_fold,
    loop_delay,
    members,
    projecting,
    replay,
    suite,
    versus_crud,
    webhook_latency,
    worker_wait,
)
from benchmarks.harness.figures import Figure


class Benchmark(NamedTuple):
    """A question and the function that measures the answer."""

    question: str
    measure: Callable[[], list[Figure]]


BENCHMARKS = {
    "append-sqlite": Benchmark(append_sqlite.__doc__ or "", append_sqlite.measure),
    "append-postgres": Benchmark(append_postgres.__doc__ or "", append_postgres.measure),
    "load-fold": Benchmark(load_fold.__doc__ or "", load_fold.measure),
    "loop-delay": Benchmark(loop_delay.__doc__ or "", loop_delay.measure),
    "members": Benchmark(members.__doc__ or "", members.measure),
    "replay": Benchmark(replay.__doc__ or "", replay.measure),
    "projecting": Benchmark(projecting.__doc__ or "", projecting.measure),
    "http-create": Benchmark(http_create.__doc__ or "", http_create.measure),
    "http-page": Benchmark(http_page.__doc__ or "", http_page.measure),
    "burst": Benchmark(burst.__doc__ or "", burst.measure),
    "versus-crud": Benchmark(versus_crud.__doc__ or "", versus_crud.measure),
    "webhook-latency": Benchmark(webhook_latency.__doc__ or "", webhook_latency.measure),
    "worker-wait": Benchmark(worker_wait.__doc__ or "", worker_wait.measure),
    "tests": Benchmark(suite.__doc__ or "", suite.measure),
}
