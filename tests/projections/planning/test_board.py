"""A board shows the tasks of a project in columns, by both engines alike."""

import json
import random
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from commands.plan_counts import tasks_in
from domain.work.task.events import TaskDeleted, TaskRanked, TaskRestored, TaskStatusChanged
from domain.work.task.rank import rank_of_number
from domain.work.workflow.events import Guard, StatusGroup, StatusRule, Transition, WorkflowDefined
from domain.work.workflow.state import STANDARD, Workflow
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from projections.catalog import PROJECTIONS
from projections.engine.find import ReadModels
from projections.engine.progress import Progress
from projections.engine.query import ListSlice
from projections.engine.store import ReadStore
from projections.planning.board import columns_of
from projections.work.task import Tasks
from tests.commands.acme import ACCOUNTS, HERE, OPS, task
from tests.domain.spec import ACME, ENG, NOW, OTHER, TASK
from tests.projections.engine.test_find import SLOW, Asked
from tests.projections.spec import live, models_of, project_all
from tests.spec import on, opened, record

STEPS, FEW = 150, 2
NEW = WorkflowDefined(
    version=9,
    statuses=(
        StatusRule(key="DONE", group=StatusGroup.DONE),
        StatusRule(key="NEXT", group=StatusGroup.TODO, wip_limit=3),
        StatusRule(key="IN_PROGRESS", group=StatusGroup.IN_PROGRESS),
    ),
    names="Done\nNext\nDoing",
    transitions=(
        Transition(from_="NEXT", to="IN_PROGRESS", guards=(Guard.NO_OPEN_BLOCKER,)),
        Transition(from_="IN_PROGRESS", to="DONE"),
    ),
    moved={"TODO": "NEXT", "IN_REVIEW": "NEXT", "CANCELLED": "DONE"},
)
"""Other columns in another order; the tasks of three of the old ones are in them now."""


class Cards:
    """A board as people move cards about on it: a plain dictionary, and the events that follow."""

    def __init__(self, log: EventLog, seed: int) -> None:
        self.log, self.chance = log, random.Random(seed)  # noqa: S311 - the same story each time
        self.cards: dict[UUID, dict[str, Any]] = {TASK: card(1, ENG)}

    async def step(self) -> None:
        """Let one thing happen to one task, or a new one be created."""
        here = [each for each, card in self.cards.items() if not card["trash"]]
        if len(here) < 5 or self.chance.random() < 0.25:
            await self._create()
            return
        chosen = self.chance.choice([*self.cards])
        known = self.cards[chosen]
        if known["trash"]:
            event: Any = TaskRestored()
            known["trash"] = False
        elif self.chance.random() < 0.1:
            event = TaskDeleted()
            known["trash"] = True
        elif self.chance.random() < 0.4:
            to = f"{self.chance.choice('abcdef')}{known['number']:04}"
            event = TaskRanked(from_=known["rank"], to=to)
            known["rank"] = to
        else:
            group = self.chance.choice([*StatusGroup])
            event = moved(known["status"], group)
            known["status"] = group.value
        await record(self.log, on(chosen, event))

    async def _create(self) -> None:
        number = len(self.cards) + 1
        stream = UUID(int=70_000 + number)
        project = OPS if self.chance.random() < 0.2 else ENG
        await record(self.log, on(stream, replace(task(number), project_id=project)))
        self.cards[stream] = card(number, project)

    def columns(self, workflow: Workflow) -> list[list[int]]:
        """Return the numbers of the tasks in each column."""
        columns: dict[str, list[dict[str, Any]]] = {one.key: [] for one in workflow.statuses}
        for known in self.cards.values():
            if known["project"] == ENG and not known["trash"]:
                status = workflow.moved.get(known["status"], known["status"])
                columns[status].append(known)
        return [
            [known["number"] for known in sorted(column, key=lambda one: one["rank"])]
            for column in columns.values()
        ]


def card(number: int, project: UUID) -> dict[str, Any]:
    """Return a new task."""
    rank = rank_of_number(number)
    return {"number": number, "project": project, "status": "TODO", "rank": rank, "trash": False}


def moved(from_: str, to: StatusGroup) -> TaskStatusChanged:
    return TaskStatusChanged(from_=from_, to=to.value, at=NOW)


def numbers(column: ListSlice) -> list[int]:
    return [json.loads(item)["number"] for item in column.items]


async def whole(models: ReadModels, workflow: Workflow) -> list[list[int]]:
    """Return the numbers of the tasks in each column, read a page of two at a time."""
    pages = await columns_of(models, ACME, ENG, workflow, workflow.statuses, FEW)
    found: list[list[int]] = []
    for status, first in zip(workflow.statuses, pages, strict=True):
        page, told = first, numbers(first)
        while page.next_key is not None:
            [page] = await columns_of(models, ACME, ENG, workflow, [status], FEW, page.next_key)
            told += numbers(page)
        found.append(told)
    return found


async def counted(log: EventLog, workflow: Workflow) -> list[int]:
    return [
        sum(await log.counted(*(tasks_in(ACME, ENG, key) for key in workflow.keys_of(one.key))))
        for one in workflow.statuses
    ]


@pytest.mark.parametrize("seed", [1, 2])
async def test_columns_equal_what_people_did_with_the_cards(store: ReadStore, seed: int) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE)
        cards = Cards(log, seed)
        for _ in range(STEPS):
            await cards.step()
        await project_all(log, store)
        models = models_of(store)

        found = await whole(models, STANDARD)
        assert found == cards.columns(STANDARD)
        assert await counted(log, STANDARD) == [len(column) for column in found]

        await record(log, on(ENG, NEW))
        await project_all(log, store)
        after = STANDARD.evolve(NEW)

        again = await whole(models, after)
        assert again == cards.columns(after)
        assert await counted(log, after) == [len(column) for column in again]
        assert sum(map(len, again)) == sum(map(len, found)) > FEW * len(again)


async def test_tasks_are_shown_in_the_status_of_their_column(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE)
        await record(log, on(UUID(int=70_002), task(2)))
        await project_all(log, store)
    workflow = STANDARD.evolve(NEW)

    columns = await columns_of(models_of(store), ACME, ENG, workflow, workflow.statuses)

    shown = [json.loads(item) for item in columns[1].items]
    assert {(one["status"], one["group"]) for one in shown} == {("NEXT", "TODO")}


async def test_another_organization_has_empty_columns(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE)
        await project_all(log, store)

    columns = await columns_of(models_of(store), OTHER, ENG, STANDARD, STANDARD.statuses)

    assert [column.size for column in columns] == [0] * len(STANDARD.statuses)


@pytest.mark.parametrize("after", [None, "A"])
async def test_an_index_answers_every_column(store: ReadStore, after: str | None) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE)
        await project_all(log, store)
    (models := Asked(store, Progress(store), PROJECTIONS)).queries = []
    workflow = STANDARD.evolve(NEW)

    await columns_of(models, ACME, ENG, workflow, workflow.statuses, 5, after)

    assert len(models.queries) == 3
    target = await live(store, Tasks())
    for query in models.queries:
        plan = await store.explain(target, query)
        assert "by_org_project_id_deleted_status_place" in plan, f"{query}: {plan}"
        # SQLite may merge the few rows of the statuses that lead to a column: the index sorts each.
        slow = [word for word in SLOW if word in plan and word != "TEMP B-TREE"]
        assert slow == [], f"{query}: {plan}"
