"""``up``: run the whole system in one process tree on embedded stores, for development.

The stores are real servers, reached by URL as in production. Whatever dies is restarted; Ctrl-C
stops the processes first and their stores last.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from cli.migrate import migrate
from cli.running import RUNNING_FILE, Running, write_running
from cli.seed import DEMO_EMAIL, DEMO_PASSWORD, seed
from devstack import DevstackError
from devstack.lock import DataDirLock
from devstack.mongo import mongo
from devstack.redis import redis
from devstack.server import Server, die_with
from eventstore.open import SQLITE
from runtime.settings import Settings, environment, load_settings, unknown_names

STORES = ("EVENTS_URL", "MONGODB_URI", "REDIS_URL")
PROCESSES = ("serve", "project", "work")
STOP_S = 15.0
_READY_S = 60.0
RESTART_PAUSE_S = (0.2, 1.0, 5.0)
"""Pause before a process is restarted: short at first, longer if it keeps dying."""
STABLE_S = 30.0
WATCH_S = 0.2
LOG_LINES = 12


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    up = commands.add_parser(
        "up",
        help="run everything on embedded stores",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    up.add_argument("--no-demo", action="store_true", help="do not create the demo organization")
    up.set_defaults(run=run)


def run(asked: argparse.Namespace) -> int:
    """Run until stopped; return 0 after a clean stop."""
    environ = environment()
    settings = load_settings(environ)
    for warning in unknown_names(environ):
        _say(f"warning: {warning}")
    with DataDirLock(settings.data_dir), _stores(settings, environ) as stores:
        system = [Process(name, stores, settings.data_dir) for name in PROCESSES]
        known: dict[str, int] = {}
        stop = _on_signal()
        try:
            for process in system:
                process.start()
            _wait_ready(settings, system, stop)
            if not stop:
                if not asked.no_demo:
                    seed(_base(settings), settings.data_dir)
                _say_hello(settings, demo=not asked.no_demo)
            while not stop:
                known = _make_known(settings, stores, system, known)
                time.sleep(WATCH_S)
                for process in system:
                    process.watch()
                for server in stores.servers:
                    _watch(server)
        finally:
            _say("stopping …")
            for process in system:
                process.stop()
    return 0


def _make_known(
    settings: Settings, environment: "Environment", system: list["Process"], known: dict[str, int]
) -> dict[str, int]:
    """Publish which processes are running, if that has changed."""
    everything: list[Process | Server] = [*system, *environment.servers]
    processes = {"up": os.getpid()}
    processes.update({p.name: p.pid for p in everything if p.pid is not None})
    if processes != known:
        stores = {name: environment[name] for name in STORES}
        directory = str(settings.data_dir.resolve())
        write_running(Running(_base(settings), directory, stores, processes))
    return processes


class Environment(dict[str, str]):
    """The environment of the processes, and the embedded servers it refers to."""

    servers: list[Server]


@contextlib.contextmanager
def _stores(settings: Settings, environ: Mapping[str, str]) -> Generator[Environment]:
    """Start the stores that no setting provides; yield the environment for the processes."""
    environment = Environment(environ)
    environment.servers = []
    environment["EVENTS_URL"] = _absolute(settings.events_url)
    environment["DATA_DIR"] = str(settings.data_dir.resolve())
    # In development, webhook receivers run on the same machine.
    environment.setdefault("WEBHOOK_ALLOW_NETWORKS", "127.0.0.0/8,::1/128")
    if not settings.mongodb_uri:
        environment.servers.append(mongo(settings.data_dir / "mongo"))
        environment["MONGODB_URI"] = environment.servers[-1].url
    if not settings.redis_url:
        environment.servers.append(redis(settings.data_dir / "redis"))
        environment["REDIS_URL"] = environment.servers[-1].url
    running = settings.data_dir / RUNNING_FILE
    try:
        for server in environment.servers:
            _say(f"starting {server.name} ({server.engine})")
            server.start()
        for server in environment.servers:
            server.wait_ready()
        migrate(environment["EVENTS_URL"])
        yield environment
    finally:
        running.unlink(missing_ok=True)
        for server in environment.servers:
            server.stop()


def _watch(server: Server) -> None:
    if not server.alive():
        _say(f"{server.name} died; restarting it")
        try:
            server.start()
        except DevstackError as error:
            _say(str(error))


class Process:
    """One of our processes, restarted when it dies."""

    def __init__(self, name: str, environment: dict[str, str], data_dir: Path) -> None:
        self.name = name
        self._environment = environment
        self._log = data_dir / f"{name}.log"
        self._child: subprocess.Popen[bytes] | None = None
        self._started = self._due = 0.0
        self._deaths = 0

    def start(self) -> None:
        parent = os.getpid()
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603  our own command
                [sys.executable, "-m", "cli", self.name],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
                preexec_fn=lambda: die_with(parent),  # noqa: PLW1509  see devstack.server
            )
        self._started = time.monotonic()

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    def exit_code(self) -> int | None:
        """Return the exit code of a process that ended, or None."""
        return self._child.poll() if self._child else None

    def watch(self) -> None:
        """Restart the process if it has died, after a pause."""
        if self._child is not None and self._child.poll() is not None:
            lived = time.monotonic() - self._started
            self._deaths = 0 if lived > STABLE_S else self._deaths
            pause = RESTART_PAUSE_S[min(self._deaths, len(RESTART_PAUSE_S) - 1)]
            code = self._child.returncode
            _say(f"{self.name} exited with {code}; restarting it in {pause} s ({self._log})")
            self._child, self._due = None, time.monotonic() + pause
            self._deaths += 1
        if self._child is None and time.monotonic() >= self._due:
            self.start()

    def log_end(self) -> str:
        """Return the last lines of the process's log."""
        lines = self._log.read_text(errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-LOG_LINES:])

    def stop(self) -> None:
        if self._child is None or self._child.poll() is not None:
            return
        self._child.send_signal(signal.SIGTERM)
        try:
            self._child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()


