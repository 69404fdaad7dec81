"""A rebuilt read model replaces the old one without anybody noticing."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

import pytest

from domain.work.task.state import Task
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from eventstore.recorded import Recorded
from projections.catalog import PROJECTIONS
from projections.engine import leading, shift
from projections.engine.control import Control, Phase
from projections.engine.digest import compare
from projections.engine.folding import ProjectionFailed
from projections.engine.progress import Progress
from projections.engine.projector import Projector
from projections.engine.rebuild import rebuild, request
from projections.engine.store import Batch, ReadStore, Rebuilding, Written
from projections.shape import Index
from projections.work.task import Tasks
from projections.work.task_list import tasks_of_project
from tests.commands.acme import task
from tests.domain.spec import ACME, ENG, TASK
from tests.projections.spec import (
    a_busy_day,
    live,
    models_of,
    never,
    patient,
    project_all,
    to_the_end,
)
from tests.projections.stores import Opened
from tests.spec import on, opened, record

TASKS = Tasks()


class TasksOfTomorrow(Tasks):
    """A newer version of the same read model."""

    version = Tasks.version + 1


class TasksOfAnotherShape(Tasks):
    """A newer version with other indexes."""

    version = Tasks.version + 1
    indexes = (*Tasks.indexes, Index(("org", "deleted"), "title"))


class TasksThatMeanSomethingElse(Tasks):
    """A newer version, whose queries what was built by others does not answer."""

    version = since = Tasks.version + 1


class Broken(Tasks):
    """Tasks that cannot be projected at all."""

    version = Tasks.version + 1

    def fold(self, key: str, state: Task | None, recorded: Recorded) -> Task:
        raise ZeroDivisionError


@asynccontextmanager
async def running(projector: Projector) -> AsyncGenerator[None, None]:
    """Run *projector* beside the block."""
    running = asyncio.create_task(projector.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@contextmanager
def no_grace() -> Iterator[None]:
    """Delete what was replaced at once."""
    before, leading.GRACE_S = leading.GRACE_S, 0.0
    try:
        yield
    finally:
        leading.GRACE_S = before


async def control_of(store: ReadStore) -> Control:
    """Return the control record."""
    found = await store.control()
    assert found is not None
    return found


async def test_a_rebuilt_read_model_holds_what_the_old_one_did(store: ReadStore) -> None:
    seen: list[tuple[int, int]] = []
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        projector = await project_all(log, store)

        def note(at: int, of: int) -> None:
            seen.append((at, of))

        name = await rebuild(TASKS, store, projector, note)
        verdict = await compare(TASKS, store, projector)

        assert name == f"tasks_v{TASKS.version}_b2" == (await live(store, TASKS)).collection
        assert seen[-1] == (await log.last_position(), await log.last_position())
    assert verdict.equal
    assert verdict.live.documents == 26


async def test_a_changed_document_is_found_and_named(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        projector = await project_all(log, store)
        target = await live(store, TASKS)
        [found] = await store.load(target, [f"{ACME}:{TASK}"])
        found.json = b"{}"
        await store.write(
            Batch(control=await control_of(store), written=[Written(target, [found])])
        )

        verdict = await compare(TASKS, store, projector)

    assert not verdict.equal
    assert verdict.different == (f"{ACME}:{TASK}",)
    assert f"{ACME}:{TASK}" in str(verdict)


async def test_events_recorded_during_a_rebuild_are_in_it(opened_stores: Opened) -> None:
    store = opened_stores.another()
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=2)
        async with running(Projector(PROJECTIONS, log, opened_stores.another(), patient)):
            writing = asyncio.create_task(_write(log, 40))
            beside = Projector(PROJECTIONS, log, store, never)
            for _ in range(3):
                await rebuild(TASKS, store, beside)
            verdict = await compare(TASKS, store, beside)
            await writing
            assert await Progress(store).reached("tasks", await log.last_position(), 30)

    page = await tasks_of_project(models_of(store), ACME, ENG, limit=100)
    assert verdict.equal
    assert len([json for json in page.items if b'"number":5' in json]) >= 40


async def _write(log: EventLog, count: int) -> None:
    for number in range(500, 500 + count):
        await record(log, on(UUID(int=number), task(number)))
        await asyncio.sleep(0)


async def test_a_replaced_collection_is_deleted_in_steps_after_a_while(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        projector = await project_all(log, store)
        old = await live(store, TASKS)
        await rebuild(TASKS, store, projector)
        await to_the_end(projector)

        assert len(await store.load(old, [f"{ACME}:{TASK}"])) == 1
        with no_grace():
            await to_the_end(projector)

    assert (await control_of(store)).named(old.collection) is None
    await store.create(old)
    assert await store.scan([old], "", 10) == [[]]


async def test_an_interrupted_rebuild_is_resumed(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        projector = await project_all(log, store)
        before, shift.SLICE_ALONE = shift.SLICE_ALONE, 10

        def stop(at: int, of: int) -> None:
            if at:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            await rebuild(TASKS, store, projector, stop)
        control = await control_of(store)
        left = control.building("tasks")
        await projector.release()
        another = Projector(PROJECTIONS, log, store, never)
        shift.SLICE_ALONE = before
        name = await rebuild(TASKS, store, another)
        verdict = await compare(TASKS, store, another)

    assert left is not None
    assert control.behind(left)[0] > 0
    assert name == left.name
    assert verdict.equal


async def test_two_requests_for_the_same_rebuild_share_one(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await project_all(log, store)

    assert await request(store, TASKS) == await request(store, TASKS)


async def test_a_rebuild_never_skips_an_event_and_says_which_it_was(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        await (await project_all(log, store, [TASKS])).release()
        projector = Projector([Broken()], log, store, never)

        with pytest.raises(ProjectionFailed, match="tasks: position"):
            await rebuild(Broken(), store, projector)

        assert (await live(store, TASKS)).collection == f"tasks_v{TASKS.version}_b1"
        [failed] = [c for c in (await control_of(store)).collections if c.phase is Phase.FAILED]
        assert "tasks: position" in failed.failure
    assert (await tasks_of_project(models_of(store, [TASKS]), ACME, ENG)).items


async def test_a_newer_version_builds_itself_and_the_older_projector_leaves_off(
    opened_stores: Opened,
) -> None:
    store = opened_stores.another()
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        await (await project_all(log, store, [TASKS])).release()
        newer = await project_all(log, opened_stores.another(), [TasksOfTomorrow()])
        await newer.release()
        await record(log, on(UUID(int=900), task(900)))
        old = Projector([TASKS], log, store, never)

        assert not await old.step()
        assert (await live(store, TASKS)).collection == f"tasks_v{TasksOfTomorrow.version}_b2"
        await to_the_end(newer)

    page = await tasks_of_project(models_of(store, [TASKS]), ACME, ENG)
    assert b'"number":900' in page.items[0]


async def test_the_old_version_is_shown_until_the_new_one_is_there(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        await (await project_all(log, store, [TASKS])).release()
        projector = Projector([TasksOfTomorrow()], log, store, never)
        before, shift.SLICE_ALONE = shift.SLICE_ALONE, 10
        await projector.step()
        models = models_of(store, [TasksOfTomorrow()])

        assert (await tasks_of_project(models, ACME, ENG)).items
        shift.SLICE_ALONE = before
        await to_the_end(projector)

    assert (await live(store, TASKS)).collection == f"tasks_v{TasksOfTomorrow.version}_b2"


@pytest.mark.parametrize("changed", [TasksOfAnotherShape, TasksThatMeanSomethingElse])
async def test_a_version_of_another_shape_is_not_asked_in_todays_words(
    store: ReadStore, changed: type[Tasks]
) -> None:
    newer = [changed()]
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        await (await project_all(log, store, [TASKS])).release()

        with pytest.raises(Rebuilding):
            await tasks_of_project(models_of(store, newer), ACME, ENG)
        await project_all(log, store, newer)

    assert (await tasks_of_project(models_of(store, newer), ACME, ENG)).items


async def test_a_read_model_that_is_new_joins_the_others(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        await (await project_all(log, store, PROJECTIONS[:3])).release()
        projector = await project_all(log, store)
        verdict = await compare(TASKS, store, projector)

        assert verdict.equal
        assert (await control_of(store)).reached("tasks") == await log.last_position()


async def test_nothing_is_rebuilt_where_nothing_was_projected(store: ReadStore) -> None:
    with pytest.raises(LookupError):
        await request(store, TASKS)
