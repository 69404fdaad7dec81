"""``up``: run the whole system in one process tree on embedded stores, for development.

The stores are reached by URL as in production. Whatever dies is restarted; Ctrl-C stops the
processes first and their stores last.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from cli.child import Child
from cli.embedded import Environment, embedded_stores, restart_if_dead
from cli.pulse import Pulse
from cli.running import Running, write_running
from cli.story.seed import DEMO_EMAIL, DEMO_PASSWORD, seed
from devstack import DevstackError
from devstack.lock import DataDirLock
from devstack.server import Server
from devstack.signals import Signals
from runtime.health.instance import INSTANCE_ID
from runtime.listening import LISTEN_FD, bind, url_of
from runtime.secret_file import make_private
from runtime.setting import environment
from runtime.settings import Settings, load_settings, unknown_names

PROCESSES = {"serve": "api", "follow": "workers.following"}
"""Our processes by name, and the module that each runs."""
READY_S = 60.0
WATCH_S = 1.0
"""How often the processes are looked at, besides the moments at which one of them ends."""
_POLL_S = 0.02
GRACE = 1.5
"""How old a process must be to count as hanging, as a multiple of STALLED_AFTER: at first it may be
starting."""


def run(*, no_demo: bool = False) -> int:
    """Run until stopped; return 0 after a clean stop.

    Parameters
    ----------
    no_demo
        Do not create the demo organization.
    """
    environ = environment()
    settings = load_settings(environ)
    for warning in unknown_names(environ):
        _say(f"warning: {warning}")
    os.umask(0o077)  # only the owner may read what is written here
    with DataDirLock(settings.data_dir), bind(settings.host, settings.port) as listening:
        make_private(settings.data_dir)
        with embedded_stores(settings, environ) as stores:
            stores[LISTEN_FD] = str(listening.fileno())
            Supervisor(settings, stores, listening.fileno()).run(demo=not no_demo)
    return 0


class Supervisor:
    """Keeps the processes and the embedded stores running until a signal comes."""

    def __init__(self, settings: Settings, stores: Environment, listening: int) -> None:
        self._settings, self._stores = settings, stores
        self._grace_s = GRACE * settings.stalled_after.total_seconds()
        self._children = [
            Child(name, module, stores, settings.data_dir, [listening])
            for name, module in PROCESSES.items()
        ]
        self._url = url_of(settings.host, settings.port)
        self._pulse = Pulse(self._url, stores[INSTANCE_ID])
        self._known: dict[str, int] = {}
        self._stopping = False

    def run(self, *, demo: bool) -> None:
        """Start everything, print where it runs, and watch it until stopped."""
        try:
            with Signals(self._stop) as signals:
                self._migrate()
                for child in self._children:
                    child.start()
                self._wait_until_ready()
                if demo and not self._stopping:
                    seed(self._url, self._settings.data_dir)
                if not self._stopping:
                    _say_hello(self._url, self._settings.data_dir, demo=demo)
                while not self._stopping:
                    self._publish()
                    signals.wait(min(WATCH_S, *(child.pause_s for child in self._children)))
                    self._watch()
        finally:
            _say("stopping …")
            for child in self._children:
                child.ask_to_stop()
            for child in self._children:
                child.stop()

    def _migrate(self) -> None:
        """Create the tables of a log on a server; a log in a file gets them when it is opened."""
        if not self._settings.events_url.startswith("sqlite"):
            subprocess.run(
                [sys.executable, "-m", "cli", "migrate"],
                env=self._stores,
                check=True,
                stdout=subprocess.DEVNULL,
            )

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True

    def _watch(self) -> None:
        hanging = self._pulse.hanging()
        for child in self._children:
            if child.name in hanging and child.age_s > self._grace_s:
                _say(f"{child.name} does not advance; restarting it")
                child.kill()
        news = [child.watch() for child in self._children]
        news += [restart_if_dead(server) for server in self._stores.servers]
        for line in news:
            if line is not None:
                _say(line)

    def _publish(self) -> None:
        """Publish which processes are running, if one of them is new."""
        everything: list[Child | Server] = [*self._children, *self._stores.servers]
        processes = {"up": os.getpid()}
        processes.update({p.name: p.pid for p in everything if p.pid is not None})
        if processes != self._known:
            directory = str(self._settings.data_dir.resolve())
            write_running(Running(self._url, directory, self._stores.stores(), processes))
            self._known = processes

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_S
        while not self._stopping and not self._pulse.is_ready():
            for child in self._children:
                if child.exit_code() is not None:
                    raise DevstackError(
                        f"{child.name} exited with {child.exit_code()}:\n{child.log_end()}"
                    )
            if time.monotonic() > deadline:
                raise DevstackError(
                    f"the API was not ready after {READY_S:.0f} s:\n{self._children[0].log_end()}"
                )
            time.sleep(_POLL_S)


def _say_hello(url: str, data_dir: Path, *, demo: bool) -> None:
    _say(f"\nTrackrecord runs at {url}   (interactive documentation: {url}/api/docs)")
    if demo:
        _say(_demo_commands(url))
    _say(f"Logs and data are in {data_dir}/. Ctrl-C stops everything.")


def _demo_commands(url: str) -> str:
    return f"""\
Demo login: {DEMO_EMAIL} / {DEMO_PASSWORD}

Try:
  TOKEN=$(curl -s {url}/api/auth/login -H 'content-type: application/json' \\
    -d '{{"email":"{DEMO_EMAIL}","password":"{DEMO_PASSWORD}"}}' \\
    | python3 -c 'import json,sys; print(json.load(sys.stdin)["accessToken"])')
  curl -s {url}/api/task/ENG-1 -H "authorization: Bearer $TOKEN"
  curl -s "{url}/api/audit?limit=3" -H "authorization: Bearer $TOKEN"
"""


def _say(text: str) -> None:
    print(text, flush=True)
