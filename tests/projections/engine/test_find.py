"""Readers find what is theirs, a page at a time, by an index."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from pymongo import AsyncMongoClient
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from domain.base import TaskId, UserId
from domain.work.project import ProjectStatus
from domain.work.task.events import Priority, TaskAssigned, TaskDeleted, TaskStatus
from eventstore.memory import MemoryStore
from projections.catalog import PROJECTIONS, ensure_indexes
from projections.engine.checkpoints import Database, Pointers
from projections.engine.find import FoundPage, ReadModels
from projections.hooks.webhook import find_webhook, webhooks_of
from projections.identity.member import find_member, members_of
from projections.identity.organization import find_organization
from projections.identity.session import sessions_of
from projections.work.project import find_project, projects_of
from projections.work.task import TaskFilter, find_task, tasks_of_project
from tests.commands.acme import STRANGERS, task, went
from tests.domain.spec import ACME, ANA, BEN, CLEO, DAY, ENG, HOUR, NOW, OTHER, TASK
from tests.projections.spec import SESSION, WEBHOOK, a_busy_day, project_all
from tests.spec import on, opened, record

pytestmark = pytest.mark.servers


async def projected(database: Database, *more: Any) -> ReadModels:
    """Return models over a busy day and *more*."""
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=5)
        await record(log, *STRANGERS)
        await record(log, *more)
        for projection in PROJECTIONS:
            await project_all(projection, log, database)
    return ReadModels(database, Pointers(database))


def numbers(page: FoundPage) -> list[int]:
    return [json.loads(item)["number"] for item in page.items]


async def test_pages_of_tasks_follow_on_each_other_without_a_gap(database: Database) -> None:
    models = await projected(database)
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


async def test_tasks_are_found_by_what_they_are(database: Database) -> None:
    mine = UUID(int=900)
    models = await projected(
        database,
        on(mine, task(900), *went(TaskStatus.IN_PROGRESS), TaskAssigned(user_id=BEN)),
        on(UUID(int=901), task(901), TaskAssigned(user_id=BEN), TaskDeleted()),
    )
    wanted = TaskFilter(
        status=TaskStatus.IN_PROGRESS, priority=Priority.MEDIUM, assignee=UserId(BEN)
    )

    page = await tasks_of_project(models, ACME, ENG, wanted, limit=1)
    other = await tasks_of_project(models, ACME, ENG, TaskFilter(status=TaskStatus.IN_REVIEW))

    assert numbers(page) == [900]
    assert 900 not in numbers(other)


async def test_one_thing_is_found_by_its_id_in_its_own_organization_only(
    database: Database,
) -> None:
    models = await projected(database)

    for org_id, there in ((ACME, True), (OTHER, False)):
        found = [
            await find_task(models, org_id, TASK),
            await find_project(models, org_id, ENG),
            await find_webhook(models, org_id, WEBHOOK),
            await find_member(models, org_id, ANA),
        ]
        assert [one is not None for one in found] == [there] * 4
    assert await find_organization(models, ACME) is not None
    assert await find_task(models, ACME, TaskId(UUID(int=33))) is None


async def test_what_is_in_the_trash_is_not_there(database: Database) -> None:
    trashed = TaskId(UUID(int=900))
    models = await projected(database, on(trashed, task(900), TaskDeleted()))

    assert await find_task(models, ACME, trashed) is None


async def test_members_come_with_who_they_are_and_without_those_who_left(
    database: Database,
) -> None:
    models = await projected(database)

    first = await members_of(models, ACME, limit=1)
    rest = await members_of(models, ACME, after=first.next_key)
    members = [json.loads(item) for item in first.items + rest.items]

    assert [one["userId"] for one in members] == [str(ANA), str(BEN)]
    assert members[0] == {
        "userId": str(ANA),
        "role": "ADMIN",
        "active": True,
        "joinedAt": NOW.isoformat().replace("+00:00", "Z"),
        "user": {"id": str(ANA), "email": "ana@example.com", "name": "Ana", "active": True},
    }
    assert str(CLEO) not in [one["userId"] for one in members]


async def test_projects_are_listed_by_key_and_status(database: Database) -> None:
    models = await projected(database)

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
    database: Database, credentials: int, now: datetime, there: bool
) -> None:
    models = await projected(database)

    found = await sessions_of(models, ANA, credentials, now)

    assert [json.loads(one)["id"] for one in found] == [str(SESSION)] * there


async def test_webhooks_are_listed(database: Database) -> None:
    models = await projected(database)

    [found] = await webhooks_of(models, ACME)

    assert json.loads(found)["status"] == "ACTIVE"
    assert not await webhooks_of(models, OTHER)


async def test_what_was_never_projected_is_empty(database: Database) -> None:
    models = ReadModels(database, Pointers(database))

    assert await find_task(models, ACME, TASK) is None
    assert await tasks_of_project(models, ACME, ENG) == FoundPage([], None)


class Finds(CommandListener):
    """Keeps the models that a client sends."""

    def __init__(self) -> None:
        self.commands: list[dict[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name == "find":
            sent = ("find", "filter", "sort", "projection", "limit", "singleBatch")
            self.commands.append({key: event.command[key] for key in sent if key in event.command})

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Nothing to keep."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Nothing to keep."""


async def test_every_query_uses_an_index(database: Database, mongo_url: str) -> None:
    await projected(database)
    await ensure_indexes(database)
    finds = Finds()
    client = AsyncMongoClient[dict[str, Any]](mongo_url, event_listeners=[finds])
    models = ReadModels(client[database.name], Pointers(client[database.name]))
    wanted = TaskFilter(status=TaskStatus.TODO, assignee=UserId(ANA))

    for below in (None, 20):
        await tasks_of_project(models, ACME, ENG, limit=3, below=below)
        await tasks_of_project(models, ACME, ENG, wanted, limit=3, below=below)
    await find_task(models, ACME, TASK)
    for status in (None, ProjectStatus.ACTIVE):
        await projects_of(models, ACME, status)
        await projects_of(models, ACME, status, after="A")
    await members_of(models, ACME)
    await members_of(models, ACME, after=str(ANA))
    await find_member(models, ACME, ANA)
    await sessions_of(models, ANA, 0, NOW)
    await webhooks_of(models, ACME)
    await client.close()

    asked = [find for find in finds.commands if find["find"] != "pointers"]
    assert {find["find"] for find in asked} >= {"tasks_v1", "projects_v1", "users_v1"}
    for find in asked:
        plan = await database.command("explain", find)
        assert "COLLSCAN" not in str(plan["queryPlanner"]), find
