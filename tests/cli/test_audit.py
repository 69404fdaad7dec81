"""Exports on the machine: by subdomain, recorded, and never over a file by themselves."""

import asyncio
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from cli.__main__ import main
from runtime.settings import load_settings
from runtime.system import derive_keys, open_log
from tests.architecture.sources import ROOT
from tests.cli.history import record_history
from tests.domain.spec import OTHER

pytestmark = pytest.mark.servers


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Record a history with two organizations; return the folder to work in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("EVENTS_URL", f"sqlite:///{tmp_path}/log/events.db")
    record_history()
    return tmp_path


def recorded_types() -> list[str]:
    """Return the types of the other organization's events, oldest first."""

    async def read() -> list[str]:
        settings = load_settings()
        async with open_log(settings, derive_keys(settings)) as log:
            return [row.tag for row in await log.organization(OTHER, 0, 100)]

    return asyncio.run(read())


def test_an_export_knows_subdomains_and_is_recorded(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = recorded_types()

    assert main(["audit", "export", "Other", "by-name.jsonl"]) == 0
    assert main(["audit", "export", str(OTHER), "by-id.jsonl", "--to", str(len(before))]) == 0

    assert recorded_types() == [*before, "audit.exported", "audit.exported"]
    by_name, by_id = ((log / f"by-{way}.jsonl").read_bytes() for way in ("name", "id"))
    assert by_name.splitlines()[1:-1] == by_id.splitlines()[1:-1]
    assert main(["audit", "verify", "by-name.jsonl"]) == 0
    assert capsys.readouterr().err == ""


def test_an_unknown_organization_leaves_no_file_and_no_event(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = recorded_types()

    assert main(["audit", "export", "nobody", "out.jsonl"]) == 2

    assert capsys.readouterr().err.count("\n") == 1
    assert not (log / "out.jsonl").exists()
    assert recorded_types() == before


@pytest.mark.parametrize(("answer", "code"), [("n", 1), ("y", 0)])
def test_on_a_terminal_it_asks_before_it_replaces_a_file(log: Path, answer: str, code: int) -> None:
    file = log / "out.jsonl"
    file.write_text("mine")
    ours, theirs = pty.openpty()
    os.write(ours, f"{answer}\n".encode())

    ran = subprocess.run(
        [sys.executable, "-m", "cli", "audit", "export", "other", file.name],
        cwd=log,  # a short name: the width of the terminal breaks a longer question
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=theirs,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    os.close(ours)
    os.close(theirs)
    assert ran.returncode == code, ran.stderr
    assert "exists. Replace it?" in ran.stderr
    assert (file.read_text() == "mine") == (answer == "n")


@pytest.mark.parametrize("content", [b"", b"\x00\xff" * 5000, b"hello\n" * 300, b'{"a":1}\n'])
def test_a_file_that_is_no_export_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    file = tmp_path / "photo.jpg"
    file.write_bytes(content)

    assert main(["audit", "verify", str(file)]) == 2

    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1
    assert "photo.jpg is not a Trackrecord export" in output.err
