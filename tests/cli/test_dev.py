"""``make dev``: a changed source file is what runs a moment later."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from devstack.port import HeldPort
from tests.architecture.sources import PROJECT, ROOT

pytestmark = [pytest.mark.acceptance, pytest.mark.servers]

START_S = 120.0


def test_make_dev_starts_again_when_code_changes(tmp_path: Path) -> None:
    for package in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        shutil.copytree(ROOT / package, tmp_path / package)
    for folder in (tmp_path, *tmp_path.parents[:2]):  # the stores run as somebody else
        folder.chmod(0o755)
    own = {"DATA_DIR": str(tmp_path / "data"), "PORT": str(int(HeldPort()))}
    output = tmp_path / "dev.txt"
    with output.open("wb") as log:
        child = subprocess.Popen(
            _command(),
            cwd=tmp_path,
            env={**os.environ, **own, "PYTHONPATH": str(tmp_path)},
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for("Trackrecord runs at", output, child)
        source = tmp_path / "cli" / "up.py"
        source.write_text(source.read_text().replace("Trackrecord runs at", "It now runs at"))
        _wait_for("It now runs at", output, child)
    finally:
        child.terminate()  # SIGINT would be ignored if a shell started the tests in its background
        child.wait(60)


def _command() -> list[str]:
    """Return what `make dev` runs, with the programs of this Python."""
    recipe = subprocess.run(
        ["/usr/bin/env", "make", "--no-print-directory", "-n", "dev"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    started = recipe.stdout[recipe.stdout.index(".venv/bin/watchfiles") :].replace("\\\n", " ")
    _, *arguments = shlex.split(started)
    program = f"{sys.executable} -m cli"
    ours = [each.replace(".venv/bin/trackrecord", program) for each in arguments]
    return [sys.executable, "-m", "watchfiles", *ours]


def _wait_for(words: str, output: Path, child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while words not in output.read_text():
        assert child.poll() is None, output.read_text()
        assert time.monotonic() < deadline, output.read_text()
        time.sleep(0.1)
