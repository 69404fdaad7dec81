"""What commands print into a pipe: whole lines, without bars, digests or false offers."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cli.__main__ import main
from devstack.port import HeldPort
from tests.architecture.sources import ROOT
from tests.cli.history import record_history

pytestmark = pytest.mark.servers


def test_a_rebuild_prints_one_short_line_per_read_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("EVENTS_URL", f"sqlite:///{tmp_path}/log/events.db")
    record_history()

    assert main(["rebuild", "--all"]) == 0
    assert main(["rebuild", "--all", "--verify"]) == 0

    output = capsys.readouterr()
    assert output.err == ""
    assert all(line.strip() for line in output.out.splitlines())
    assert "matches the log" in output.out
    assert re.search("[0-9a-f]{64}", output.out) is None


def test_two_rebuilds_at_once_end_in_one_sentence_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {"DATA_DIR": str(tmp_path / "data"), "EVENTS_URL": f"sqlite:///{tmp_path}/events.db"}
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    record_history()
    command = [sys.executable, "-m", "cli", "rebuild", "tasks"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(command, cwd=ROOT, **pipes) for _ in range(2)]
    ended = [(*child.communicate(timeout=50), child.returncode) for child in both]

    for output, errors, code in ended:
        assert (code, errors) == (0, "") or code == 1, errors
        assert (output + errors).startswith("tasks: ")
        assert (output + errors).count("\n") == 1
    assert [code for *_, code in ended].count(0) >= 1
    assert main(["rebuild", "tasks", "--verify"]) == 0


def test_replay_marks_an_event_that_cannot_be_read_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    events = tmp_path / "events.db"
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("EVENTS_URL", f"sqlite:///{events}")
    record_history()
    assert main(["replay"]) == 0
    before = [msgspec.json.decode(line) for line in capsys.readouterr().out.splitlines()]
    with closing(sqlite3.connect(events, isolation_level=None)) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            database.execute(f"DROP TRIGGER {name}")
        spoilt = "UPDATE events SET state = ? WHERE position = 3"
        assert database.execute(spoilt, (b"no JSON at all",)).rowcount == 1

    assert main(["replay"]) == 0

    after = [msgspec.json.decode(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["seq"] for each in after] == [each["seq"] for each in before]
    assert [each for each in after if each in before] == [*before[:2], *before[3:]]
    assert after[2]["type"] == before[2]["type"]
    assert "unreadable" in json.dumps(after[2])


def test_a_reader_that_has_enough_ends_a_command_quietly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in `replay | head`."""
    settings = {"DATA_DIR": str(tmp_path / "data"), "EVENTS_URL": f"sqlite:///{tmp_path}/events.db"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    record_history()
    reading, writing = os.pipe()
    os.close(reading)
    try:
        told = subprocess.run(
            [sys.executable, "-m", "cli", "replay"],
            cwd=ROOT,
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writing)

    assert (told.returncode, told.stderr) == (128 + signal.SIGPIPE, "")


def test_up_without_a_demo_offers_no_login(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:2]):  # the stores run as somebody else
        folder.chmod(0o755)
    own = {"DATA_DIR": str(tmp_path / "data"), "PORT": str(int(HeldPort()))}
    child = subprocess.Popen(
        [sys.executable, "-m", "cli", "up", "--no-demo"],
        cwd=tmp_path,
        env={**os.environ, **own, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    printed: list[str] = []
    for line in child.stdout:
        printed.append(line)
        if "Ctrl-C stops" in line:
            break
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=60)

    assert child.returncode == 0
    assert "Trackrecord runs at" in "".join(printed)
    assert "login" not in "".join(printed).lower()
