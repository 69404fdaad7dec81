"""The embedded stores of ``up``, and the environment through which its processes find them."""

import contextlib
import secrets
from collections.abc import Generator, Mapping
from pathlib import Path

from cli.running import RUNNING_FILE
from devstack import DevstackError
from devstack.redis import redis
from devstack.server import Server
from runtime.health.instance import INSTANCE_ID
from runtime.settings import Settings

STORES = ("EVENTS_URL", "MONGODB_URI", "REDIS_URL")
_SQLITE = "sqlite:///"
LAPTOP_NETWORKS = "127.0.0.0/8,::1/128"
"""In development, webhook receivers run on the same machine."""


class Environment(dict[str, str]):
    """The environment of the processes, and the embedded servers it refers to."""

    servers: list[Server]

    def stores(self) -> dict[str, str]:
        """Return the variables that name the stores."""
        return {name: self[name] for name in STORES if name in self}


@contextlib.contextmanager
def embedded_stores(settings: Settings, environ: Mapping[str, str]) -> Generator[Environment]:
    """Start the stores that no setting provides; yield the environment for the processes."""
    environment = Environment(environ)
    environment.servers = []
    environment["EVENTS_URL"] = _absolute(settings.events_url)
    environment["DATA_DIR"] = str(settings.data_dir.resolve())
    environment[INSTANCE_ID] = secrets.token_hex(16)
    environment.setdefault("WEBHOOK_ALLOW_NETWORKS", LAPTOP_NETWORKS)
    if not settings.redis_url:
        environment.servers.append(redis(settings.data_dir / "redis"))
        environment["REDIS_URL"] = environment.servers[-1].url
    running = settings.data_dir / RUNNING_FILE
    try:
        for server in environment.servers:
            server.start()
        for server in environment.servers:
            server.wait_ready()
        yield environment
    finally:
        running.unlink(missing_ok=True)
        for server in environment.servers:
            server.stop()


def restart_if_dead(server: Server) -> str | None:
    """Restart *server* if it has died; return a message if it was."""
    if server.alive():
        return None
    try:
        server.start()
    except DevstackError as error:
        return str(error)
    return f"{server.name} died and was restarted"


def _absolute(events_url: str) -> str:
    """Return a SQLite URL that means the same file in every working directory."""
    if not events_url.startswith(_SQLITE):
        return events_url
    return f"{_SQLITE}{Path(events_url.removeprefix(_SQLITE)).resolve()}"
