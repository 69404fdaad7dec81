"""The tasks of a dashboard are found across projects, by both engines alike."""

import json
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from domain.base import ProjectId
from domain.work.task.events import TaskAssigned, TaskSchedule, TaskScheduled, TaskStatus
from projections.catalog import PROJECTIONS
from projections.engine.progress import Progress
from projections.engine.query import EITHER_MAX
from projections.engine.store import ReadStore
from projections.work.dashboard import Now, overview_of
from projections.work.task import Tasks
from tests.commands.acme import task, went
from tests.domain.spec import ACME, CLEO, NOW
from tests.projections.engine.test_find import SLOW, Asked, projected
from tests.projections.spec import live
from tests.spec import on

MANY = [ProjectId(UUID(int=50_000 + n)) for n in range(EITHER_MAX + 2)]
"""More projects than one query can choose from."""
CLOCK = Now(NOW, ZoneInfo("UTC"))


async def test_more_projects_than_one_query_takes_are_searched(store: ReadStore) -> None:
    due = TaskSchedule(due_date=CLOCK.today + timedelta(days=1))
    first = TaskScheduled(from_=TaskSchedule(), to=due)
    at = TaskScheduled(from_=TaskSchedule(), to=TaskSchedule(due_at=NOW + timedelta(hours=1)))
    given = [
        on(
            UUID(int=60_001),
            replace(task(1), project_id=MANY[0]),
            first,
            TaskAssigned(user_id=CLEO),
        ),
        on(UUID(int=60_002), replace(task(2), project_id=MANY[-1]), at, TaskAssigned(user_id=CLEO)),
        on(
            UUID(int=60_003),
            replace(task(3), project_id=MANY[1]),
            TaskAssigned(user_id=CLEO),
            first,
            *went(TaskStatus.IN_PROGRESS, TaskStatus.DONE),
        ),
        on(UUID(int=60_004), replace(task(4), project_id=UUID(int=49_999)), first),
    ]
    models = await projected(store, *given)

    found = await overview_of(models, ACME, MANY, CLEO, CLOCK)

    shown = [[json.loads(item)["number"] for item in some] for some in found]
    assert shown[0] == [2, 1]
    assert sorted(shown[1]) == [1, 2, 3]
    assert sorted(shown[2]) == [1, 2]


async def test_without_projects_nothing_is_asked(store: ReadStore) -> None:
    models = await projected(store)

    assert await overview_of(models, ACME, [], CLEO, CLOCK) == ([], [], [])


async def test_every_part_is_answered_by_its_index_alone(store: ReadStore) -> None:
    await projected(store)
    (models := Asked(store, Progress(store), PROJECTIONS)).queries = []

    await overview_of(models, ACME, MANY[:2], CLEO, CLOCK)

    assert len(models.queries) == 4
    target = await live(store, Tasks())
    for query in models.queries:
        plan = await store.explain(target, query)
        assert "by_org_" in plan, f"{query}: {plan}"
        # SQLite may sort what it merges: the few rows of each project, which came from the index.
        found = [word for word in SLOW if word in plan and word != "TEMP B-TREE"]
        assert found == [], f"{query}: {plan}"
