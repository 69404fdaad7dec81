"""A patient read model is left behind during a burst, and catches up by itself."""

from uuid import UUID

import pytest

from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from projections.base import document_id
from projections.engine import shift
from projections.engine.control import Control
from projections.engine.digest import compare
from projections.engine.projector import Projector
from projections.engine.rebuild import rebuild
from projections.engine.store import ReadStore
from projections.work.task import Tasks
from tests.commands.acme import HERE, task
from tests.domain.spec import ACME, ENG, TASK
from tests.projections.engine.counting import POISON, ProjectCounts
from tests.projections.spec import live, never, project_all, to_the_end
from tests.projections.stores import Opened
from tests.spec import on, opened, record

BATCH = 3
TASKS_IN_BURST = 4 * BATCH


class PatientCounts(ProjectCounts):
    """Counts of tasks that may wait: a document that no event may reach twice."""

    patient = True


MODELS = (Tasks(), PatientCounts())


async def begin(log: EventLog, store: ReadStore) -> None:
    """Record one task, and project it with a projector that ends then."""
    await record(log, *HERE)
    projector = await project_all(log, store, MODELS)
    await projector.release()


async def burst(log: EventLog, first: int = 500) -> int:
    """Record new tasks, several batches of them, and return the position of the last."""
    position = 0
    for number in range(first, first + TASKS_IN_BURST):
        position = await record(log, on(UUID(int=number), task(number)))
    return position


def small(log: EventLog, store: ReadStore, counts: ProjectCounts | None = None) -> Projector:
    """Return a projector whose batches are small."""
    projector = Projector([Tasks(), counts or PatientCounts()], log, store, never)
    projector.batch_max = BATCH
    return projector


async def control_of(store: ReadStore) -> Control:
    """Return the control record."""
    control = await store.control()
    assert control is not None
    return control


async def counted(store: ReadStore) -> int:
    """Return how many tasks the patient model has counted."""
    found = await store.load(await live(store, PatientCounts()), [document_id(ACME, ENG)])
    tasks = found[0].fields["tasks"]
    assert isinstance(tasks, int)
    return tasks


async def test_others_reach_the_end_of_a_burst_before_a_patient_model(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await begin(log, store)
        before = await counted(store)
        end = await burst(log)
        projector = small(log, store)
        await until_reached(projector, store, end)
        during = await control_of(store)

        assert during.reached("counts") < end
        assert await counted(store) == before

        await to_the_end(projector)

    after = await control_of(store)
    assert after.reached("counts") == end
    assert in_the_pass(after)
    assert await counted(store) == before + TASKS_IN_BURST


async def until_reached(projector: Projector, store: ReadStore, position: int) -> None:
    """Let *projector* work until tasks are listed up to *position*."""
    while not (control := await store.control()) or control.reached("tasks") < position:
        await projector.step()


def in_the_pass(control: Control) -> bool:
    """Return whether the counts are written together with the tasks."""
    live = control.live("counts")
    return live is not None and not control.behind(live)


async def test_a_burst_without_an_end_leaves_no_patient_model_where_it_is(
    store: ReadStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shift, "LAGGARD_TURN", 2)
    async with opened(MemoryStore()) as log:
        await begin(log, store)
        before = await counted(store)
        await burst(log)
        projector = small(log, store)
        for _ in range(3):  # each of these batches is full
            assert await projector.step()
        control = await control_of(store)

    assert control.reached("tasks") < await log.last_position()
    assert await counted(store) > before


async def test_another_projector_continues_where_a_patient_model_was_left(
    opened_stores: Opened,
) -> None:
    store = opened_stores.another()
    async with opened(MemoryStore()) as log:
        await begin(log, store)
        before = await counted(store)
        end = await burst(log)
        for _ in range(50):  # each dies after one step
            projector = small(log, opened_stores.another())
            more = await projector.step()
            await projector.release()
            if not more:
                break

    assert (await control_of(store)).reached("counts") == end
    assert await counted(store) == before + TASKS_IN_BURST


async def test_a_patient_model_is_rebuilt_and_compared_while_it_is_behind(
    store: ReadStore,
) -> None:
    async with opened(MemoryStore()) as log:
        await begin(log, store)
        await burst(log)
        projector = small(log, store)
        assert await projector.step()
        assert (await control_of(store)).reached("counts") < await log.last_position()

        verdict = await compare(PatientCounts(), store, projector)
        await projector.release()
        await burst(log, first=600)
        projector = small(log, store)
        assert await projector.step()
        await rebuild(PatientCounts(), store, projector)
        again = await compare(PatientCounts(), store, projector)

    assert verdict.equal
    assert again.equal
    assert again.live.documents == 1


async def test_a_document_parked_while_behind_is_repaired_by_the_next_projector(
    store: ReadStore,
) -> None:
    repaired = PatientCounts()
    repaired.healed = True
    async with opened(MemoryStore()) as log:
        await begin(log, store)
        before = await counted(store)
        await record(log, on(TASK, POISON))
        await burst(log)
        projector = small(log, store)
        await to_the_end(projector)
        await projector.release()
        assert [one.id for one in await store.parked()] == [document_id(ACME, ENG)]

        await to_the_end(small(log, store, repaired))

    assert await store.parked() == []
    assert await counted(store) == before + TASKS_IN_BURST
