"""What a backup and a restore must do, whatever the engine; ``url`` and ``other_url`` are empty."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event
from uuid import UUID, uuid4

import pytest

from domain.base import PLATFORM, OrgId
from eventstore.append import Appended, LogUnfit
from eventstore.backup.database import EVENTS_AT_ONCE, EVENTS_TABLE
from eventstore.backup.frame import BackupDamaged
from eventstore.backup.moving import LogMove
from eventstore.backup.open import open_database
from eventstore.backup.reading import BackupFile
from eventstore.backup.restoring import compare_counts, restore_backup
from eventstore.backup.writing import BackupRefused, Watch, write_backup
from eventstore.claim import ClaimKey, CountKey
from eventstore.mode import LogClosed, LogMode
from eventstore.open import open_store
from eventstore.partition import partition_of
from eventstore.recorded import Row
from tests.domain.spec import ACME, OTHER
from tests.eventstore.backup.filled import contents, fill, filled_command, open_for_commands
from tests.eventstore.rows import command


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


class BackupContract:
    """Backup and restore between two empty databases."""

    def test_every_row_of_every_table_is_restored(
        self, url: str, other_url: str, tmp_path: Path
    ) -> None:
        fill(url)
        before = contents(url)
        assert all(before[table] for table in before if table not in UNUSED), before

        file = backed_up(url, tmp_path / "backup")
        restored(file, other_url)

        assert contents(other_url) == before
        with closing(open_database(url)) as old, closing(open_database(other_url)) as new:
            known, found = old.summary(), new.summary()
            assert known
            assert found
            assert (found.identity, found.parts) == (known.identity, known.parts)

    def test_a_backup_of_a_log_in_use_is_consistent(
        self, url: str, other_url: str, tmp_path: Path
    ) -> None:
        fill(url, commands=EVENTS_AT_ONCE)
        stop, last = Event(), tmp_path / "backup-2"
        with ThreadPoolExecutor(1) as others:
            writing = others.submit(_write_until, stop, url)
            try:
                for number in range(3):
                    backed_up(url, tmp_path / f"backup-{number}")
            finally:
                stop.set()
            assert writing.result() > 0

        restored(BackupFile(last), other_url)

        open_for_commands(other_url)
        _check_places(other_url, 1)
        found = contents(other_url)
        assert (
            len(found["idempotency_keys"]) == len(found["secrets"]) == len(found[EVENTS_TABLE]) // 3
        )

    def test_a_restored_log_continues_where_the_backup_ended(
        self, url: str, other_url: str, tmp_path: Path, fresh: UUID
    ) -> None:
        fill(url)
        restored(backed_up(url, tmp_path / "backup"), other_url)
        with pytest.raises(LogUnfit, match="not finished"), closing(open_store(other_url)) as log:
            log.open()

        open_for_commands(other_url)

        with closing(open_store(url)) as old, closing(open_store(other_url)) as new:
            old.open()
            new.open()
            asked = command(fresh)
            assert old.commit([asked]) == new.commit([asked])

    def test_a_backup_is_resumed_after_its_last_event(self, url: str, tmp_path: Path) -> None:
        fill(url, commands=EVENTS_AT_ONCE)  # three slices of events
        to = tmp_path / "backup"
        for slices in (2, 3, 5):
            with pytest.raises(Killed):
                backed_up(url, to, killed_after(slices))
            assert not to.exists()
            _tear(to.with_name("backup.partial"))
        fill(url, commands=3)

        with closing(open_database(url)) as database:
            seen: list[tuple[str, int]] = []
            write_backup(database, to, lambda table, rows: seen.append((table, rows)))

        assert seen[0] == (EVENTS_TABLE, EVENTS_AT_ONCE)
        assert BackupFile(to).check().counts == {
            table: len(rows) for table, rows in contents(url).items()
        }

    def test_an_unfinished_backup_of_another_log_is_started_over(
        self, url: str, other_url: str, tmp_path: Path
    ) -> None:
        fill(other_url, commands=EVENTS_AT_ONCE)
        fill(url)
        to = tmp_path / "backup"
        with pytest.raises(Killed):
            backed_up(other_url, to, killed_after(2))

        file = backed_up(url, to)

        assert file.check().counts[EVENTS_TABLE] == 60

    def test_a_restore_is_resumed_after_its_last_frame(
        self, url: str, other_url: str, tmp_path: Path
    ) -> None:
        fill(url, commands=EVENTS_AT_ONCE)
        file = backed_up(url, tmp_path / "backup")

        for slices in (2, 3, 4, 6):
            with pytest.raises(Killed):
                restored(file, other_url, killed_after(slices))
        restored(file, other_url)

        assert contents(other_url) == contents(url)

    def test_a_restore_refuses_a_database_that_has_a_log(
        self, url: str, other_url: str, tmp_path: Path
    ) -> None:
        fill(url)
        file = backed_up(url, tmp_path / "backup")
        fill(other_url)
        before = contents(other_url)

        with pytest.raises(BackupRefused, match="already has a log"):
            restored(file, other_url)
        assert contents(other_url) == before

    def test_a_restore_refuses_half_of_another_backup(
        self, url: str, other_url: str, tmp_path: Path
    ) -> None:
        fill(url)
        first = backed_up(url, tmp_path / "first")
        fill(url, commands=1)
        second = backed_up(url, tmp_path / "second")
        with pytest.raises(Killed):
            restored(first, other_url, killed_after(3))

        with pytest.raises(BackupRefused, match="unfinished restore of another backup"):
            restored(second, other_url)

    def test_a_backup_is_never_written_over(self, url: str, tmp_path: Path) -> None:
        fill(url)
        backed_up(url, tmp_path / "backup")

        with pytest.raises(BackupRefused, match="exists"):
            backed_up(url, tmp_path / "backup")

    def test_there_must_be_a_log(self, url: str, tmp_path: Path) -> None:
        with pytest.raises(LogUnfit, match="no log"):
            backed_up(url, tmp_path / "backup")

    def test_a_cut_off_file_is_no_backup(self, url: str, tmp_path: Path) -> None:
        fill(url)
        file = backed_up(url, tmp_path / "backup")
        _tear(tmp_path / "backup")

        with pytest.raises(BackupDamaged, match="damaged or cut off"):
            file.check()

    def test_a_mode_is_seen_by_every_process(self, url: str) -> None:
        fill(url)
        with closing(open_database(url)) as database, closing(open_store(url)) as store:
            store.open()
            database.set_mode(LogMode.READ_ONLY)
            assert store.mode() is LogMode.READ_ONLY


def _write_until(stop: Event, url: str) -> int:
    """Append commands until told to stop; return how many."""
    count = 0
    with closing(open_store(url)) as store:
        store.open()
        while not stop.is_set():
            [outcome] = store.commit([filled_command((ACME, OTHER, PLATFORM)[count % 3], count)])
            assert isinstance(outcome, Appended)
            count += 1
    return count


UNUSED = ("webhook_attempts", "webhook_notices", "jobs")


def _tear(path: Path) -> None:
    """Lose the last bytes of a file, as a process that was killed may."""
    stored = path.read_bytes()
    path.write_bytes(stored[:-7])


class MoveContract:
    """A move between two empty databases."""

    def test_a_move_changes_nothing_except_which_database_is_the_log(
        self, url: str, other_url: str
    ) -> None:
        fill(url, commands=EVENTS_AT_ONCE)
        before = contents(url)

        moved(url, other_url)

        assert contents(other_url) == before
        with closing(open_store(url)) as old, closing(open_store(other_url)) as new:
            old.open()
            new.open()
            assert old.identity() == new.identity()
            with pytest.raises(LogClosed, match="was moved"):
                old.commit([command(uuid4())])
            [outcome] = new.commit([command(uuid4())])
            assert isinstance(outcome, Appended)

    def test_a_resumed_move_includes_what_was_written_meanwhile(
        self, url: str, other_url: str
    ) -> None:
        fill(url, commands=EVENTS_AT_ONCE)
        for slices in (1, 2, 5, 7):
            with pytest.raises(Killed):
                moved(url, other_url, watch=killed_after(slices))
            with closing(open_database(url)) as database:
                database.set_mode(LogMode.OPEN)
            fill(url, commands=3)

        moved(url, other_url)

        assert contents(other_url) == contents(url)

    def test_a_move_that_was_killed_between_its_two_switches_ends(
        self, url: str, other_url: str
    ) -> None:
        fill(url)
        with closing(open_database(url)) as source, closing(open_database(other_url)) as target:
            move = LogMove(source, target, None, nothing)
            move.follow()
            move.finish()
            source.set_mode(LogMode.MOVED)

        moved(url, other_url)

        with closing(open_store(other_url)) as new:
            new.open()
            assert new.mode() is LogMode.OPEN
        with pytest.raises(BackupRefused, match="already has a log"):
            moved(url, other_url)

    def test_a_move_can_turn_one_partition_into_eight_and_back(
        self, url: str, other_url: str, tmp_path: Path
    ) -> None:
        fill(url, commands=EVENTS_AT_ONCE)
        last_url = f"sqlite:///{tmp_path}/last/events.db"

        moved(url, other_url, parts=8)
        _check_places(other_url, 8)
        moved(other_url, last_url, parts=1)

        before, after = contents(url), contents(last_url)
        for table in before:
            if table not in (EVENTS_TABLE, "idempotency_keys"):
                assert after[table] == before[table]
        assert _by_organization(last_url) == _by_organization(url) == _by_organization(other_url)


def moved(url: str, other_url: str, *, parts: int | None = None, watch: Watch = nothing) -> None:
    with closing(open_database(url)) as source, closing(open_database(other_url)) as target:
        move = LogMove(source, target, parts, watch)
        move.follow()
        move.finish()
        move.switch()


def _by_organization(url: str) -> dict[OrgId, list[Row]]:
    with closing(open_store(url)) as store:
        store.open()
        found = {org: store.organization(org, 0, 10_000) for org in (ACME, OTHER, PLATFORM)}
    for rows in found.values():
        for row in rows:
            row.position = 0
    return found


def _check_places(url: str, parts: int) -> None:
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
