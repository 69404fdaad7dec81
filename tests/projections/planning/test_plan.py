"""Cycles and milestones are listed by an index."""

import json
from datetime import date
from typing import Any
from uuid import UUID

from domain.planning.cycle import CycleDeleted
from domain.planning.milestone import MilestoneDated
from eventstore.memory import MemoryStore
from projections.base import Projection
from projections.catalog import PROJECTIONS
from projections.engine.progress import Progress
from projections.engine.store import ReadStore
from projections.planning.cycle import Cycles, cycles_of
from projections.planning.milestone import Milestones, milestones_of
from tests.commands.acme import ACCOUNTS, OPS
from tests.commands.planning.plans import (
    BETA,
    GA,
    OTHER_PROJECT,
    PLANNED,
    TWO,
    cycle,
    days,
    milestone,
)
from tests.domain.spec import ACME, ENG, OTHER
from tests.projections.engine.test_find import SLOW, Asked
from tests.projections.spec import live, project_all
from tests.spec import on, opened, record


async def test_plans_are_listed_by_their_indexes(store: ReadStore) -> None:
    gone = on(UUID(int=83), cycle("Gone", days(30, 31)), CycleDeleted(project_id=ENG))
    theirs = on(UUID(int=84), cycle("Theirs", days(0, 3), OPS))
    dated = MilestoneDated(project_id=ENG, from_=None, to=date(2026, 6, 1))
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *PLANNED, OTHER_PROJECT, gone, theirs)
        await record(log, on(TWO, cycle("Two", days(-9, -1))), on(GA, milestone("GA"), dated))
        await project_all(log, store)
    (models := Asked(store, Progress(store), PROJECTIONS)).queries = []

    first = await cycles_of(models, ACME, ENG, limit=1)
    rest = await cycles_of(models, ACME, ENG, after=first.next_key)
    goals = await milestones_of(models, ACME, ENG, limit=1)
    later = await milestones_of(models, ACME, ENG, after=goals.next_key)

    assert [json.loads(item)["name"] for item in first.items + rest.items] == ["Two", "One"]
    assert [json.loads(item)["id"] for item in goals.items + later.items] == [str(GA), str(BETA)]
    for elsewhere in (await cycles_of(models, OTHER, ENG), await milestones_of(models, OTHER, ENG)):
        assert not elsewhere.size
    models_of: dict[str, Projection[Any]] = {"cycles": Cycles(), "milestones": Milestones()}
    for query in models.queries:
        plan = await store.explain(await live(store, models_of[query.model]), query)
        assert "by_org_project_id_deleted" in plan, f"{query}: {plan}"
        assert not [word for word in SLOW if word in plan], f"{query}: {plan}"
