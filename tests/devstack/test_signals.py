"""A wait ends at once when a signal arrives."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

WAITS = f"""
import subprocess, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from devstack.signals import Signals
with Signals(lambda number, frame: print("told to stop", flush=True)) as signals:
    {{}}
    signals.wait(3_600)
print("over", flush=True)
subprocess.run(["true"])  # its end is told to nobody any more
"""


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """Give a list of processes that the test starts, and kill them in the end."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()


def waiting(setting: str, started: list[subprocess.Popen[str]]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WAITS.format(setting)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    started.append(process)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_stop_ends_a_wait(
    number: signal.Signals, started: list[subprocess.Popen[str]]
) -> None:
    process = waiting('print("ready", flush=True)', started)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"

    os.kill(process.pid, number)

    assert process.communicate()[0] == "told to stop\nover\n"


def test_the_end_of_a_child_ends_a_wait(started: list[subprocess.Popen[str]]) -> None:
    process = waiting('child = subprocess.Popen(["sleep", "0.1"])', started)

    assert process.communicate()[0] == "over\n"


def test_a_signal_before_the_wait_ends_it_too(started: list[subprocess.Popen[str]]) -> None:
    process = waiting("import os; os.kill(os.getpid(), 15)", started)

    assert process.communicate()[0] == "told to stop\nover\n"
