"""``serve``, ``project``, ``work`` and ``follow``: the processes of a deployment."""

import os
import sys
from typing import NoReturn

from cli.running import settings_of_running


def run_serve() -> NoReturn:
    """Run the HTTP API."""
    _become("api")


def run_project() -> NoReturn:
    """Run the projector and sign audit trees."""
    _become("workers.projecting")


def run_work() -> NoReturn:
    """Run webhook deliveries and background jobs."""
    _become("workers")


def run_follow() -> NoReturn:
    """Run project and work in one process."""
    _become("workers.following")


def _become(module: str) -> NoReturn:
    """Replace this process, so that signals reach the new one and its exit code is returned."""
    command = [sys.executable, "-m", module]
    os.execve(sys.executable, command, settings_of_running())  # noqa: S606  our own module
