"""Task templates are listed as a plain model of them says, by both engines alike."""

import json
import random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st
from msgspec.structs import asdict

from domain.base import OrgId, ProjectId
from domain.name import folded
from domain.planning.template.events import (
    TemplateDeleted,
    TemplateEvent,
    TemplateFieldsChanged,
    TemplatePurged,
    TemplateRenamed,
    TemplateRestored,
    TemplateSubtasksChanged,
    TemplateTitled,
    TemplateValuesChanged,
)
from domain.planning.template.state import TaskTemplate
from domain.planning.template.values import LEFT_OPEN, StartingValues
from domain.work.task.events import Priority
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from projections.base import Document
from projections.catalog import PROJECTIONS
from projections.engine.folding import Folder
from projections.engine.progress import Progress
from projections.engine.store import ReadStore
from projections.planning.template import Templates, templates_of
from tests.commands.acme import ACCOUNTS, HERE, OPS
from tests.commands.planning.plans import BETA, BUG_FORM, ONE, OTHER_PROJECT, template
from tests.commands.planning.templates import BUG
from tests.domain.spec import ACME, ANA, CLEO, ENG, OTHER, QUICK, events_of
from tests.domain.spec import given as state_after
from tests.projections.engine.test_find import SLOW, Asked
from tests.projections.spec import live, models_of, project_all, story, to_the_end
from tests.spec import on, opened, record

STEPS = 120
PLACES = (None, ENG, OPS)
VALUES = StartingValues(
    status="TODO",
    priority=Priority.HIGH,
    estimate=3,
    labels=(BUG,),
    assignees=(ANA, CLEO),
    start_in=1,
    due_in=2,
    cycle_id=ONE,
    milestone_id=BETA,
)


class Forms:
    """Templates as people change them: their states, without any list."""

    def __init__(self, log: EventLog, seed: int) -> None:
        self.log, self.chance = log, random.Random(seed)  # noqa: S311 - the same story each time
        self.templates: dict[UUID, TaskTemplate] = {}

    async def step(self, number: int) -> None:
        """Let one thing happen to one template, or a new one be created."""
        if number % 4 == 0:
            stream, place = UUID(int=70_000 + number), self.chance.choice(PLACES)
            await self._happen(stream, template(f"Form {number}", place, values=VALUES))
            return
        stream = self.chance.choice([*self.templates])
        event = self._something(self.templates[stream], number)
        if event is not None:
            await self._happen(stream, event)

    def _something(self, known: TaskTemplate, number: int) -> TemplateEvent | None:
        if known.purged:
            return None
        if known.deleted:
            ends: list[TemplateEvent] = [TemplateRestored(), TemplatePurged()]
            return self.chance.choice(ends)
        values = StartingValues(estimate=number)
        possible: list[TemplateEvent] = [
            TemplateRenamed(from_=known.name, to=f"form {self.chance.randint(0, 99)}-{number}"),
            TemplateTitled(from_=known.title, to=f"Title {number}"),
            TemplateValuesChanged(from_=known.values, to=values),
            TemplateFieldsChanged(fields='{"size":"s"}'),
            TemplateSubtasksChanged(subtasks=(values,), subtask_titles=f"Part {number}"),
            TemplateDeleted(project_id=known.project_id),
        ]
        return self.chance.choice(possible)

    async def _happen(self, stream: UUID, event: TemplateEvent) -> None:
        await record(self.log, on(stream, event))
        self.templates[stream] = self.templates.get(stream, TaskTemplate()).evolve(event)

    def names(self, place: ProjectId | None) -> list[str]:
        """Return the names of the templates of a place, as its list shows them."""
        known = self.templates.values()
        found = [one.name for one in known if one.project_id == place and not one.deleted]
        return sorted(found, key=folded)


async def listed(models: Any, place: ProjectId | None, org: OrgId = ACME) -> list[Any]:
    found: list[Any] = []
    after: str | None = None
    while True:
        page = await templates_of(models, org, place, 3, after)
        found += [json.loads(item) for item in page.items]
        after = page.next_key
        if after is None:
            return found


@pytest.mark.parametrize("seed", [1, 2])
async def test_lists_show_what_a_plain_model_has(store: ReadStore, seed: int) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE, OTHER_PROJECT)
        forms = Forms(log, seed)
        for number in range(STEPS):
            await forms.step(number)
            if number == 30:
                projector = await project_all(log, store)
        await to_the_end(projector)

    for place in PLACES:
        shown = await listed(models_of(store), place)
        assert [each["name"] for each in shown] == forms.names(place)
        for each in shown:
            known = forms.templates[UUID(each["id"])]
            assert each["task"]["title"] == known.title
            assert each["task"]["estimate"] == known.estimate
            assert [one["title"] for one in each["subtasks"]] == [*known.subtask_titles]
        assert await listed(models_of(store), place, OTHER) == []


async def test_templates_are_listed_by_their_index(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE, on(BUG_FORM, template("One")))
        await project_all(log, store)
    (models := Asked(store, Progress(store), PROJECTIONS)).queries = []

    assert [each["name"] for each in await listed(models, ENG)] == ["One"]

    [query] = models.queries
    plan = await store.explain(await live(store, Templates()), query)
    assert "by_org_project_id_deleted_order" in plan
    assert not [word for word in SLOW if word in plan]


def test_readers_see_all_that_a_template_lets_tasks_start_with() -> None:
    full = template(
        "Full",
        description="For all",
        title="A bug",
        text="Steps:",
        values=VALUES,
        fields='{"size":"s","cost":3,"tags":["a","b"]}',
        subtasks=(VALUES, LEFT_OPEN),
        subtask_titles="One\nTwo",
    )
    [document] = _folded([full], []).values()

    shown = json.loads(document.json)

    assert shown["description"] == "For all"
    assert shown["task"] == {
        "title": "A bug",
        "description": "Steps:",
        "fields": {"size": "s", "cost": 3, "tags": ["a", "b"]},
        "status": "TODO",
        "priority": "HIGH",
        "estimate": 3,
        "labels": [str(BUG)],
        "assignees": [str(ANA), str(CLEO)],
        "startIn": 1,
        "dueIn": 2,
        "cycleId": str(ONE),
        "milestoneId": str(BETA),
    }
    assert [each["title"] for each in shown["subtasks"]] == ["One", "Two"]
    assert shown["subtasks"][0]["priority"] == "HIGH"
    assert shown["subtasks"][1]["priority"] is None


def _folded(events: list[TemplateEvent], again: list[int]) -> dict[str, Document]:
    """Return the documents of one template, with some events that come for a second time."""
    projection, documents = Templates(), dict[str, Document]()
    told = story(UUID(int=1), *events)
    for number, event in enumerate(told):
        come = [event, *(told[earlier] for earlier in again if earlier <= number)]
        for one in come:
            folder = Folder(projection, "shown", strict=True)
            folder.begin([one])
            folder.know(documents.values())
            documents.update({each.id: each for each in folder.fold().documents})
    return documents


@QUICK
@forall(
    st.lists(events_of(TemplateEvent), max_size=10),
    st.lists(st.integers(min_value=0, max_value=10), max_size=3),
)
def test_a_document_is_the_state_however_often_events_come(
    events: list[TemplateEvent], again: list[int]
) -> None:
    events = [template("First"), *events]
    [document] = _folded(events, again).values()

    state = state_after(TaskTemplate(), *events)
    assert Templates().state_of(document) == state
    assert document.deleted is state.deleted
    assert set(asdict(state)) - {"deleted"} <= set(document.fields)
