"""The projector keeps up with the log, whatever happens to it."""

import pytest

from domain.task import TaskStatus
from eventstore.memory import MemoryStore
from projections.live import Database, Pointers
from projections.queries import Queries
from projections.task import Tasks
from tests.commands.acme import HERE, went
from tests.domain.spec import ACME, ENG, TASK
from tests.projections.spec import project_all
from tests.spec import on, opened, record

pytestmark = pytest.mark.servers


async def test_a_task_is_shown_as_its_events_left_it(database: Database) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *HERE, on(TASK, *went(TaskStatus.IN_PROGRESS)))
        await project_all(Tasks(), log, database)

    page = await Queries(database, Pointers(database)).tasks_of_project(ACME, ENG)

    assert page.next_key is None
    assert b'"status":"IN_PROGRESS"' in page.items[0]
