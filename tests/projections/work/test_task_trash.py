"""What a deletion hides is in no list, and a restoration brings back every list as it was."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from domain.base import TaskId
from domain.work.project.events import ProjectDeleted, ProjectRestored
from domain.work.relation import RelationAdded, RelationKind, graph_of
from domain.work.task.events import TaskAssigned, TaskDeleted, TaskRestored
from domain.work.trash import TrashKind
from domain.work.workflow.state import STANDARD
from eventstore.memory import MemoryStore
from projections.engine.find import ReadModels
from projections.engine.store import ReadStore
from projections.planning.board import columns_of
from projections.work.task_place import subtasks_of, tasks_below
from projections.work.trash import TrashFilter, trash_of
from tests.commands.acme import ACCOUNTS, CHILD, HERE, task
from tests.domain.spec import ACME, ANA, ENG, NOW, TASK
from tests.projections.spec import models_of, project_all, to_the_end
from tests.spec import Past, on, opened, record

LEAF, OTHER = TaskId(UUID(int=801)), TaskId(UUID(int=802))
TREE = (
    *ACCOUNTS,
    *HERE,
    on(CHILD, task(2, parent=TASK), TaskAssigned(user_id=ANA)),
    on(LEAF, task(3, parent=CHILD)),
    on(OTHER, task(4)),
    on(graph_of(ACME), RelationAdded(kind=RelationKind.BLOCKS, from_=LEAF, to=OTHER, open=True)),
)
BELOW, BLOCKING = (CHILD, LEAF), (OTHER,)
GONE = TaskDeleted(at=NOW, project_id=ENG, owner=ANA, below=BELOW, blocking=BLOCKING)


async def lists(models: ReadModels) -> list[list[bytes]]:
    """Return the tasks of every kind of list."""
    columns = await columns_of(models, ACME, ENG, STANDARD, STANDARD.statuses)
    pages = [*columns, *[await subtasks_of(models, ACME, each) for each in (TASK, CHILD)]]
    return [page.items for page in pages]


@pytest.mark.parametrize(
    ("gone", "back"),
    [
        ((on(CHILD, TaskDeleted(at=NOW, below=(LEAF,), blocking=BLOCKING)),), 1),
        ((on(TASK, GONE),), 2),
    ],
    ids=["below", "all"],
)
async def test_lists_are_the_same_after_a_restoration(
    store: ReadStore, gone: Sequence[Past], back: int
) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *TREE)
        projector = await project_all(log, store)
        models = models_of(store)
        before = await lists(models)
        await record(log, *gone)
        await to_the_end(projector)
        hidden = await lists(models)
        assert sum(map(len, hidden)) < sum(map(len, before)) - back
        assert await tasks_below(models, ACME, TASK, 9) == [*BELOW]
        assert b'"blocked":true' not in b"".join(hidden[0])

        [(stream, [deleted], _)] = gone
        assert isinstance(deleted, TaskDeleted)
        restored = TaskRestored(below=deleted.below, blocking=deleted.blocking)
        await record(log, on(stream, restored))
        await to_the_end(projector)
        assert [_unversioned(each) for each in await lists(models)] == [
            _unversioned(each) for each in before
        ]


def _unversioned(items: list[bytes]) -> list[bytes]:
    return [item.partition(b',"version":')[0] for item in items]


async def test_the_trash_holds_what_was_deleted_by_itself_until_it_is_restored(
    store: ReadStore,
) -> None:
    async with opened(MemoryStore()) as log:
        inner = TaskDeleted(at=NOW, project_id=ENG, owner=ANA, below=(LEAF,))
        await record(log, *TREE, on(CHILD, inner), on(TASK, GONE), on(ENG, ProjectDeleted()))
        projector = await project_all(log, store)
        models = models_of(store)

        async def found(**wanted: object) -> int:
            return (await trash_of(models, ACME, TrashFilter(**wanted))).size  # type: ignore[arg-type]  # of any field

        assert await found() == 3
        assert await found(kind=TrashKind.TASK) == 2
        assert await found(project_id=ENG) == 3
        assert await found(owner=ANA) == 2
        assert await found(among=[ENG], kind=TrashKind.PROJECT) == 1
        await record(log, on(ENG, ProjectRestored()), on(TASK, TaskRestored(below=BELOW)))
        await to_the_end(projector)
        assert await found() == 1
