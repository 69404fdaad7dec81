"""The command line says what it can do, and a wrong request is one sentence and exit code 2."""

import subprocess
import sys
from pathlib import Path
from secrets import token_urlsafe

import pytest

from cli.__main__ import COMMANDS, main
from cli.child import KILLED_AFTER_S
from runtime.process import STOP_S
from runtime.secret_file import SECRET_NAMES
from tests.architecture.sources import PROJECT, ROOT


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Return exit code, output and errors of a command."""
    code = main(arguments)
    output = capsys.readouterr()
    return code, output.out, output.err


def test_the_version_is_that_of_the_project(capsys: pytest.CaptureFixture[str]) -> None:
    code, output, _ = said(capsys, "--version")

    assert (code, output) == (0, f"trackrecord {PROJECT['project']['version']}\n")


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help_with_an_example_of_itself(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    code, output, _ = said(capsys, *name.split(), "--help")

    assert code == 0
    assert f"    trackrecord {name}" in output
    for example in COMMANDS[name].examples:
        assert example.startswith(name)
        assert f"trackrecord {example}" in output


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["nope"], "nope"),
        (["serve", "--fast"], "--fast"),
        (["replay", "--type", "nope"], "nope"),
        (["replay", "--from", "x"], "--from"),
        (["rebuild"], "--all"),
        (["rebuild", "nope"], "nope"),
        (["rebuild", "tasks", "--all"], "--all"),
        (["audit", "verify", "nowhere.jsonl"], "nowhere.jsonl"),
    ],
)
def test_a_wrong_request_is_one_sentence(
    capsys: pytest.CaptureFixture[str], arguments: list[str], named: str
) -> None:
    code, output, errors = said(capsys, *arguments)

    assert (code, output) == (2, "")
    assert errors.startswith("trackrecord: ")
    assert errors.count("\n") == 1
    assert named in errors


def test_a_wrong_setting_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PORT", "many")

    assert said(capsys, "replay") == (
        2,
        "",
        "trackrecord: setting PORT: 'many' is not a whole number\n",
    )


LOG_COMMANDS = [
    "accept-restore",
    "audit key",
    "backup one",
    "erase-user ana@example.com",
    "lint-log",
    "move --to sqlite:///moved.db",
    "read-only on",
    "rebuild --all",
    "replay",
    "rotate-master-key",
]


@pytest.mark.parametrize("command", LOG_COMMANDS)
@pytest.mark.parametrize("secrets", [True, False])
def test_a_command_on_a_log_that_is_not_here_creates_none(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    command: str,
    secrets: bool,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in SECRET_NAMES:
        monkeypatch.setenv(name, token_urlsafe(48) if secrets else "")

    code, output, errors = said(capsys, *command.split())

    assert (code, output, [*tmp_path.iterdir()]) == (2, "", [])
    assert ("there is no log" if secrets else "nothing was started") in errors


@pytest.mark.parametrize("command", ["doctor", "verify-backup one", "lint-log"])
def test_a_directory_that_is_none_is_one_line(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    command: str,
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "file"))

    code, output, errors = said(capsys, *command.split())

    assert (code, output) == (2, "")
    assert errors.startswith("trackrecord: setting ")
    assert errors.count("\n") == 1


def test_an_export_does_not_replace_a_file_by_itself(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    existing = tmp_path / "acme.jsonl"
    existing.write_text("mine")

    code, _, errors = said(
        capsys, "audit", "export", "0198c5a0-0000-7000-8000-000000000001", str(existing)
    )

    assert code == 1
    assert "--overwrite" in errors
    assert existing.read_text() == "mine"


@pytest.mark.servers
@pytest.mark.parametrize("module", ["cli.__main__", "cli.up"])
def test_modules_that_few_commands_need_are_loaded_only_there(module: str) -> None:
    heavy = ("litestar", "psycopg", "arq", "eventsourcing", "redis")
    probe = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"

    loaded = subprocess.run(
        [sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert loaded.stdout == "[]\n"


def test_a_process_is_not_killed_before_it_could_end_by_itself() -> None:
    assert KILLED_AFTER_S > STOP_S
