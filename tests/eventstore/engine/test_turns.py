"""One organization that sends many commands keeps nobody waiting, and no partition another."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing
from threading import Event
from uuid import UUID, uuid4

import psycopg
import pytest

import eventstore.writer
from domain.base import PLATFORM, OrgId
from eventstore.append import Append, Appended, Conflict, Outcome, TooManyWaiting
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from eventstore.partition import partition_of
from eventstore.postgres import PostgresStore
from eventstore.writer import BATCH_MAX, TURNS_MAX
from tests.domain.spec import ACME
from tests.eventstore.rows import command
from tests.spec import data_keys, opened

PATIENCE_S = 30.0
PARTS = 8
NOISY = ACME
QUIET = next(
    OrgId(UUID(int=n))
    for n in range(100, 200)
    if partition_of(OrgId(UUID(int=n)), PARTS) != partition_of(ACME, PARTS)
)
A, B, C = (UUID(int=n) for n in (0xA, 0xB, 0xC))


class SlowStore(MemoryStore):
    """Notes the organizations of each batch, and commits none before ``go`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.go, self.batches = Event(), list[list[OrgId]]()

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        self.go.wait(PATIENCE_S)
        self.batches.append([append.org_id for append in appends])
        return super().commit(appends)


async def test_commands_of_the_next_turns_join_a_batch_once_several_have_shared_one() -> None:
    store = SlowStore()
    store.go.set()

    async def sent(*turns: int) -> list[int]:
        """Send a command in each of some turns of the loop; return the sizes of their batches."""

        async def in_turn(turn: int) -> None:
            for _ in range(turn):
                await asyncio.sleep(0)
            await log.append(command(uuid4()))

        store.batches.clear()
        await asyncio.gather(*map(in_turn, turns))
        return [*map(len, store.batches)]

    async with opened(store) as log:
        assert await sent(0, 1) == [1, 1]  # who was alone last does not wait for others
        assert await sent(0, 0) == [2]
        assert await sent(0, 1, 2) == [3]
        assert await sent(0, 1, 2, 3) == [3, 1]  # nor does anybody wait for longer
        assert await sent(0, 0) == [2]
        assert await sent(0, 2) == [1, 1]  # nor if none comes in a turn


async def test_a_log_that_is_closed_meanwhile_commits_what_it_gathers() -> None:
    store = SlowStore()
    store.go.set()
    async with opened(store) as log:
        await asyncio.gather(*(log.append(command(uuid4())) for _ in range(2)))
        sent = [asyncio.create_task(log.append(command(uuid4()))) for _ in range(2)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert await asyncio.gather(*sent) == [3, 4]


async def test_a_quiet_organization_is_in_the_next_batch_whatever_a_noisy_one_sends() -> None:
    store = SlowStore()
    async with opened(store) as log:
        noisy = [asyncio.create_task(log.append(command(uuid4()))) for _ in range(900)]
        await asyncio.sleep(0)  # 900 are waiting, and the first batch of them is handed over
        await asyncio.sleep(0)
        late = [asyncio.create_task(log.append(command(uuid4()))) for _ in range(400)]
        await asyncio.sleep(0)
        quiet = asyncio.create_task(log.append(command(uuid4(), org_id=QUIET)))
        await asyncio.sleep(0)
        store.go.set()
        await asyncio.gather(*noisy, *late, quiet)

    assert len(store.batches[0]) == BATCH_MAX
    assert QUIET in store.batches[1][:2]
    assert sum(map(len, store.batches)) == 1_301


async def test_an_organization_with_too_many_waiting_is_turned_away_and_others_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(eventstore.writer, "WAITING_OF_ONE_MAX", 3)
    store = SlowStore()
    async with opened(store) as log:
        first = asyncio.create_task(log.append(command(uuid4())))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiting = [asyncio.create_task(log.append(command(uuid4()))) for _ in range(3)]
        others = [
            asyncio.create_task(log.append(command(uuid4(), org_id=org_id)))
            for org_id in (QUIET, *[PLATFORM] * 5)
        ]
        await asyncio.sleep(0)

        with pytest.raises(TooManyWaiting):
            await log.append(command(uuid4()))

        store.go.set()
        await asyncio.gather(first, *waiting, *others)
        await log.append(command(uuid4()))


@pytest.mark.servers
class TestPartitionsThatOthersWriteTo:
    """Another process holds the lock of a partition."""

    @pytest.fixture
    def store(self, postgres_url: str) -> Iterator[PostgresStore]:
        with closing(PostgresStore(postgres_url, parts=PARTS, lock_timeout_s=PATIENCE_S)) as store:
            store.create()
            yield store

    @pytest.fixture
    def other_process(
        self, postgres_url: str, store: PostgresStore
    ) -> Iterator[psycopg.Connection]:
        with psycopg.connect(postgres_url) as connection:
            connection.execute(
                "SELECT 1 FROM part_heads WHERE part = %s FOR UPDATE", [partition_of(NOISY, PARTS)]
            )
            yield connection

    @pytest.fixture
    async def log(self, store: PostgresStore) -> AsyncIterator[EventLog]:
        log = EventLog(store, data_keys(), deadline_s=PATIENCE_S)
        await log.open()
        yield log
        await log.close()

    def test_only_what_is_free_is_written(
        self, store: PostgresStore, other_process: psycopg.Connection
    ) -> None:
        both = command(B, org_id=QUIET, reads={A: 0})
        both.rows += command(C).rows
        both.expects[C] = 0

        free = command(A, org_id=QUIET)
        outcomes = store.commit_free(
            [command(A), free, command(A, org_id=QUIET), both, command(A, 1, org_id=QUIET)]
        )

        part = partition_of(QUIET, PARTS)
        assert outcomes == [None, Appended(1, part), Conflict(A), None, Appended(2, part)]
        other_process.rollback()
        assert store.organization(NOISY, 0, 9) == []
        assert [row.version for row in store.organization(QUIET, 0, 9)] == [1, 2]

    def test_nothing_is_written_if_nothing_is_free(
        self, store: PostgresStore, other_process: psycopg.Connection
    ) -> None:
        assert store.commit_free([command(A), command(B)]) == [None, None]
        other_process.rollback()
        part = partition_of(NOISY, PARTS)
        assert store.commit_free([command(A), command(B)]) == [
            Appended(1, part),
            Appended(2, part),
        ]

    async def test_commands_that_waited_for_a_partition_are_recorded_in_their_order(
        self, log: EventLog, other_process: psycopg.Connection
    ) -> None:
        held_up = [asyncio.create_task(log.append(command(uuid4()))) for _ in range(4)]
        async with asyncio.timeout(PATIENCE_S):
            for version in range(2 * TURNS_MAX):  # by then they wait for their partition
                await log.append(command(B, version, org_id=QUIET))
            await asyncio.to_thread(other_process.rollback)
            positions = await asyncio.gather(*held_up)

        assert positions == sorted(positions)

    async def test_a_command_waits_for_its_partition_and_the_others_do_not(
        self, log: EventLog, other_process: psycopg.Connection
    ) -> None:
        held_up = asyncio.create_task(log.append(command(A)))
        free = asyncio.create_task(log.append(command(B, org_id=QUIET)))

        async with asyncio.timeout(PATIENCE_S):
            assert await free == 1
            assert not held_up.done()
            await asyncio.to_thread(other_process.rollback)
            assert await held_up == 1

    async def test_commands_of_other_partitions_go_on_while_one_is_waited_for(
        self, log: EventLog, other_process: psycopg.Connection
    ) -> None:
        """Whoever only ever took what is free would never get a busy partition."""
        held_up = [asyncio.create_task(log.append(command(s))) for s in (A, C)]
        async with asyncio.timeout(PATIENCE_S):
            for version in range(10):
                await log.append(command(B, version, org_id=QUIET))
            assert not any(task.done() for task in held_up)
            await asyncio.to_thread(other_process.rollback)
            assert sorted(await asyncio.gather(*held_up)) == [1, 2]

    async def test_closing_waits_for_what_waits_for_its_partition(
        self, log: EventLog, store: PostgresStore, other_process: psycopg.Connection
    ) -> None:
        held_up = asyncio.create_task(log.append(command(A)))
        await log.append(command(B, org_id=QUIET))
        closing_it = asyncio.create_task(log.close())
        await asyncio.to_thread(other_process.rollback)
        await closing_it

        assert await held_up == 1
