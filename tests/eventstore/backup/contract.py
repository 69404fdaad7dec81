"""What a backup and a restore must do, whatever the engine; ``url`` and ``other_url`` are empty."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event
from uuid import UUID

import pytest

from domain.base import PLATFORM
from eventstore.append import Appended, LogUnfit
from eventstore.backup import database
from eventstore.backup.database import EVENTS_AT_ONCE, EVENTS_TABLE, bytes_in
from eventstore.backup.frame import BackupDamaged
from eventstore.backup.open import open_database
from eventstore.backup.reading import BackupFile
from eventstore.backup.writing import BackupRefused, write_backup
from eventstore.mode import LogMode
from eventstore.open import open_store
from tests.domain.spec import ACME, OTHER
from tests.eventstore.backup.filled import contents, fill, filled_command, open_for_commands
from tests.eventstore.backup.steps import Killed, backed_up, check_places, killed_after, restored
from tests.eventstore.rows import command


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

    def test_large_rows_make_small_slices(
        self, url: str, other_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        limit = 4_000
        monkeypatch.setattr(database, "SLICE_BYTES", limit)
        fill(url)
        before = contents(url)

        file = backed_up(url, tmp_path / "backup")
        restored(file, other_url)

        slices = [rows.rows for rows in file.slices(*before)]
        largest = max(bytes_in(row) for rows in slices for row in rows)
        assert max(sum(map(bytes_in, rows)) for rows in slices) < limit + largest
        assert len([*file.slices(EVENTS_TABLE)]) > 1
        assert contents(other_url) == before

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
        check_places(other_url, 1)
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
