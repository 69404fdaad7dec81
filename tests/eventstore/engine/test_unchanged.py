"""Versions and counts are read once until another process writes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from eventstore.counters import LOG_DRIVER, counters_of
from eventstore.engine import claim_reads, remembered_heads
from eventstore.log import EventLog
from eventstore.sqlite import SqliteStore
from tests.domain.spec import ACME
from tests.eventstore.reserving import TASKS, add
from tests.eventstore.rows import command
from tests.spec import opened

A, B, NOBODYS = (UUID(int=n) for n in (1, 2, 3))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture
async def log(path: Path) -> AsyncIterator[EventLog]:
    async with opened(SqliteStore(str(path))) as log:
        await log.append(command(A, counts=(add(2),)))
        yield log


async def looked(log: EventLog) -> tuple[dict[UUID, int], int, int, int]:
    """Return versions, a count, a position and how many reads that took, in another turn."""
    await asyncio.sleep(0)
    reads = counters_of(LOG_DRIVER).commands
    heads = await log.heads({A: ACME, B: ACME, NOBODYS: ACME})
    [count] = await log.counted(TASKS)
    position = await log.newest_position(ACME)
    return heads, count, position, counters_of(LOG_DRIVER).commands - reads


async def test_what_nobody_changed_is_read_once(log: EventLog) -> None:
    assert await looked(log) == (
        {A: 1},
        2,
        1,
        4,
    )  # the mark, the versions, the count and the position
    assert await looked(log) == ({A: 1}, 2, 1, 1)


async def test_what_this_process_changes_is_seen_at_once_and_not_read(log: EventLog) -> None:
    await looked(log)

    await log.append(command(B, counts=(add(1),)))
    await log.append(command(B, 1, events=2, counts=(add(-2),)))

    assert await looked(log) == ({A: 1, B: 3}, 1, 4, 1)  # the mark


async def test_who_asks_seldom_reads_what_many_commits_have_changed(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    await looked(log)

    for after in range(remembered_heads.COMMITS_MAX + 1):
        await log.append(command(B, after))

    assert await looked(log) == ({A: 1, B: after + 1}, 2, after + 2, 4)


async def test_a_command_of_another_process_is_seen_in_the_next_turn(
    log: EventLog, path: Path
) -> None:
    await looked(log)

    with closing(SqliteStore(str(path))) as other:
        other.commit([command(A, 1, counts=(add(-1),))])

    assert await looked(log) == ({A: 2}, 1, 2, 4)


@pytest.mark.parametrize("in_between", [True, False])
async def test_what_another_process_writes_around_our_own_commits_is_read(
    log: EventLog, path: Path, in_between: bool
) -> None:
    await looked(log)

    with closing(SqliteStore(str(path))) as other:
        await log.append(command(B))
        other.commit([command(A, 1, counts=(add(5),))])
        if in_between:
            await log.append(command(B, 1))

    versions = {A: 2, B: 1 + in_between}
    assert await looked(log) == (versions, 7, 3 + in_between, 4)
    await log.append(command(A, 2, counts=(add(1),)))
    assert await looked(log) == ({**versions, A: 3}, 8, 4 + in_between, 1)


async def test_versions_that_were_read_hold_until_a_stream_gets_another_event(
    log: EventLog, path: Path
) -> None:
    assert not log.still_has({A: 1})  # nobody has read it
    await looked(log)

    assert log.still_has({A: 1, NOBODYS: 0})
    assert not log.still_has({A: 2})
    assert [log.known_head(each) for each in (A, NOBODYS, UUID(int=4))] == [1, 0, None]
    await log.append(command(B))
    await asyncio.sleep(0)
    assert log.still_has({A: 1, B: 1})
    with closing(SqliteStore(str(path))) as other:
        other.commit([command(A, 1)])
    await asyncio.sleep(0)
    assert not log.still_has({A: 1})
    assert log.known_head(A) is None


async def test_no_more_is_kept_than_fits(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim_reads, "UNCHANGED_MAX", 2)
    await looked(log)  # three versions

    assert await looked(log) == ({A: 1}, 2, 1, 4)


async def test_versions_in_several_partitions_are_read_each_time(tmp_path: Path) -> None:
    async with opened(SqliteStore(str(tmp_path / "parts.db"), parts=4)) as log:
        await log.append(command(A, counts=(add(2),)))

        await looked(log)

        assert await looked(log) == ({A: 1}, 2, 1, 2)
