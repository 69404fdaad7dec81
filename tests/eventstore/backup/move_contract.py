"""What a move must do, whatever the engines; ``url`` and ``other_url`` are empty."""

from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from domain.base import PLATFORM, OrgId
from eventstore.append import Appended
from eventstore.backup.database import EVENTS_AT_ONCE, EVENTS_TABLE
from eventstore.backup.moving import LogMove
from eventstore.backup.open import open_database
from eventstore.backup.writing import BackupRefused
from eventstore.mode import LogClosed, LogMode
from eventstore.open import open_store
from eventstore.recorded import Row
from tests.domain.spec import ACME, OTHER
from tests.eventstore.backup.filled import contents, fill
from tests.eventstore.backup.steps import Killed, check_places, killed_after, moved, nothing
from tests.eventstore.rows import command


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
        check_places(other_url, 8)
        moved(other_url, last_url, parts=1)

        before, after = contents(url), contents(last_url)
        for table in before:
            if table not in (EVENTS_TABLE, "idempotency_keys"):
                assert after[table] == before[table]
        assert _by_organization(last_url) == _by_organization(url) == _by_organization(other_url)


def _by_organization(url: str) -> dict[OrgId, list[Row]]:
    with closing(open_store(url)) as store:
        store.open()
        found = {org: store.organization(org, 0, 10_000) for org in (ACME, OTHER, PLATFORM)}
    for rows in found.values():
        for row in rows:
            row.position = 0
    return found
