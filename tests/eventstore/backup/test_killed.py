"""Backup, restore and move, killed with -9 again and again, end with every row."""

import subprocess
import sys
from pathlib import Path

import pytest

from eventstore.backup.reading import BackupFile
from tests.eventstore.backup.filled import contents, fill, open_for_commands
from tests.eventstore.backup.steps import backed_up

pytestmark = pytest.mark.servers

ROOT = Path(__file__).parents[3]
KILLED_AFTER = (1, 2, 3, 4, 6, 8)
"""How many slices are reported before each kill."""
COMMANDS = 700  # five slices of events


def run(doing: str, url: str, other: str, *, slices: int | None = None) -> None:
    """Run the program; kill it after that many slices, or let it end."""
    argv = [sys.executable, "-m", "tests.eventstore.backup.running", doing, url, other]
    if slices is None:
        subprocess.run(argv, cwd=ROOT, stdin=subprocess.DEVNULL, check=True, timeout=50)
        return
    with subprocess.Popen(
        argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        for _ in range(slices - 1):
            assert program.stdout.readline()
            program.stdin.write(b"\n")
        assert program.stdout.readline()
        program.kill()


def killed_until_it_ends(doing: str, url: str, other: str) -> None:
    for slices in KILLED_AFTER:
        run(doing, url, other, slices=slices)
    run(doing, url, other)


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/one/events.db"
    fill(url, COMMANDS)
    return url


@pytest.fixture
def other_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/two/events.db"


def test_a_killed_backup_can_be_resumed(url: str, tmp_path: Path) -> None:
    for slices in KILLED_AFTER:
        run("backup", url, str(tmp_path / "backup"), slices=slices)
        assert not (tmp_path / "backup").exists()

    run("backup", url, str(tmp_path / "backup"))

    counts = BackupFile(tmp_path / "backup").check().counts
    assert counts == {table: len(rows) for table, rows in contents(url).items()}


def test_a_killed_restore_can_be_resumed(url: str, other_url: str, tmp_path: Path) -> None:
    backed_up(url, tmp_path / "backup")

    killed_until_it_ends("restore", str(tmp_path / "backup"), other_url)

    assert contents(other_url) == contents(url)


def test_a_killed_restore_into_postgres_can_be_resumed(
    url: str, postgres_url: str, tmp_path: Path
) -> None:
    backed_up(url, tmp_path / "backup")

    killed_until_it_ends("restore", str(tmp_path / "backup"), postgres_url)

    open_for_commands(postgres_url)
    assert contents(postgres_url) == contents(url)


def test_a_killed_move_can_be_resumed(url: str, other_url: str) -> None:
    before = contents(url)

    killed_until_it_ends("move", url, other_url)

    assert contents(other_url) == before


def test_a_killed_move_to_postgres_can_be_resumed(url: str, postgres_url: str) -> None:
    before = contents(url)

    killed_until_it_ends("move", url, postgres_url)

    assert contents(postgres_url) == before
