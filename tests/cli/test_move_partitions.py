"""A log is moved from 1 partition to 64 and back; its signed trees say that nothing changed."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cli.__main__ import main
from eventstore.mode import LogMode
from eventstore.open import open_store
from tests.cli.history import exports, record_history


@pytest.fixture
def first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the address of a log of one partition with two organizations and signed trees."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr("cli.recovery.standstill.QUIET_S", 0.01)
    url = address(tmp_path, "first", 1)
    monkeypatch.setenv("EVENTS_URL", url)
    record_history()
    return url


def address(folder: Path, name: str, parts: int) -> str:
    return f"sqlite:///{folder}/{name}/events.db?partitions={parts}"


def mode_of(url: str) -> LogMode:
    with closing(open_store(url)) as store:
        store.open()
        return store.mode()


def used_partitions(url: str) -> int:
    with closing(open_store(url)) as store:
        store.open()
        return sum(store.last_position(part) > 0 for part in range(store.parts))


def test_a_move_to_64_partitions_and_back_changes_no_byte_of_an_export(
    first: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = exports()
    second, last = address(tmp_path, "second", 64), address(tmp_path, "last", 1)

    for source, target in ((first, second), (second, last)):
        assert main(["move", "--to", target]) == 0
        assert "signed trees agree" in capsys.readouterr().out
        assert mode_of(source) is LogMode.MOVED
        monkeypatch.setenv("EVENTS_URL", target)
        assert exports() == before
        assert main(["lint-log"]) == 0

    assert [used_partitions(url) for url in (first, second, last)] == [1, 3, 1]


def test_a_log_that_disagrees_with_its_signed_trees_is_not_moved(
    first: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(tmp_path / "first" / "events.db")) as raw, raw:
        raw.execute("DROP TRIGGER events_only_lose_values")
        raw.execute("UPDATE events SET state = state || ' ' WHERE org_seq = 2 AND tag LIKE 'task%'")
        raw.execute("UPDATE events SET state = state || ' ' WHERE org_seq = 3")

    assert main(["move", "--to", address(tmp_path, "second", 64)]) == 1

    assert capsys.readouterr().err.count("is not what was signed") == 2
    assert mode_of(first) is LogMode.READ_ONLY
