"""``doctor``: check settings, stores, read models and the log, and change nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import AsyncExitStack, closing
from functools import partial
from pathlib import Path
from threading import Thread

import msgspec
from msgspec import Struct

from cli.checkup import (
    Finding,
    cursor_findings,
    fork_findings,
    key_findings,
    read_model_findings,
    tree_findings,
    webhook_findings,
)
from cli.outages import outages_as_failures
from cli.recovery.backup import check_database
from cli.running import settings_of_running
from eventstore.append import LogUnfit
from eventstore.backup.open import open_database
from eventstore.engine.schema import OLD_SHAPE, OLD_TABLE
from eventstore.engine.sqlite.file import tables_in
from eventstore.log import EventLog
from eventstore.mode import REASONS, LogMode
from eventstore.open import SQLITE
from eventstore.operations.open import open_operations, operations_file
from eventstore.operations.store import OperationalStore
from projections.engine.open import open_read_store
from runtime.buckets.kept import open_kept_heads
from runtime.outages import StoreOutage
from runtime.settings import Settings, load_settings, unknown_names
from runtime.system import StoreUnreachable, derive_keys, open_log
from runtime.wakeups import Wakeups

EXAMINATION_S = 10.0
"""How long one check may take; the whole log (``--deep``) may take longer."""

DEEP_S = 3_600.0
"""How long comparing the whole log may take."""

EXAMINATIONS = {
    "settings": "they can be read; names that look like a misspelled setting are listed",
    "log": "it answers, and takes commands or is read-only; bad if it is not there, was moved,"
    " contradicts what was signed, or a restore has not finished",
    "redis": "it answers, or is not configured",
    "webhooks": "how many deliveries are open and since when, and the newest notices; bad is a"
    " webhook that is parked because one of its events cannot be read",
    "webhook cursors": "the log has the events that they are at; bad if one is ahead of the log, as"
    " after a restore, or if the log does not have its webhook, until the restore is accepted",
    "audit trees": "no organization has fewer events than were signed, also by the heads that are"
    " kept outside the database; nothing is signed here",
    "forks": "those that were begun, and are neither whole nor given up",
    "read models": "they were built from this log, are not ahead of it, and are shown to readers",
    "each read model, by its name": "how many events it lacks; bad if a new version cannot be"
    " built, or if documents are parked",
    "read store": "it answers, with the sizes of its files",
    "every event": "only with `--deep`: each event is what was signed, byte by byte",
}
"""What each check of the doctor says."""

_Examine = Callable[[], Awaitable[list[Finding]]]
_ExamineOperations = Callable[[OperationalStore], Awaitable[list[Finding]]]


class Examination(Struct, frozen=True):
    """The results of all checks; ``well`` only if every one is."""

    well: bool
    findings: list[Finding]


def run(*, deep: bool = False, within: float = DEEP_S, json: bool = False) -> int:
    """Print one line per finding; return 1 if any is a problem.

    Parameters
    ----------
    deep
        Compare every event in the log with the signed tree heads.
    within
        Seconds that --deep may take.
    json
        Print one JSON object instead.
    """
    environ = settings_of_running()
    settings = load_settings(environ, generate_secrets=False)
    findings = [Finding(True, "settings", f"{settings.app_env}, data in {settings.data_dir}")]
    findings += [Finding(True, "settings", warning) for warning in unknown_names(environ)]
    findings += asyncio.run(Doctor(settings).examine())
    if deep:
        findings += _in_time(lambda: _deep(settings), within)
    report = Examination(all(finding.well for finding in findings), findings)
    if json:
        print(msgspec.json.encode(report).decode())
    else:
        for finding in findings:
            print(f"{'ok  ' if finding.well else 'BAD '} {finding.check}: {finding.message}")
    return 0 if report.well else 1


class Doctor:
    """Opens each store by itself, so that one that hangs does not hide the others."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def examine(self) -> list[Finding]:
        """Return what was found, in the order of the checks."""
        kept = open_kept_heads(self._settings)
        async with AsyncExitStack() as stack:
            logs: list[EventLog] = []

            async def open_the_log() -> list[Finding]:
                if lacking := _lacking_log(self._settings.events_url):
                    return [Finding(False, "log", lacking)]
                keys = derive_keys(self._settings)
                log = await stack.enter_async_context(open_log(self._settings, keys))
                events = sum([await log.last_position(part) for part in range(log.parts)])
                logs.append(log)
                here = f"{events} events in {log.parts} partition(s)"
                return [Finding(True, "log", here), await _mode(log)]

            findings = await _bounded("log", open_the_log)
            findings += await _bounded("redis", self._redis)
            findings += await _bounded("webhooks", partial(self._operations, webhook_findings))
            for log in logs:
                cursors = partial(cursor_findings, log)
                findings += await _bounded("webhook cursors", partial(self._operations, cursors))
                if self._settings.master_previous_key:
                    masters = derive_keys(self._settings).master
                    findings += await _bounded("keys", partial(key_findings, log, masters))
                findings += await _bounded("audit trees", partial(tree_findings, log, kept))
                findings += await _bounded("forks", partial(fork_findings, log))
                findings += await _bounded("read models", partial(self._read_models, log))
            return findings

    async def _redis(self) -> list[Finding]:
        if not self._settings.redis_url:
            return [Finding(True, "redis", "not configured; processes poll instead")]
        wakeups = Wakeups(self._settings.redis_url)
        try:
            trouble = await wakeups.trouble()
        finally:
            await wakeups.close()
        if trouble:
            return [Finding(False, "redis", f"{trouble}; everything works, with more latency")]
        return [Finding(True, "redis", "answers")]

    async def _operations(self, check: _ExamineOperations) -> list[Finding]:
        url = self._settings.events_url
        if url.startswith(SQLITE):
            file = operations_file(url)
            if not file.exists() or not tables_in(file):
                what = "has no tables" if file.exists() else "does not exist"
                return [Finding(False, "webhooks", f"{file} {what}; is `work` running?")]
        store = open_operations(url)
        try:
            await store.open()
            return await check(store)
        finally:
            await store.close()

    async def _read_models(self, log: EventLog) -> list[Finding]:
        settings = self._settings
        store = open_read_store(settings.mongodb_uri, settings.mongodb_database, settings.data_dir)
        try:
            return await read_model_findings(log, store)
        finally:
            await store.close()


