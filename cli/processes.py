"""``serve``, ``project`` and ``work``: the three processes of a deployment."""

import argparse
import os
import sys
from typing import Any

from cli.running import settings_of_running

_MODULES = {
    "serve": ("api", "run the HTTP API"),
    "project": ("workers.projecting", "run the projector and sign audit trees"),
    "follow": ("workers.following", "run project and work in one process"),
    "work": ("workers", "run webhook deliveries and background jobs"),
}


def add_to(commands: Any) -> None:
    """Add the commands to the parser."""
    for name, (module, meaning) in _MODULES.items():
        command = commands.add_parser(name, help=meaning, description=meaning)
        command.set_defaults(run=run, module=module)


def run(asked: argparse.Namespace) -> int:
    """Replace this process, so that signals and exit codes are the new process's own."""
    command = [sys.executable, "-m", asked.module]
    os.execve(sys.executable, command, settings_of_running())  # noqa: S606  our own module
