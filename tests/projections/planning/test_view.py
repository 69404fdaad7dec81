"""Saved views are listed by an index: shared ones, and one's own."""

import json
from uuid import UUID

from domain.base import OrgId, ProjectId, UserId
from domain.planning.criteria import Criteria, criteria_texts
from domain.planning.view import SavedView, ViewCreated, ViewDeleted, ViewShared
from domain.work.task.events import Priority
from eventstore.memory import MemoryStore
from projections.catalog import PROJECTIONS
from projections.engine.progress import Progress
from projections.engine.store import ReadStore
from projections.planning.view import Views, criteria_of, views_of
from tests.commands.acme import ACCOUNTS, HERE
from tests.commands.planning.plans import LATE, OTHER_PROJECT, view
from tests.domain.spec import ACME, ANA, BEN, CLEO, ENG, NOW, OTHER
from tests.projections.engine.test_find import SLOW, Asked
from tests.projections.spec import live, project_all
from tests.spec import on, opened, record


async def test_views_are_listed_by_their_index(store: ReadStore) -> None:
    everywhere = view("Everywhere", None)
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE, OTHER_PROJECT, on(LATE, view()))
        await record(
            log,
            on(UUID(int=201), view("Late", by=CLEO, shared=False)),
            on(UUID(int=202), view("Bens", by=BEN, shared=False)),
            on(UUID(int=203), view("Became shared", by=BEN, shared=False), ViewShared()),
            on(UUID(int=204), view("Gone"), ViewDeleted()),
            on(UUID(int=205), everywhere),
        )
        await project_all(log, store)
    (models := Asked(store, Progress(store), PROJECTIONS)).queries = []

    async def names(user: UserId, project: ProjectId | None = ENG, org: OrgId = ACME) -> list[str]:
        found: list[str] = []
        after: str | None = None
        while True:
            page = await views_of(models, org, user, project, 1, after)
            found += [json.loads(item)["name"] for item in page.items]
            after = page.next_key
            if after is None:
                return found

    assert await names(ANA) == ["Became shared", "Late"]
    assert await names(BEN) == ["Became shared", "Bens", "Late"]
    assert await names(CLEO) == ["Became shared", "Late", "Late"]
    assert await names(CLEO, None) == ["Everywhere"]
    assert await names(ANA, org=OTHER) == []
    for query in models.queries:
        plan = await store.explain(await live(store, Views()), query)
        assert "by_org_audience_deleted" in plan, f"{query}: {plan}"
        assert not [word for word in SLOW if word in plan], f"{query}: {plan}"


def test_readers_see_the_filters_that_were_saved() -> None:
    saved = Criteria(
        status=("TODO", "DONE"),
        priority=(Priority.LOW,),
        assignee=(str(ANA), "me", "none"),
        overdue=True,
        blocked=False,
    )
    created = ViewCreated(
        name="X", criteria=saved, values="size:s,cost:1", created_by=ANA, created_at=NOW
    )
    shown = criteria_of(SavedView().evolve(created))

    assert shown.status == ["TODO", "DONE"]
    assert shown.priority == [Priority.LOW]
    assert shown.assignee == [str(ANA), "me", "none"]
    assert (shown.overdue, shown.blocked) == (True, False)
    assert shown.field == ["size:s", "cost:1"]
    assert criteria_texts(Criteria()) == ()
