"""Lists filtered by custom fields equal a model: any texts, choices of them, and ranges."""

import json
import random
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from msgspec.structs import replace

from api.work.tasks.field_values import asked_values
from domain.base import LabelId, ProjectId
from domain.planning.field_value import NamedValue
from domain.work.task.custom_field import FieldType, TaskFieldSet
from domain.work.task.events import Priority, TaskLabelled
from eventstore.memory import MemoryStore
from projections.engine.find import ReadModels
from projections.engine.progress import Progress
from projections.engine.sqlite import rows
from projections.engine.store import ReadStore
from projections.work import task_list
from projections.work.field_order.sorting import FieldOrder
from projections.work.field_order.walking import FieldWalk, tasks_in_field_order
from projections.work.task import Tasks
from projections.work.task_filter import EVERY_TASK, TaskFilter
from projections.work.task_list import find_tasks, find_tasks_by_key
from projections.work.task_query import Lane, TaskOrder, TaskSort, task_plans
from tests.commands.acme import OPS, task
from tests.domain.spec import ACME, ENG
from tests.projections.engine.test_find import Asked
from tests.projections.spec import live, models_of, project_all
from tests.spec import on, opened, record

KINDS = {
    "note": FieldType.TEXT,
    "cost": FieldType.NUMBER,
    "day": FieldType.DATE,
    "tags": FieldType.MULTI_SELECT,
}
LONG = "x" * 99 + ", \U0001f600" + "y" * 898
TEXTS = (
    *("a,b", ",", '"', 'say "no", or \\', "\\", "2..8", "5", "2026-03-02", "Straße", "STRASSE"),
    *("e\u0301", "\u00e9", "\u4e2d\u6587, \u3002", "a\nb", "x" * 100, "x" * 101, LONG, LONG[:-1]),
)
NUMBERS = ("-7", "-0.5", "0", "2", "2.5", "5", "1000000000000000")
DAYS = ("2025-12-31", "2026-03-01", "2026-03-02", "2026-03-20", "9999-12-31")
TAGS = ("a", "b", "c")
Model = Mapping[str, tuple[Mapping[str, tuple[FieldType, str]], Priority, bool]]
"""By key: the values of a task as events hold them, its priority, and whether it has a label."""
LABEL = LabelId(UUID(int=70))
LANES = [Lane((ENG, OPS))]
ALONE = [Lane((ENG,), key="ENG"), Lane((OPS,), key="OPS")]


def kind_of(project: ProjectId, key: str) -> FieldType:
    """Return the type of a field: in one project, all notes are numbers, and costs are texts."""
    swapped = {"note": FieldType.NUMBER, "cost": FieldType.TEXT, "day": FieldType.TEXT}
    return swapped.get(key, KINDS[key]) if project == OPS else KINDS[key]


def value_of(kind: FieldType, chance: random.Random) -> str:
    if kind is FieldType.MULTI_SELECT:
        return "\n".join(sorted(chance.sample(TAGS, chance.randrange(1, 4))))
    values = {FieldType.NUMBER: NUMBERS, FieldType.DATE: DAYS, FieldType.TEXT: TEXTS}
    return chance.choice(values[kind])


async def history(log: Any, chance: random.Random) -> Model:
    """Record tasks of two projects, whose values change; return what they are in the end."""
    model: dict[str, tuple[Mapping[str, tuple[FieldType, str]], Priority, bool]] = {}
    for n in range(1, 61):
        project, name = chance.choice([(ENG, "ENG"), (OPS, "OPS")])
        priority = chance.choice([Priority.URGENT, Priority.LOW])
        events: list[Any] = [replace(task(n, project=project, key=name), priority=priority)]
        labelled = chance.random() < 0.5
        events += [TaskLabelled(label_id=LABEL)] * labelled
        values: dict[str, tuple[FieldType, str]] = {}
        for _ in range(chance.randrange(9)):
            key = chance.choice([*KINDS])
            kind = kind_of(project, key)
            value = value_of(kind, chance) if chance.random() < 0.8 else None
            events.append(TaskFieldSet(key=key, kind=kind, to=value))
            values.pop(key, None)
            if value is not None:
                values[key] = (kind, value)
        await record(log, on(UUID(int=1_000 + n), *events))
        model[f"{name}-{n}"] = (values, priority, labelled)
    return model


class Range(NamedTuple):
    """A range, as people mean it."""

    kind: FieldType
    low: str
    high: str

    @property
    def told(self) -> str:
        return f"{self.low}..{self.high}"

    def has(self, kind: FieldType, value: str) -> bool:
        comparable: Any = float if kind is FieldType.NUMBER else str
        if kind is not self.kind:
            return False
        at = comparable(value)
        return (not self.low or comparable(self.low) <= at) and (
            not self.high or at <= comparable(self.high)
        )


Wanted = Mapping[str, Sequence[str | Range]]


def asked_at_random(chance: random.Random) -> Wanted:
    """Return what is asked for of some fields: texts and ranges."""
    wanted: dict[str, list[str | Range]] = {}
    for key in chance.sample([*KINDS], chance.randrange(1, 3)):
        for _ in range(chance.randrange(1, 4)):
            some: Sequence[str] = chance.choice([NUMBERS, DAYS])
            low, high = chance.choice(["", *some]), chance.choice(["", *some])
            kind = FieldType.NUMBER if some is NUMBERS else FieldType.DATE
            is_range = chance.random() < 0.5 and (low or high)
            text = value_of(kind_of(chance.choice([ENG, OPS]), key), chance).partition("\n")[0]
            one = Range(kind, low, high) if is_range else text
            wanted.setdefault(key, []).append(one)
    return wanted


