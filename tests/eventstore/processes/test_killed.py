"""What was acknowledged is there, whenever the process was killed."""

import random
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from eventstore.append import Conflict
from eventstore.sqlite import SqliteStore
from tests.eventstore.crowd import check_gapless
from tests.eventstore.rows import command

pytestmark = pytest.mark.servers

ROOT = Path(__file__).parents[3]
KILLS = 3


def acknowledged(path: Path, lines: int) -> list[tuple[UUID, int]]:
    """Run the appending program, kill it after *lines* acknowledgements; return all it gave."""
    argv = [sys.executable, "-m", "tests.eventstore.processes.appending", str(path)]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        given = [program.stdout.readline() for _ in range(lines)]
        program.kill()
        given += program.stdout.readlines()
    assert all(line.endswith(b"\n") for line in given)
    parts = (line.decode().split() for line in given)
    return [(UUID(stream), int(version)) for stream, version in parts]


def test_no_acknowledged_event_is_lost_and_no_command_is_there_in_part(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    chance = random.Random(20_260_301)  # noqa: S311  moments to kill at, no secrets
    given: list[tuple[UUID, int]] = []

    for _ in range(KILLS):
        given += acknowledged(path, chance.randint(1, 150))
        with closing(SqliteStore(str(path))) as store:
            store.create()
            check_gapless(store)
            rows = store.tail(0, 1_000_000)
            there = {(row.stream_id, row.version) for row in rows}
            assert set(given) <= there
            again = [command(stream, version - 2, events=2) for stream, version in given[-5:]]
            assert all(isinstance(outcome, Conflict) for outcome in store.commit(again))
            heads = store.heads(list({stream for stream, _ in given}))
            for stream, head in heads.items():
                assert head % 2 == 0  # each command writes two events and a secret, or nothing
                assert store.secrets(stream) == {"newest": str(head).encode()}
