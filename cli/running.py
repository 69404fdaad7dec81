"""The file in which ``trackrecord up`` publishes its stores and processes for other commands."""

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from runtime.setting import environment

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
        os.kill(running.processes["up"], 0)
    except (FileNotFoundError, ProcessLookupError):
        return None  # never started, or killed before it could remove the file
    return running


def settings_of_running() -> dict[str, str]:
    """Return the environment, with the stores of the ``up`` that runs in this DATA_DIR, if any."""
    running = find_running()
    return {**(running.environment if running else {}), **environment()}
