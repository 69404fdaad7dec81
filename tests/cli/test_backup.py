"""The operator's commands on a log with a history, two organizations and signed trees."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from cli.__main__ import main
from domain.base import DomainError
from eventstore.mode import LogClosed
from tests.cli.history import exports, record_history
from tests.eventstore.backup.filled import contents
from tests.eventstore.conftest import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]  # fixtures, found by their names

Run = Callable[..., int]

pytestmark = pytest.mark.servers


@pytest.fixture
def events_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the address of a log with a history, which the environment names."""
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path}/one/events.db"
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("EVENTS_URL", url)
    monkeypatch.setattr("cli.recovery.standstill.QUIET_S", 0.0)  # nobody is at work here
    record_history()
    return url


def test_a_restored_log_gives_the_same_exports_byte_by_byte(
    events_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = exports()
    backup = str(tmp_path / "backup")
    other = f"sqlite:///{tmp_path}/two/events.db"

    assert main(["backup", backup]) == 0
    assert main(["verify-backup", backup]) == 0
    monkeypatch.setenv("EVENTS_URL", other)
    assert main(["restore", backup]) == 0

    assert exports() == before
    assert len(before) == 2
    assert contents(other) == contents(events_url)


def test_a_flipped_byte_is_named(
    events_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backup = tmp_path / "backup"
    assert main(["backup", str(backup)]) == 0
    stored = bytearray(backup.read_bytes())
    stored[len(stored) // 2] ^= 1
    backup.write_bytes(stored)

    assert main(["verify-backup", str(backup)]) == 1
    assert "frame 2, at byte" in capsys.readouterr().err


def test_an_event_that_was_edited_before_the_backup_is_found_by_the_signed_tree(
    events_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(events_url.removeprefix("sqlite:///"))) as raw, raw:
        raw.execute("DROP TRIGGER events_only_lose_values")
        raw.execute(
            "UPDATE events SET state = replace(state, 'ENG', 'ENX') WHERE tag = 'project.created'"
        )
    assert main(["backup", str(tmp_path / "backup")]) == 0

    assert main(["verify-backup", str(tmp_path / "backup")]) == 1
    assert "is not what was signed" in capsys.readouterr().err


def test_a_moved_log_gives_the_same_exports_and_the_old_one_takes_no_commands(
    events_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = exports()
    other = f"sqlite:///{tmp_path}/two/events.db"

    assert main(["move", "--to", other]) == 0

    with pytest.raises(LogClosed, match="was moved"):
        record_history()
    assert main(["read-only", "off"]) == 1
    monkeypatch.setenv("EVENTS_URL", other)
    assert exports() == before


def test_a_log_moved_into_eight_partitions_proves_the_same_events(
    events_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = exports()
    other = f"sqlite:///{tmp_path}/two/events.db"

    assert main(["move", "--to", f"{other}?partitions=8"]) == 0
    monkeypatch.setenv("EVENTS_URL", other)

    assert exports() == before
    assert main(["backup", str(tmp_path / "backup")]) == 0
    assert main(["verify-backup", str(tmp_path / "backup")]) == 0


def test_every_process_obeys_the_read_only_switch(events_url: str) -> None:
    assert main(["read-only", "on"]) == 0
    with pytest.raises(LogClosed, match="read-only"):
        record_history()

    assert main(["read-only", "off"]) == 0
    with pytest.raises(DomainError):  # ... as it is recorded already
        record_history()


def test_exports_are_the_same_after_a_move_to_postgres_and_back(
    events_url: str, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = exports()
    other = f"sqlite:///{tmp_path}/two/events.db"

    assert main(["move", "--to", postgres_url]) == 0
    monkeypatch.setenv("EVENTS_URL", postgres_url)
    assert exports() == before

    backup = str(tmp_path / "backup")
    assert main(["backup", backup]) == 0
    monkeypatch.setenv("EVENTS_URL", other)
    assert main(["restore", backup]) == 0
    assert exports() == before
    assert contents(other) == contents(events_url)
