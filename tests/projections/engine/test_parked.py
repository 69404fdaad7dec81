"""A document that cannot be projected is parked: it stops no other, and is repaired later."""

from uuid import UUID

from domain.work.task.events import TaskAssigned, TaskStatus
from domain.work.task.state import Task
from eventstore.memory import MemoryStore
from eventstore.recorded import Recorded
from projections.base import document_id
from projections.engine.store import ReadStore
from projections.work.task import Tasks
from projections.work.task_list import tasks_of_project
from tests.commands.acme import HERE, task, went
from tests.domain.spec import ACME, ANA, BEN, ENG, TASK
from tests.projections.engine.counting import POISON, ProjectCounts
from tests.projections.spec import (
    live,
    models_of,
    project_all,
    to_the_end,
)
from tests.spec import on, opened, record

KEY = document_id(ACME, TASK)


class Delicate(Tasks):
    """Tasks, projected by code that cannot stand one title."""

    healed = False

    def fold(self, key: str, state: Task | None, recorded: Recorded) -> Task:
        if recorded.event == POISON and not self.healed:
            raise ZeroDivisionError("poison")
        return super().fold(key, state, recorded)


# What cannot be projected ----------------------------------------------------


async def test_a_document_that_cannot_be_folded_stops_no_other(store: ReadStore) -> None:
    other = UUID(int=900)
    async with opened(MemoryStore()) as log:
        await record(log, *HERE, on(TASK, POISON, *went(TaskStatus.IN_PROGRESS)))
        await record(log, on(other, task(2), *went(TaskStatus.IN_PROGRESS)))
        await project_all(log, store, [Delicate()])
    page = await tasks_of_project(models_of(store), ACME, ENG)
    [parked] = await store.parked()

    assert b'"status":"IN_PROGRESS"' in page.items[0]
    assert b'"status":"TODO"' in page.items[1]
    assert parked.id == KEY
    assert "poison" in parked.error


async def test_a_parked_document_is_updated_by_a_repaired_projector(store: ReadStore) -> None:
    repaired = Delicate()
    repaired.healed = True
    async with opened(MemoryStore()) as log:
        await record(log, *HERE, on(TASK, POISON, *went(TaskStatus.IN_PROGRESS)))
        projector = await project_all(log, store, [Delicate()])
        await record(log, on(TASK, TaskAssigned(user_id=BEN)))
        await to_the_end(projector)
        await projector.release()
        projector = await project_all(log, store, [repaired])
        await record(log, on(TASK, TaskAssigned(user_id=ANA)))
        await to_the_end(projector)
        page = await tasks_of_project(models_of(store), ACME, ENG)

    assert b'"title":"poison"' in page.items[0]
    assert b'"status":"IN_PROGRESS"' in page.items[0]
    assert str(BEN).encode() in page.items[0]
    assert str(ANA).encode() in page.items[0].partition(b'"assignees"')[2].partition(b"]")[0]
    assert await store.parked() == []


async def test_a_document_of_several_streams_is_parked_and_repaired_too(
    store: ReadStore,
) -> None:
    repaired = ProjectCounts()
    repaired.healed = True
    key = document_id(ACME, ENG)
    async with opened(MemoryStore()) as log:
        await record(log, *HERE, on(TASK, POISON))
        await record(log, on(UUID(int=900), task(2)))
        projector = await project_all(log, store, [ProjectCounts(), Tasks()])
        [parked] = await store.parked()
        [stuck] = await store.load(await live(store, ProjectCounts()), [key])
        tasks = await tasks_of_project(models_of(store), ACME, ENG)
        await projector.release()
        await project_all(log, store, [repaired, Tasks()])
        [whole] = await store.load(await live(store, ProjectCounts()), [key])

    assert (parked.id, stuck.fields["tasks"]) == (key, 1)
    assert len(tasks.items) == 2
    assert whole.fields == {"tasks": 2, "titles": ["retitled"]}
    assert await store.parked() == []


async def test_an_event_that_cannot_be_read_parks_its_document_alone(store: ReadStore) -> None:
    rows = MemoryStore()
    async with opened(rows) as log:
        await record(log, *HERE, on(UUID(int=900), task(2)))
        broken = next(row for row in rows.tail(0, 100) if row.stream_id == TASK)
        whole, broken.state = broken.state, b"{}"
        projector = await project_all(log, store)
        page = await tasks_of_project(models_of(store), ACME, ENG)
        parked = await store.parked()
        await projector.release()
        broken.state = whole
        await project_all(log, store)
        repaired = await tasks_of_project(models_of(store), ACME, ENG)

    assert len(page.items) == 1
    assert {(one.id, one.unreadable) for one in parked} == {(KEY, True)}
    assert len(repaired.items) == 2
    assert await store.parked() == []
