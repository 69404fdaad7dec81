"""Somebody's own work equals what a plain model of the tasks says, by both engines alike."""

import json
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from domain.base import ProjectId
from domain.work.task.events import (
    TaskAssigned,
    TaskCreated,
    TaskDeleted,
    TaskRestored,
    TaskSchedule,
    TaskScheduled,
    TaskStatusChanged,
    TaskUnassigned,
    TaskUnwatched,
    TaskWatched,
)
from domain.work.task.state import Task
from domain.work.workflow.events import FINISHED, StatusGroup
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from projections.catalog import PROJECTIONS
from projections.engine.find import ReadModels
from projections.engine.progress import Progress
from projections.engine.store import ReadStore
from projections.planning.my_work import Concern, work_of
from projections.work.task import Tasks
from projections.work.task_keys import changed_key, due_key, due_order
from tests.commands.acme import ACCOUNTS, HERE, OPS, task
from tests.domain.spec import ACME, ANA, BEN, CLEO, ENG, NOW, OTHER, TASK
from tests.projections.engine.test_find import SLOW, Asked
from tests.projections.spec import live, models_of, project_all
from tests.spec import on, opened, record

STEPS = 150
LAB = ProjectId(UUID(int=24))
"""A project that is hidden from those who ask."""
PEOPLE = (ANA, BEN, CLEO)


class Work:
    """Tasks as people work on them: their states, and when each changed last."""

    def __init__(self, log: EventLog, seed: int) -> None:
        self.log, self.chance = log, random.Random(seed)  # noqa: S311 - the same story each time
        self.tasks: dict[UUID, Task] = {TASK: Task().evolve(task(1))}
        self.changed: dict[UUID, datetime] = {TASK: NOW}

    async def step(self, number: int) -> None:
        """Let one thing happen to one task, or a new one be created."""
        if number % 5 == 0:
            stream = UUID(int=80_000 + number)
            project = self.chance.choice([ENG, OPS, LAB])
            await self._happen(stream, Task(), self._new(number, project))
            return
        stream = self.chance.choice([*self.tasks])
        known = self.tasks[stream]
        await self._happen(stream, known, self._something(known))

    def _new(self, number: int, project: ProjectId) -> TaskCreated:
        key = {ENG: "ENG", OPS: "OPS", LAB: "LAB"}[project]
        created = task(number + 1, by=self.chance.choice(PEOPLE), project=project, key=key)
        return replace(created, created_at=NOW + timedelta(seconds=number))

    def _something(self, known: Task) -> Any:
        if known.deleted:
            return TaskRestored()
        user = self.chance.choice(PEOPLE)
        due = TaskSchedule(due_date=(NOW + timedelta(days=self.chance.randint(-9, 9))).date())
        if self.chance.random() < 0.5:
            due = TaskSchedule(due_at=NOW + timedelta(hours=self.chance.randint(-99, 99)))
        status = self.chance.choice([*StatusGroup])
        possible: list[Any] = [
            TaskUnassigned(user_id=user) if user in known.assignees else TaskAssigned(user_id=user),
            TaskUnwatched(user_id=user) if user in known.watchers else TaskWatched(user_id=user),
            TaskScheduled(from_=known.schedule, to=due),
            TaskStatusChanged(from_=known.status, to=status.value, at=NOW),
        ]
        if self.chance.random() < 0.1:
            return TaskDeleted()
        return self.chance.choice(possible)

    async def _happen(self, stream: UUID, known: Task, event: Any) -> None:
        await record(self.log, on(stream, event))
        self.tasks[stream] = known.evolve(event)
        head = await self.log.organization_head(ACME)
        [recorded] = await self.log.decoded(await self.log.organization(ACME, head - 1, 1))
        self.changed[stream] = recorded.at

    def keys(self, concern: Concern, user: UUID, projects: set[UUID]) -> list[str]:
        """Return the keys of the tasks that concern *user*, in order."""
        concerns: dict[Concern, Callable[[Task], bool]] = {
            Concern.ASSIGNED: lambda one: user in one.assignees,
            Concern.CREATED: lambda one: user == one.created_by,
            Concern.WATCHED: lambda one: user in one.watchers,
            Concern.DUE: lambda one: user in one.assignees and due_key(one) is not None,
        }
        found = [
            (stream, one)
            for stream, one in self.tasks.items()
            if one.project_id in projects and not one.deleted and one.group not in FINISHED
            if concerns[concern](one)
        ]
        if concern is Concern.DUE:
            return [one.key for _, one in sorted(found, key=lambda each: due_order(each[1]))]
        found.sort(key=lambda each: changed_key(each[1], self.changed[each[0]]) or "", reverse=True)
        return [one.key for _, one in found]


async def whole(models: ReadModels, concern: Concern, user: Any, projects: Any) -> list[str]:
    """Return the keys of the tasks in a list, read three at a time."""
    found: list[str] = []
    after: Any = None
    while True:
        page = await work_of(models, ACME, [*projects], user, concern, 3, after)
        found += [json.loads(item)["key"] for item in page.items]
        after = page.next_key
        if after is None:
            return found


@pytest.mark.parametrize("seed", [1, 2])
async def test_my_work_equals_what_people_did_with_the_tasks(store: ReadStore, seed: int) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE)
        work = Work(log, seed)
        for number in range(1, STEPS):
            await work.step(number)
        await project_all(log, store)
        models = models_of(store)

        sizes = dict.fromkeys(Concern, 0)
        for user in PEOPLE:
            for concern in Concern:
                found = await whole(models, concern, user, [ENG, OPS])
                assert found == work.keys(concern, user, {ENG, OPS}), (user, concern)
                sizes[concern] += len(found)
        assert min(sizes.values()) > 1
        assert {key[:3] for key in await whole(models, Concern.WATCHED, ANA, [ENG])} == {"ENG"}


async def test_nobody_has_work_in_no_project_or_another_organization(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE)
        await project_all(log, store)
    models = models_of(store)

    for concern in Concern:
        assert not (await work_of(models, ACME, [], ANA, concern)).size
        assert not (await work_of(models, OTHER, [ENG], ANA, concern)).size


async def test_an_index_answers_every_list_of_my_work(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE)
        await project_all(log, store)
    (models := Asked(store, Progress(store), PROJECTIONS)).queries = []

    for concern in Concern:
        for after in (None, "2026"):
            await work_of(models, ACME, [ENG, OPS], ANA, concern, 5, after)

    target = await live(store, Tasks())
    assert models.queries
    for query in models.queries:
        plan = await store.explain(target, query)
        assert "by_org_project_id_deleted" in plan, f"{query}: {plan}"
        assert not [word for word in SLOW if word in plan], f"{query}: {plan}"