def is_wanted(values: Mapping[str, tuple[FieldType, str]], wanted: Wanted) -> bool:
    def matches(key: str, one: str | Range) -> bool:
        kind, value = values[key]
        if isinstance(one, Range):
            return one.has(kind, value)
        return one in (value.split("\n") if kind is FieldType.MULTI_SELECT else [value])

    return all(
        key in values and any(matches(key, one) for one in some) for key, some in wanted.items()
    )


def filter_of(wanted: Wanted) -> TaskFilter:
    named = [
        NamedValue(key, one.told if isinstance(one, Range) else one, isinstance(one, str))
        for key, some in wanted.items()
        for one in some
    ]
    found = asked_values(named)
    return TaskFilter(values=found.equal, ranges=found.ranges)


async def in_order(models: ReadModels, wanted: TaskFilter, order: TaskOrder) -> list[str]:
    """Return the keys of a list, read some at a time."""
    shown: list[str] = []
    after: Any = None
    while True:
        if order.sort is TaskSort.KEY:
            page = await find_tasks_by_key(models, ACME, ALONE, wanted, order, 7, after)
        else:
            page = await find_tasks(models, ACME, LANES, wanted, order, 7, after)
        shown += [json.loads(item)["key"] for item in page.items]
        after = page.next_key
        if after is None:
            return shown


async def by_field(models: ReadModels, wanted: TaskFilter, key: str) -> list[str]:
    """Return the keys of a list in the order of a custom field, read some at a time."""
    options = {ENG: TAGS, OPS: TAGS} if KINDS[key] is FieldType.MULTI_SELECT else {}
    walk = FieldWalk(LANES, ALONE, wanted, FieldOrder(key), options)
    shown: list[str] = []
    after: str | None = None
    while True:
        page = await tasks_in_field_order(models, ACME, walk, 7, after)
        shown += [json.loads(item)["key"] for item in page.items]
        after = page.next_key
        if after is None:
            return shown


@pytest.mark.parametrize("lead", ["ranges lead", "all are walked", "sketches tell nothing"])
async def test_lists_by_custom_fields_equal_a_model(
    store: ReadStore, lead: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if lead == "all are walked":
        monkeypatch.setattr(task_list, "SIZE_MAX", 0)
    if lead == "sketches tell nothing":  # of what they leave, most is not shown
        monkeypatch.setattr(rows, "bits_of_all", lambda texts: (2**63 - 1, 2**63 - 1))
    chance = random.Random(11)  # noqa: S311 - a model needs no secrets
    async with opened(MemoryStore()) as log:
        model = await history(log, chance)
        await (await project_all(log, store, [Tasks()])).release()
    models = models_of(store, [Tasks()])
    orders = [TaskOrder(*each) for each in product(TaskSort, (False, True))]
    plain = {order: await in_order(models, EVERY_TASK, order) for order in orders}
    found_some = 0

    for at in range(60):
        wanted = asked_at_random(chance)
        urgent = chance.random() < 0.3
        bare = chance.random() < 0.3
        asked = replace(
            filter_of(wanted),
            priorities=(Priority.URGENT,) * urgent,
            lacking=("label",) * bare,
        )
        expected = {
            key
            for key, (values, priority, labelled) in model.items()
            if is_wanted(values, wanted)
            and (priority is Priority.URGENT or not urgent)
            and not (bare and labelled)
        }
        order = orders[at % len(orders)]

        shown = await in_order(models, asked, order)

        assert shown == [key for key in plain[order] if key in expected], wanted
        if at % 5 == 0:
            key = chance.choice([*KINDS])
            assert sorted(await by_field(models, asked, key)) == sorted(expected), wanted
        found_some += bool(expected)
    assert found_some > 20


async def test_every_text_is_found_by_itself_alone(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        for n, text in enumerate(TEXTS, start=1):
            value = TaskFieldSet(key="note", kind=FieldType.TEXT, to=text)
            await record(log, on(UUID(int=1_000 + n), task(n), value))
        await (await project_all(log, store, [Tasks()])).release()
    models = models_of(store, [Tasks()])

    for n, text in enumerate(TEXTS, start=1):
        shown = await in_order(models, filter_of({"note": [text]}), TaskOrder())
        assert shown == [f"ENG-{n}"], text


async def test_an_index_finds_what_is_within_a_range(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, on(UUID(int=1_001), task(1)))
        await (await project_all(log, store, [Tasks()])).release()
    target = await live(store, Tasks())
    wanted = replace(
        filter_of({"cost": [Range(FieldType.NUMBER, "2", "5"), Range(FieldType.NUMBER, "9", "")]}),
        priorities=(Priority.URGENT,),
    )
    wanted = replace(
        wanted,
        ranges=(
            *wanted.ranges,
            *filter_of({"day": [Range(FieldType.DATE, "2026-03-01", "")]}).ranges,
        ),
    )

    for sort, lane in product(TaskSort, (LANES[0], Lane((ENG,)))):
        ranged = task_plans(ACME, lane, wanted, TaskOrder(sort), 50).ranged
        assert len(ranged) == 2
        for query in ranged:
            plan = await store.explain(target, query)
            assert "by_org_project_id_deleted_ordered" in plan
            assert "SCAN d" not in plan
            assert "COLLSCAN" not in plan
    (models := Asked(store, Progress(store), [Tasks()])).queries = []
    await find_tasks(models, ACME, LANES, replace(wanted, priorities=()))
    assert [bool(query.between) for query in models.queries] == [True]
