"""What a backup and a restore must do, whatever the engine; ``url`` and ``other_url`` are empty."""

from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from eventstore.append import LogUnfit
from eventstore.backup.database import EVENTS_AT_ONCE, EVENTS_TABLE
from eventstore.backup.frame import BackupDamaged
from eventstore.backup.open import open_database
from eventstore.backup.reading import BackupFile
from eventstore.backup.restoring import compare_counts, restore_backup
from eventstore.backup.writing import BackupRefused, Watch, write_backup
from eventstore.mode import LogMode
from eventstore.open import open_store
from tests.eventstore.backup.filled import contents, fill, open_for_commands
from tests.eventstore.rows import command


class Killed(BaseException):
    """Stands for the end of the process at this moment."""


def nothing(_table: str, _rows: int) -> None: ...


def killed_after(slices: int) -> Watch:
    """Return a watch that ends everything after so many slices."""
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

    def test_every_row_of_every_table_comes_back(
        self, url: str, other_url: str, tmp_path: Path
    ) -> None:
        fill(url)
        before = contents(url)
        assert all(before[table] for table in before if table not in UNUSED), before

        file = backed_up(url, tmp_path / "backup")
        restored(file, other_url)

        assert contents(other_url) == before
        with closing(open_database(url)) as old, closing(open_database(other_url)) as new:
            known, found = old.facts(), new.facts()
            assert known
            assert found
            assert (found.identity, found.parts) == (known.identity, known.parts)

    def test_a_restored_log_goes_on_where_it_was(
        self, url: str, other_url: str, tmp_path: Path, fresh: UUID
    ) -> None:
        fill(url)
        restored(backed_up(url, tmp_path / "backup"), other_url)
        with pytest.raises(LogUnfit, match="has not ended"), closing(open_store(other_url)) as log:
            log.open()

        open_for_commands(other_url)

        with closing(open_store(url)) as old, closing(open_store(other_url)) as new:
            old.open()
            new.open()
            asked = command(fresh)
            assert old.commit([asked]) == new.commit([asked])

    def test_a_backup_goes_on_after_its_last_event(self, url: str, tmp_path: Path) -> None:
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

    def test_an_unfinished_backup_of_another_log_is_begun_anew(
        self, url: str, other_url: str, tmp_path: Path
    ) -> None:
        fill(other_url, commands=EVENTS_AT_ONCE)
        fill(url)
        to = tmp_path / "backup"
        with pytest.raises(Killed):
            backed_up(other_url, to, killed_after(2))

        file = backed_up(url, to)

        assert file.check().counts[EVENTS_TABLE] == 60

    def test_a_restore_goes_on_after_what_it_has(
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

        with pytest.raises(BackupRefused, match="there is a log already"):
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


UNUSED = ("webhook_attempts", "webhook_notices", "jobs")


def _tear(path: Path) -> None:
    """Lose the last bytes of a file, as a process that was killed may."""
    stored = path.read_bytes()
    path.write_bytes(stored[:-7])
