"""The file in which ``trackrecord up`` publishes its stores and processes for other commands."""

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from cli.failure import CommandFailed
from eventstore.open import SQLITE, take_partitions
from runtime.setting import environment
from runtime.settings import Settings, load_settings

RUNNING_FILE = "running.json"


class Running(Struct, frozen=True):
    """What ``up`` writes once everything answers, and again whenever a process was restarted."""

    url: str
    data_dir: str
    environment: dict[str, str]
    """The environment variables that configure the stores."""
    processes: dict[str, int]
    """The process ids: up, serve, project, work, and the embedded stores by name."""


def write_running(running: Running) -> None:
    """Publish *running* atomically, so that readers never see half of it."""
    path = Path(running.data_dir) / RUNNING_FILE
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(running))
    fresh.replace(path)


def find_running(data_dir: Path | None = None) -> Running | None:
    """Return the system that ``up`` runs in *data_dir* (default: DATA_DIR); None without one."""
    path = (data_dir or Path(environment().get("DATA_DIR") or "data")) / RUNNING_FILE
    try:
        running = msgspec.json.decode(path.read_bytes(), type=Running)
    except OSError:
        return None  # never started here; what else is wrong with the directory, its users tell
    try:
        os.kill(running.processes["up"], 0)
    except ProcessLookupError:
        return None  # killed before it could remove the file
    except PermissionError:
        pass  # it runs, as somebody else
    return running


def settings_of_running() -> dict[str, str]:
    """Return the environment, with the stores of the ``up`` that runs in this DATA_DIR, if any."""
    running = find_running()
    return {**(running.environment if running else {}), **environment()}


def settings_of_log() -> Settings:
    """Return the settings of the log that is here, for commands that create none.

    With the name of a directory misspelled, they would otherwise do their work on an empty log.

    :raises SettingsInvalid: its secrets are not here.
    :raises CommandFailed: it is not here.
    """
    settings = load_settings(settings_of_running(), generate_secrets=False)
    address, _ = take_partitions(settings.events_url)
    if address.startswith(SQLITE) and not Path(address.removeprefix(SQLITE)).exists():
        raise CommandFailed(f"there is no log at {address}: check EVENTS_URL and DATA_DIR", 2)
    return settings
