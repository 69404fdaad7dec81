"""Readers find what is theirs, a page at a time, by an index."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from domain.base import TaskId, UserId
from domain.identity.organization.membership import Role
from domain.work.project.events import ProjectStatus
from domain.work.task.events import Priority, TaskAssigned, TaskDeleted, TaskStatus
from eventstore.memory import MemoryStore
from projections.catalog import PROJECTIONS
from projections.engine.find import ReadModels
from projections.engine.progress import Progress
from projections.engine.query import ListSlice, Query
from projections.engine.store import ReadStore, Rebuilding
from projections.hooks.webhook import webhooks_of
from projections.identity.member import MemberFilter, find_member, members_of
from projections.identity.session import sessions_of
from projections.work.attachment import attachments_of
from projections.work.comment import comments_of
from projections.work.label import labels_of
from projections.work.project import projects_of
from projections.work.task import Tasks
from projections.work.task_filter import TaskFilter
from projections.work.task_list import find_tasks, tasks_of_project
from projections.work.task_query import Lane
from projections.work.team import teams_of
from tests.commands.acme import ANSWER, COMMENT, FILE, STRANGERS, task, went
from tests.domain.spec import ACME, ANA, BEN, DAY, ENG, HOUR, NOW, OTHER, TASK
from tests.projections.engine.content import ask_about_content
from tests.projections.places import ask_places
from tests.projections.spec import SESSION, WEBHOOK, a_busy_day, live, models_of, project_all
from tests.projections.task_lists import ask_task_lists
from tests.spec import on, opened, record


async def projected(store: ReadStore, *more: Any, only: Any = PROJECTIONS) -> ReadModels:
    """Return read models over a busy day and *more*."""
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=5)
        await record(log, *STRANGERS)
        await record(log, *more)
        await project_all(log, store, only)
    return models_of(store, only)


def numbers(page: ListSlice) -> list[int]:
    return [json.loads(item)["number"] for item in page.items]


async def test_pages_of_tasks_follow_on_each_other_without_a_gap(store: ReadStore) -> None:
    models = await projected(store)
    everything = await tasks_of_project(models, ACME, ENG, limit=100)
    found: list[int] = []
    below: int | None = None
    while True:
        page = await tasks_of_project(models, ACME, ENG, limit=4, below=below)
        found += numbers(page)
        below = page.next_key
        if below is None:
            break

    assert found == numbers(everything)
    assert found == sorted(found, reverse=True)
    assert len(found) > 15


async def test_tasks_are_found_by_their_values(store: ReadStore) -> None:
    mine = UUID(int=900)
    models = await projected(
        store,
        on(mine, task(900), *went(TaskStatus.IN_PROGRESS), TaskAssigned(user_id=BEN)),
        on(UUID(int=901), task(901), TaskAssigned(user_id=BEN), TaskDeleted()),
    )
    wanted = TaskFilter(priorities=(Priority.MEDIUM,), assignees=(UserId(BEN),))
    begun, reviewed = (Lane((ENG,), (s,)) for s in (TaskStatus.IN_PROGRESS, TaskStatus.IN_REVIEW))

    page = await find_tasks(models, ACME, [begun], wanted, limit=1)
    other = await find_tasks(models, ACME, [reviewed])

    assert numbers(page) == [900]
    assert 900 not in numbers(other)


async def test_one_thing_is_found_by_its_id_in_its_own_organization_only(
    store: ReadStore,
) -> None:
    models = await projected(store)

    for org_id, there in ((ACME, True), (OTHER, False)):
        found = [
            await models.one("tasks", org_id, TASK),
            await models.one("projects", org_id, ENG),
            await models.one("webhooks", org_id, WEBHOOK),
            await find_member(models, org_id, ANA),
        ]
        assert [one is not None for one in found] == [there] * 4
    assert await models.one("tasks", ACME, TaskId(UUID(int=33))) is None


async def test_a_resource_in_the_trash_is_not_found(store: ReadStore) -> None:
    trashed = TaskId(UUID(int=900))
    models = await projected(store, on(trashed, task(900), TaskDeleted()))

    assert await models.one("tasks", ACME, trashed) is None


async def test_projects_are_listed_by_key_and_status(store: ReadStore) -> None:
    models = await projected(store)

    held = await projects_of(models, ACME, ProjectStatus.ON_HOLD)
    active = await projects_of(models, ACME, ProjectStatus.ACTIVE)
    after = await projects_of(models, ACME, after="ENG")

    assert [json.loads(item)["key"] for item in held.items] == ["ENG"]
    assert not active.items
    assert not after.items


@pytest.mark.parametrize(
    ("credentials", "now", "there"),
    [(0, NOW, True), (0, NOW + 7 * DAY, False), (1, NOW, False), (0, NOW + 7 * DAY - HOUR, True)],
)
async def test_sessions_are_listed_while_they_are_good(
    store: ReadStore, credentials: int, now: datetime, there: bool
) -> None:
    models = await projected(store)

    found = await sessions_of(models, ANA, credentials, now)

    assert [json.loads(one)["id"] for one in found.items] == [str(SESSION)] * there


async def test_comments_are_listed_by_task_and_thread(store: ReadStore) -> None:
    models = await projected(store)

    first = await comments_of(models, ACME, TASK, limit=1)
    rest = await comments_of(models, ACME, TASK, after=first.next_key)
    answers = await comments_of(models, ACME, TASK, COMMENT)

    for found, expected in ((first, COMMENT), (rest, ANSWER), (answers, ANSWER)):
        assert [json.loads(item)["id"] for item in found.items] == [str(expected)]
    assert not (await comments_of(models, OTHER, TASK)).size


async def test_attachments_are_listed_by_task(store: ReadStore) -> None:
    models = await projected(store)

    [found] = (await attachments_of(models, ACME, TASK)).items

    assert json.loads(found)["id"] == str(FILE)


async def test_webhooks_are_listed(store: ReadStore) -> None:
    models = await projected(store)

    [found] = (await webhooks_of(models, ACME)).items

    assert json.loads(found)["status"] == "ACTIVE"
    assert not (await webhooks_of(models, OTHER)).size


async def test_a_model_that_was_never_projected_is_not_shown_as_empty(store: ReadStore) -> None:
    models = models_of(store)

    with pytest.raises(Rebuilding):
        await models.one("tasks", ACME, TASK)
    with pytest.raises(Rebuilding):
        await tasks_of_project(models, ACME, ENG)


@pytest.mark.parametrize("priority", [None, Priority.HIGH])
@pytest.mark.parametrize("status", [None, TaskStatus.TODO])
@pytest.mark.parametrize("assignee", [None, UserId(ANA)])
async def test_every_combination_of_filters_finds_what_it_says(
    store: ReadStore,
    status: TaskStatus | None,
    priority: Priority | None,
    assignee: UserId | None,
) -> None:
    models = await projected(store)
    everything = [json.loads(i) for i in (await tasks_of_project(models, ACME, ENG)).items]
    lane = Lane((ENG,), None if status is None else (status,))
    wanted = TaskFilter(
        priorities=(priority,) if priority else (), assignees=(assignee,) if assignee else ()
    )

    found = await find_tasks(models, ACME, [lane], wanted, limit=100)

    assert numbers(found) == [
        one["number"]
        for one in everything
        if status in (None, one["status"])
        and priority in (None, one["priority"])
        and (assignee is None or str(assignee) in one["assignees"])
    ]


async def test_a_filter_that_finds_little_still_fills_its_page(
    store: ReadStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("query", "sqlite.pages", "mongo.store"):  # rows that are looked at in one go
        monkeypatch.setattr(f"projections.engine.{module}.RESIDUAL_ROWS_MAX", 2)
    monkeypatch.setattr("projections.engine.find.FILLING_MAX_S", 60.0)
    rare = [n for n in range(100, 326) if n % 75 == 0]
    many = [
        on(
            UUID(int=10_000 + n),
            task(n),
            TaskAssigned(user_id=BEN),
            *(went(TaskStatus.IN_PROGRESS) if n in rare else ()),
        )
        for n in range(100, 326)
    ]
    models = await projected(store, *many, only=[Tasks()])
    wanted, lanes = TaskFilter(assignees=(UserId(BEN),)), [Lane((ENG,), (TaskStatus.IN_PROGRESS,))]

    first = await find_tasks(models, ACME, lanes, wanted, limit=2)
    rest = await find_tasks(models, ACME, lanes, wanted, limit=50, after=first.next_key)

    assert numbers(first) == rare[:-3:-1]
    assert numbers(rest)[: len(rare) - 2] == rare[-3::-1]


class Asked(ReadModels):
    """Keeps every query that the lists send."""

    queries: list[Query]

    async def pages(self, *queries: Query) -> list[ListSlice]:
        self.queries += queries
        return await super().pages(*queries)


SLOW = ("SCAN d", "SCAN s", "TEMP B-TREE", "COLLSCAN")
"""What an engine says of a query that no index answers."""


async def every_query(store: ReadStore) -> Sequence[Query]:
    """Return all queries that lists can send, with every combination of filters."""
    (models := Asked(store, Progress(store), PROJECTIONS)).queries = []
    await ask_task_lists(models)
    for project_status in (None, ProjectStatus.ACTIVE):
        await projects_of(models, ACME, project_status)
        await projects_of(models, ACME, project_status, after="A")
    for project_id in (None, ENG):
        await labels_of(models, ACME, project_id, after="A")
        await labels_of(models, ACME, project_id)
        await projects_of(models, ACME, project_status, hidden=frozenset({ENG}))
    for member in (None, BEN):
        await teams_of(models, ACME, member)
        await teams_of(models, ACME, member, after="A")
    for after in (None, str(COMMENT)):
        await ask_places(models, after)
    await ask_about_content(models)
    for role in (None, Role.ADMIN):
        for active in (None, False):
            await members_of(models, ACME, MemberFilter(role, active))
            await members_of(models, ACME, MemberFilter(role, active, "a"), after=str(ANA))
    await sessions_of(models, ANA, 0, NOW)
    await webhooks_of(models, ACME)
    return models.queries


async def test_every_list_is_answered_by_its_index_alone(store: ReadStore) -> None:
    await projected(store)
    models = {projection.name: projection for projection in PROJECTIONS}
    asked = await every_query(store)

    listed = (
        "tasks comments attachments activity projects labels members sessions webhooks teams trash"
    )
    assert {query.model for query in asked} == {*listed.split()}
    for query in asked:
        plan = await store.explain(await live(store, models[query.model]), query)
        if query.put_in_order:  # the same
            assert "by_org_project_id_deleted" in plan, f"{query}: {plan}"
            continue
        if query.among is not None:  # up to some documents, which may be sorted, or none at all
            assert any(one in plan for one in ("autoindex", "_id", "EOF")), f"{query}: {plan}"
            continue
        assert "by_" in plan, f"{query}: {plan}"
        assert not [word for word in SLOW if word in plan], f"{query}: {plan}"
