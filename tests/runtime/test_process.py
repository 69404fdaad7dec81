"""A process is started like every other, and ends in time when it is told to."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.process import GC_THRESHOLD

pytestmark = pytest.mark.servers

STOPPING = """
import asyncio, sys, threading
from runtime.process import run_process, until_stopped

async def run(settings):
    print("running", flush=True)
    try:
        await asyncio.sleep(60)
    finally:
        {last}

run_process(until_stopped(run, within_s=0.3))
"""


def stopped(directory: Path, last: str) -> tuple[int, list[str]]:
    """Stop a process whose last act is *last*; return its exit code and what it logged."""
    own = {"DATA_DIR": str(directory), "APP_ENV": "test"}
    with subprocess.Popen(
        [sys.executable, "-c", STOPPING.format(last=last)],
        env={**os.environ, **own},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    lines = [line for line in (out + err).splitlines() if line.startswith("{")]
    return process.returncode, [json.loads(line)["message"] for line in lines]


@pytest.mark.parametrize(
    "last",
    [
        "await asyncio.sleep(60)",
        "await asyncio.to_thread(threading.Event().wait, 60)",
        "asyncio.get_running_loop().run_in_executor(None, threading.Event().wait, 60)",
    ],
    ids=["a task", "a thread that is waited for", "a thread that nobody waits for"],
)
def test_what_hangs_does_not_keep_a_process_that_stops(tmp_path: Path, last: str) -> None:
    code, messages = stopped(tmp_path, last)

    assert code == 0
    assert messages[-1] == "stopped without waiting for a store that did not answer in 0.3 s"


def test_a_process_that_stops_by_itself_says_so(tmp_path: Path) -> None:
    code, messages = stopped(tmp_path, "pass")

    assert code == 0
    assert messages[-1] == "stopped"


def test_a_process_collects_garbage_seldom_and_passes_over_what_it_started_with(
    tmp_path: Path,
) -> None:
    told = "print(gc.get_threshold(), gc.get_freeze_count() > 10_000)"
    run = f"import gc\nfrom runtime.process import run_process\nrun_process(lambda _: {told})"
    found = subprocess.run(
        [sys.executable, "-c", run],
        env={**os.environ, "DATA_DIR": str(tmp_path), "APP_ENV": "test"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"({GC_THRESHOLD}, 50, 100) True\n" in found.stdout
