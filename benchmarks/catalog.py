"""All benchmarks by name, with the question each answers."""

from collections.abc import Callable
from types import ModuleType
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
    versus_first,
    webhook_latency,
    worker_wait,
)
from benchmarks.exchange import bulk, import_work, live, search
from benchmarks.harness.figures import Figure
from benchmarks.identity import guard, key_check, login_burst, login_timing, profile
from benchmarks.planning import board, past_board
from benchmarks.running import hanging, start
from benchmarks.scaling import fan_out, followers, projectors, second_api, takeover, writing
from benchmarks.work import activity, counts, dashboard, files, lists, relations, trash


class Benchmark(NamedTuple):
    """A question, the function that measures the answer, and remarks on what is measured."""

    question: str
    measure: Callable[[], list[Figure]]
    remarks: str


def _benchmark(module: ModuleType) -> Benchmark:
    """Return the benchmark of *module*: its docstring is the question and the remarks."""
    question, _, remarks = (module.__doc__ or "").partition("\n")
    return Benchmark(question, module.measure, remarks.strip())


BENCHMARKS = {
    "append-sqlite": _benchmark(append_sqlite),
    "append-postgres": _benchmark(append_postgres),
    "load-fold": _benchmark(load_fold),
    "loop-delay": _benchmark(loop_delay),
    "members": _benchmark(members),
    "replay": _benchmark(replay),
    "projecting": _benchmark(projecting),
    "http-create": _benchmark(http_create),
    "http-page": _benchmark(http_page),
    "lists": _benchmark(lists),
    "guard": _benchmark(guard),
    "key-check": _benchmark(key_check),
    "login-burst": _benchmark(login_burst),
    "login-timing": _benchmark(login_timing),
    "profile": _benchmark(profile),
    "board": _benchmark(board),
    "past-board": _benchmark(past_board),
    "burst": _benchmark(burst),
    "activity": _benchmark(activity),
    "counts": _benchmark(counts),
    "dashboard": _benchmark(dashboard),
    "files": _benchmark(files),
    "relations": _benchmark(relations),
    "trash": _benchmark(trash),
    "fan-out": _benchmark(fan_out),
    "followers": _benchmark(followers),
    "projectors": _benchmark(projectors),
    "second-api": _benchmark(second_api),
    "takeover": _benchmark(takeover),
    "writing": _benchmark(writing),
    "versus-crud": _benchmark(versus_crud),
    "versus-first": _benchmark(versus_first),
    "webhook-latency": _benchmark(webhook_latency),
    "bulk": _benchmark(bulk),
    "import-work": _benchmark(import_work),
    "live-events": _benchmark(live),
    "search": _benchmark(search),
    "worker-wait": _benchmark(worker_wait),
    "hanging": _benchmark(hanging),
    "start": _benchmark(start),
    "tests": _benchmark(suite),
}
