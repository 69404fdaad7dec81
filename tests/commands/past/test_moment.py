"""Times become sequences: never backwards, and for good once something later is recorded."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.past import moment
from commands.past.moment import LogTimes
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from tests.domain.spec import ACME, OTHER
from tests.eventstore.rows import command
from tests.spec import data_keys

BEGUN = datetime(2026, 5, 1, tzinfo=UTC)
TIMES = st.lists(st.integers(0, 20), max_size=30)


def at(minute: int) -> datetime:
    return BEGUN + timedelta(minutes=minute)


def record(store: MemoryStore, minute: int) -> None:
    """Record an event at a minute, and one of somebody else much later."""
    for owner, ahead in ((ACME, 0), (OTHER, 999)):
        append = command(UUID(int=store.last_position() + 1), org_id=owner)
        append.rows[0].recorded_at = int(at(minute + ahead).timestamp()) * 1_000_000
        store.commit([append])


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moment, "BLOCK", 4)


class TestLogTimes:
    @given(TIMES)
    async def test_a_time_is_the_last_event_before_the_first_later_one(
        self, minutes: list[int]
    ) -> None:
        store = MemoryStore()
        log = EventLog(store, data_keys())
        times = LogTimes(log)
        known: dict[int, int] = {}
        for count, minute in enumerate(minutes, start=1):
            record(store, minute)
            latest = max(minutes[:count])
            for asked in range(-1, 22):
                first_later = next(
                    (n for n, each in enumerate(minutes[:count]) if each > asked), count
                )
                found = await times.seq_at(ACME, at(asked))
                assert found == first_later
                assert found == await LogTimes(log).seq_at(ACME, at(asked))
                if asked < latest:  # something later is recorded, so that it means the same now on
                    assert known.setdefault(asked, found) == found
        sequences = [await times.seq_at(ACME, at(asked)) for asked in range(-1, 22)]
        assert sequences == sorted(sequences)
        assert sequences[-1] == len(minutes)
