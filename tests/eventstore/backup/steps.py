"""Backups, restores and moves of whole logs in one call, and a way to kill them half-way."""

from contextlib import closing
from pathlib import Path

from domain.base import PLATFORM
from eventstore.backup.moving import LogMove
from eventstore.backup.open import open_database
from eventstore.backup.reading import BackupFile
from eventstore.backup.restoring import compare_counts, restore_backup
from eventstore.backup.writing import Watch, write_backup
from eventstore.claim import ClaimKey, CountKey
from eventstore.open import open_store
from eventstore.partition import partition_of
from tests.domain.spec import ACME, OTHER


class Killed(BaseException):
    """Stands for the end of the process at this moment."""


def nothing(_table: str, _rows: int) -> None: ...


def killed_after(slices: int) -> Watch:
    """Return a watch that raises after that many slices."""
    seen: list[str] = []

    def watch(table: str, _rows: int) -> None:
        seen.append(table)
        if len(seen) == slices:
            raise Killed

    return watch


def backed_up(url: str, to: Path, watch: Watch = nothing) -> BackupFile:
    with closing(open_database(url)) as database:
        write_backup(database, to, watch)
    return BackupFile(to)


def restored(file: BackupFile, url: str, watch: Watch = nothing) -> None:
    with closing(open_database(url)) as database:
        restore_backup(file, database, watch)
        compare_counts(database, file.check())


def moved(url: str, other_url: str, *, parts: int | None = None, watch: Watch = nothing) -> None:
    with closing(open_database(url)) as source, closing(open_database(other_url)) as target:
        move = LogMove(source, target, parts, watch)
        move.follow()
        move.finish()
        move.switch()


def check_places(url: str, parts: int) -> None:
    """Check that a store finds everything under the partitions that it asks."""
    with closing(open_store(url)) as store:
        store.open()
        assert store.parts == parts
        for org_id in (ACME, OTHER, PLATFORM):
            part = partition_of(org_id, parts)
            rows = store.organization(org_id, 0, 10_000)
            assert [row.org_seq for row in rows] == list(range(1, len(rows) + 1))
            assert rows
            tail = [row.position for row in store.tail(0, 10_000, part=part)]
            assert tail == list(range(1, store.last_position(part) + 1))
            stream = rows[0].stream_id
            assert store.keys([stream], part)
            assert store.secrets(stream, part)
            assert store.used_key(b"key" + stream.bytes, part)
            claim = ClaimKey(org_id, "key", org_id, b"\xff" + stream.bytes)
            assert claim in store.holders([claim])
            tasks = CountKey(org_id, "tasks", org_id)
            assert store.counted([tasks]) == {tasks: len(rows) // 3}
            if org_id != PLATFORM:
                assert store.tree_heads(org_id)
                assert store.tree_nodes(org_id, 1, 0, 9) == {0: b"\x00node"}
