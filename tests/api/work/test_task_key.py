"""A task is found by its key with one look-up, once its project is known."""

from collections.abc import Sequence
from uuid import UUID

from api.work.task_key import TaskKeys
from domain.base import ProjectId
from domain.work.project.events import ProjectCreated
from eventstore.claim import ClaimKey, Held
from eventstore.memory import MemoryStore
from tests.commands.acme import HERE, task
from tests.domain.spec import ACME, ENG, OTHER
from tests.spec import on, opened, record

FIRST, SECOND = UUID(int=3_001), UUID(int=3_002)


class Watched(MemoryStore):
    """Counts the look-ups of claims."""

    lookups = 0

    def holders(self, claims: Sequence[ClaimKey]) -> dict[ClaimKey, Held]:
        self.lookups += 1
        return super().holders(claims)


async def test_a_known_project_needs_one_lookup() -> None:
    store, keys = Watched(), TaskKeys()
    async with opened(store) as log:
        await record(log, *HERE, on(FIRST, task(5)), on(SECOND, task(6)))
        assert await keys.find(log, ACME, "ENG", 5) == FIRST
        before = store.lookups

        assert await keys.find(log, ACME, "ENG", 6) == SECOND
        assert await keys.find(log, ACME, "ENG", 7) is None
        assert store.lookups == before + 2


async def test_another_organization_and_an_unknown_key_find_nothing() -> None:
    keys = TaskKeys()
    async with opened(MemoryStore()) as log:
        await record(log, *HERE, on(FIRST, task(5)))
        assert await keys.find(log, ACME, "ENG", 5) == FIRST

        assert await keys.find(log, OTHER, "ENG", 5) is None
        assert await keys.find(log, ACME, "NEW", 5) is None


async def test_the_project_that_has_the_key_now_counts() -> None:
    keys, project = TaskKeys(), ProjectId(UUID(int=99))
    created = ProjectCreated(key="ENG", name="Engines", created_by=task().created_by)
    async with opened(MemoryStore()) as log, opened(MemoryStore()) as later:
        await record(log, *HERE, on(FIRST, task(5)))
        assert await keys.find(log, ACME, "ENG", 5) == FIRST
        made = on(SECOND, task(5, project=project))
        await record(later, on(project, created), made)

        assert project != ENG
        assert await keys.find(later, ACME, "ENG", 5) == SECOND