async def _bounded(name: str, check: _Examine, deadline_s: float = EXAMINATION_S) -> list[Finding]:
    try:
        async with asyncio.timeout(deadline_s):
            return await check()
    except TimeoutError:
        return [Finding(False, name, f"no answer in {deadline_s:g} s")]
    except (*StoreOutage, StoreUnreachable, LogUnfit, OSError) as error:
        return [Finding(False, name, str(error))]


async def _mode(log: EventLog) -> Finding:
    """Return which log it is, and whether it takes commands."""
    identity = await log.identity()
    mode = await asyncio.to_thread(log.store.mode)
    well = mode in (LogMode.OPEN, LogMode.READ_ONLY)  # what an operator wants is no fault
    takes = "takes commands" if mode is LogMode.OPEN else f"takes no commands: {REASONS[mode]}"
    return Finding(well, "log", f"{identity.id}, epoch {identity.epoch}, {takes}")


def _lacking_log(events_url: str) -> str | None:
    """Return why an SQLite file cannot be opened as a log, which would create one; None if it can.

    :raises LogUnavailable: it cannot be read.
    """
    path = Path(events_url.removeprefix(SQLITE).partition("?")[0])
    if not events_url.startswith(SQLITE):
        return None
    if not path.exists():
        return f"{path} does not exist; run `trackrecord up`"
    tables = tables_in(path)
    if OLD_TABLE in tables:
        return OLD_SHAPE
    return None if tables else f"{path} has no tables; run `trackrecord up`"


def _in_time(check: Callable[[], list[Finding]], deadline_s: float) -> list[Finding]:
    """Run a check that cannot be interrupted; after the deadline it is left to end with us."""
    done: Future[list[Finding]] = Future()

    def run_check() -> None:
        try:
            done.set_result(check())
        except BaseException as error:  # noqa: BLE001  raised again where the result is wanted
            done.set_exception(error)

    Thread(target=run_check, name="deep check", daemon=True).start()
    try:
        return done.result(deadline_s)
    except TimeoutError:
        return [Finding(False, "every event", f"not compared in {deadline_s:g} s; see --within")]


def _deep(settings: Settings) -> list[Finding]:
    """Compare every event with the signed tree heads."""
    with (
        outages_as_failures(),
        closing(open_database(settings.events_url)) as database,
        database.snapshot() as snapshot,
    ):
        check = check_database(snapshot, settings)
    problems = [Finding(False, "every event", problem) for problem in check.problems()]
    agreed = f"the trees of {check.organizations} organizations agree with what was signed"
    return problems or [Finding(True, "every event", agreed)]
