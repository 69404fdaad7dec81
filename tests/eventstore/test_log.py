"""Commands that share a commit keep their own outcomes, and no caller is left waiting."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

import eventstore.writer
from eventstore.append import (
    Append,
    CommandAlreadyDone,
    ConcurrencyConflict,
    LogUnavailable,
)
from eventstore.engine.sqlite.driver import Database, connect
from eventstore.log import EventLog
from eventstore.sqlite import SqliteStore
from tests.eventstore.beside_contract import used
from tests.eventstore.rows import command
from tests.spec import data_keys, opened

PATIENCE_S = 30.0
A, B, C = (UUID(int=n) for n in (1, 2, 3))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture
async def log(path: Path) -> AsyncIterator[EventLog]:
    async with opened(SqliteStore(str(path), lock_timeout_s=30)) as log:
        yield log


@pytest.fixture
def other_program(path: Path, log: EventLog) -> Iterator[Database]:
    """Give a connection that can hold the file's write lock against us."""
    with closing(connect(path)) as connection:
        yield connection


async def settled(log: EventLog, *appends: Append) -> list[int | BaseException]:
    return await asyncio.gather(*map(log.append, appends), return_exceptions=True)


async def eventually_position(log: EventLog, position: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while await log.last_position() < position:  # noqa: ASYNC110  another thread writes
            await asyncio.sleep(0.001)


async def eventually_recorded(log: EventLog) -> None:
    """Record something, although the log's deadline is short and the disk may be busy."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with suppress(LogUnavailable):
                await log.append(command(uuid4()))
                return


async def test_each_command_of_a_commit_has_its_own_outcome(log: EventLog) -> None:
    await log.append(command(A, key_use=used(b"key")))

    again = command(A, 1, key_use=used(b"key"))
    b, late, twice, c = await settled(log, command(B), command(A), again, command(C))

    assert (b, c) == (2, 3)
    assert isinstance(late, ConcurrencyConflict)
    assert late.stream == A
    assert isinstance(twice, CommandAlreadyDone)
    assert twice.position == 1


async def test_more_than_one_commit_can_carry_are_all_recorded(log: EventLog) -> None:
    outcomes = await settled(log, *(command(uuid4()) for _ in range(900)))

    assert outcomes == list(range(1, 901))


async def test_listeners_hear_of_the_newest_position(log: EventLog) -> None:
    heard: list[int] = []
    log.on_commit(heard.append)

    await settled(log, command(A, events=2), command(B), command(A))
    await settled(log, command(A))  # late: nothing was recorded

    assert heard == [3]


async def test_a_listener_that_fails_stops_nobody(log: EventLog) -> None:
    def fail(position: int) -> None:
        raise ZeroDivisionError

    failures: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, failure: failures.append(failure))
    log.on_commit(fail)
    try:
        async with asyncio.timeout(PATIENCE_S):
            first = asyncio.create_task(log.append(command(A)))
            await asyncio.sleep(0)  # it is handed over
            await asyncio.sleep(0)
            assert list(await asyncio.gather(first, log.append(command(B)))) == [1, 2]
            assert await log.append(command(C)) == 3
    finally:
        loop.set_exception_handler(before)
    assert {type(failure["exception"]) for failure in failures} == {ZeroDivisionError}


async def test_a_store_that_fails_fails_everybody_and_recovers(path: Path) -> None:
    async with opened(SqliteStore(str(path), lock_timeout_s=0)) as log:
        with closing(connect(path)) as other_program:
            other_program.execute("BEGIN IMMEDIATE")
            outcomes = await settled(log, command(A), command(B), command(C))
            other_program.execute("ROLLBACK")

        assert [type(outcome) for outcome in outcomes] == [LogUnavailable] * 3
        assert await settled(log, command(A), command(B)) == [1, 2]


async def test_a_caller_that_went_away_leaves_the_others_alone(
    log: EventLog, other_program: Database
) -> None:
    other_program.execute("BEGIN IMMEDIATE")
    gone, waiting = (asyncio.create_task(log.append(command(s))) for s in (A, B))
    await asyncio.sleep(0)
    later = asyncio.create_task(log.append(command(C)))
    await asyncio.sleep(0)
    gone.cancel()
    later.cancel()
    other_program.execute("ROLLBACK")

    assert await waiting == 2
    await eventually_position(log, 3)  # cancelled or not, what was handed over is recorded
    assert gone.cancelled()
    assert later.cancelled()


async def test_too_many_waiting_commands_are_turned_away(
    log: EventLog, other_program: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eventstore.writer, "QUEUE_MAX", 2)
    other_program.execute("BEGIN IMMEDIATE")
    handed_over = asyncio.create_task(log.append(command(A)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(log.append(command(s))) for s in (B, C)]
    await asyncio.sleep(0)

    with pytest.raises(LogUnavailable, match="too many"):
        await log.append(command(uuid4()))

    other_program.execute("ROLLBACK")
    assert await asyncio.gather(handed_over, *waiting) == [1, 2, 3]


async def test_commands_of_one_turn_are_sealed_together_and_each_once(log: EventLog) -> None:
    came: list[str] = []

    def sealed(stream: UUID) -> Append:
        append = command(stream)
        state, append.rows[0].state = append.rows[0].state, b""

        def seal() -> None:
            came.append(f"sealed {stream.int}")
            append.rows[0].state = state

        append.seal = seal
        return append

    async def recorded(append: Append) -> int:
        came.append("sent")
        return await log.append(append)

    assert await asyncio.gather(*map(recorded, map(sealed, (A, B, C)))) == [1, 2, 3]
    assert came == ["sent", "sent", "sent", "sealed 1", "sealed 2", "sealed 3"]
    assert all(row.state for row in await log.tail_rows(0, 9))


async def test_a_command_that_cannot_be_sealed_leaves_the_others_alone(log: EventLog) -> None:
    def unfit() -> None:
        raise ValueError("no such key")

    first, broken, last = command(A), command(B), command(C)
    broken.seal = unfit
    outcomes = await settled(log, first, broken, last)

    assert (outcomes[0], str(outcomes[1]), outcomes[2]) == (1, "no such key", 2)
    assert await settled(log, command(B)) == [3]


async def test_a_rehearsed_command_is_sealed_as_one_that_is_recorded(log: EventLog) -> None:
    append = command(A)
    append.seal = lambda: append.keys.update({B: b"wrapped"})
    await log.rehearse(append)

    assert append.keys == {B: b"wrapped"}
    assert await log.last_position() == 0


async def test_a_commit_that_hangs_is_given_up_in_time_and_noticed(path: Path) -> None:
    store = SqliteStore(str(path), lock_timeout_s=30)
    log = EventLog(store, data_keys(), deadline_s=0.2)
    await log.open()
    with closing(connect(path)) as other_program:
        other_program.execute("BEGIN IMMEDIATE")
        first = asyncio.create_task(log.append(command(A)))
        await asyncio.sleep(0.1)  # the second one comes later, so it may wait longer
        began = asyncio.get_running_loop().time()
        second = asyncio.create_task(log.append(command(B)))
        late = await asyncio.gather(first, second, return_exceptions=True)
        waited = asyncio.get_running_loop().time() - began
        other_program.execute("ROLLBACK")

    assert [str(error) for error in late] == ["the log did not answer in 0.2 s"] * 2
    assert {type(error) for error in late} == {LogUnavailable}
    assert waited >= 0.2
    assert log.append_failure == "the log did not answer in 0.2 s"
    await eventually_position(log, 2)  # given up or not, what was handed over is recorded
    await eventually_recorded(log)
    assert log.append_failure is None
    await log.close()


async def test_commands_that_come_while_a_commit_hangs_are_given_up_in_time_too(path: Path) -> None:
    log = EventLog(SqliteStore(str(path), lock_timeout_s=30), data_keys(), deadline_s=0.1)
    await log.open()
    with closing(connect(path)) as other_program:
        other_program.execute("BEGIN IMMEDIATE")
        async with asyncio.timeout(PATIENCE_S):
            for stream in (A, B, C):  # each comes after all before it were given up
                with pytest.raises(LogUnavailable, match="did not answer in"):
                    await log.append(command(stream))
        other_program.execute("ROLLBACK")

    await eventually_position(log, 3)
    await log.close()


async def test_closing_commits_the_waiting_commands(path: Path) -> None:
    log = EventLog(SqliteStore(str(path)), data_keys())
    await log.open()
    waiting = [asyncio.create_task(log.append(command(uuid4()))) for _ in range(700)]
    await asyncio.sleep(0)

    await log.close()

    assert sorted([await w for w in waiting]) == list(range(1, 701))
    with closing(SqliteStore(str(path))) as again:
        assert again.last_position() == 700


async def test_a_log_that_is_not_open_says_so(path: Path) -> None:
    log = EventLog(SqliteStore(str(path)), data_keys())
    with pytest.raises(LogUnavailable):
        await log.append(command(A))
    await log.open()
    await log.close()

    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(LogUnavailable):
            await log.append(command(A))