def _on_signal() -> list[int]:
    """Return a list that stays empty until a signal asks us to stop."""
    asked: list[int] = []

    def stop(number: int, _: FrameType | None) -> None:
        asked.append(number)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    return asked


def _wait_ready(settings: Settings, system: list[Process], stop: list[int]) -> None:
    deadline = time.monotonic() + _READY_S
    while not stop:
        if _answers(f"{_base(settings)}/api/health/ready"):
            return
        for process in system:
            if process.exit_code() is not None:
                raise DevstackError(
                    f"{process.name} exited with {process.exit_code()}:\n{process.log_end()}"
                )
        if time.monotonic() > deadline:
            raise DevstackError(
                f"the API was not ready after {_READY_S:.0f} s:\n{system[0].log_end()}"
            )
        time.sleep(WATCH_S)


def _absolute(events_url: str) -> str:
    """Return a SQLite URL that means the same file in every working directory."""
    if not events_url.startswith(SQLITE):
        return events_url
    return f"{SQLITE}{Path(events_url.removeprefix(SQLITE)).resolve()}"


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  our own address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _base(settings: Settings) -> str:
    host = "127.0.0.1" if settings.host == "0.0.0.0" else settings.host  # noqa: S104  comparing
    return f"http://{host}:{settings.port}"


def _say_hello(settings: Settings, *, demo: bool) -> None:
    base = _base(settings)
    _say(f"\nTrackrecord runs at {base}   (interactive documentation: {base}/api/docs)")
    if demo:
        _say(_demo_commands(base))
    _say(f"Logs and data are in {settings.data_dir}/. Ctrl-C stops everything.")


def _demo_commands(base: str) -> str:
    return f"""\
Demo login: {DEMO_EMAIL} / {DEMO_PASSWORD}

Try:
  TOKEN=$(curl -s {base}/api/auth/login -H 'content-type: application/json' \\
    -d '{{"email":"{DEMO_EMAIL}","password":"{DEMO_PASSWORD}"}}' \\
    | python3 -c 'import json,sys; print(json.load(sys.stdin)["accessToken"])')
  curl -s {base}/api/task/ENG-1 -H "authorization: Bearer $TOKEN"
  curl -s "{base}/api/audit?limit=3" -H "authorization: Bearer $TOKEN"
"""


def _say(text: str) -> None:
    print(text, flush=True)
