"""People find the live read models under names that stay."""

from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from domain.base import TaskId
from eventstore.engine.sqlite.driver import connect
from eventstore.memory import MemoryStore
from projections.catalog import PROJECTIONS
from projections.engine import leading
from projections.engine.mongo.store import MongoReadStore
from projections.engine.projector import Projector
from projections.engine.rebuild import rebuild
from projections.engine.store import ReadStore
from projections.work.task import Tasks
from tests.commands.acme import task
from tests.projections.spec import a_busy_day, live, never, project_all, to_the_end
from tests.spec import on, opened, record

LATER = TaskId(UUID(int=9_077))
VIEWS = "SELECT name FROM sqlite_master WHERE type = 'view'"


class Look:
    """Looks into the database as a person does, without the code of the read models."""

    def __init__(self, store: ReadStore, file: Path) -> None:
        self._store, self._file = store, file

    async def numbers(self) -> list[int]:
        """Return the numbers of all tasks, asked for by the name of the read model."""
        if isinstance(self._store, MongoReadStore):
            found = self._store.database["tasks"].find({}, {"number": 1})
            return sorted([one["number"] async for one in found])
        with closing(connect(self._file)) as connection:
            return sorted(n for (n,) in connection.execute("SELECT number FROM tasks"))

    async def names(self) -> list[str]:
        """Return the names of all views."""
        if isinstance(self._store, MongoReadStore):
            database = self._store.database
            return await database.list_collection_names(filter={"type": "view"})
        with closing(connect(self._file)) as connection:
            return [name for (name,) in connection.execute(VIEWS)]

    async def drop(self) -> None:
        """Drop the view of tasks."""
        if isinstance(self._store, MongoReadStore):
            await self._store.database.drop_collection("tasks")
            return
        with closing(connect(self._file)) as connection:
            connection.execute("DROP VIEW tasks")


@pytest.fixture
def look(store: ReadStore, tmp_path: Path) -> Look:
    return Look(store, tmp_path / "readmodels.db")


async def test_a_read_model_keeps_its_name_when_another_collection_takes_its_place(
    store: ReadStore, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leading, "GRACE_S", 0)
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        projector = await project_all(log, store)
        old, before = await live(store, Tasks()), await look.numbers()
        await rebuild(Tasks(), store, projector)
        await to_the_end(projector)
        await record(log, on(LATER, task(9_077)))
        await to_the_end(projector)

        control = await store.control()
        assert control is not None
        assert control.named(old.collection) is None
        assert len(before) > 10
        assert await look.numbers() == sorted([*before, 9_077])


async def test_a_projector_that_starts_gives_what_is_live_its_name(
    store: ReadStore, look: Look
) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        await (await project_all(log, store)).release()
        before = await look.numbers()
        await look.drop()
        await to_the_end(Projector(PROJECTIONS, log, store, never))

        assert await look.numbers() == before


async def test_the_name_of_a_read_model_that_is_gone_is_gone_too(
    store: ReadStore, look: Look
) -> None:
    async with opened(MemoryStore()) as log:
        await (await project_all(log, store)).release()
        kept = [one for one in PROJECTIONS if one.name != "tasks"]
        await to_the_end(Projector(kept, log, store, never))

    assert sorted(await look.names()) == sorted(one.name for one in kept)
