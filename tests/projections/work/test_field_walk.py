"""Lists of any length in the order of a custom field equal a model, page by page."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from domain.base import ProjectId
from domain.work.task.custom_field import FieldType, TaskFieldSet
from domain.work.task.events import Priority, TaskDeleted, TaskRestored
from eventstore.memory import MemoryStore
from projections.engine.store import ReadStore
from projections.work.field_order.entries import field_entries
from projections.work.field_order.sorting import FieldOrder
from projections.work.field_order.walking import FieldWalk, tasks_in_field_order
from projections.work.task import ListedTask, Tasks
from projections.work.task_filter import EVERY_TASK, TaskFilter
from projections.work.task_query import Lane
from tests.commands.acme import OPS, task
from tests.domain.spec import ACME, ENG
from tests.projections.spec import models_of, project_all
from tests.spec import on, opened, record

OFFERED = {OPS: ("l", "s", "xs")}
NUMBERS = ("-7", "-0.5", "0", "2", "2.5", "10", "1000000000000000")
LANES = [Lane((ENG, OPS))]
ALONE = [Lane((ENG,), key="ENG"), Lane((OPS,), key="OPS")]
URGENT = TaskFilter(priorities=(Priority.URGENT,))
TASK = replace(ListedTask(), project_key="ENG", number=1)
Model = Mapping[str, tuple[ProjectId, str | None, Priority]]
"""By key, tasks that are not in the trash: their project, value and priority."""


def kind_in(project: ProjectId) -> FieldType:
    return FieldType.NUMBER if project == ENG else FieldType.SELECT


async def history(log: Any, chance: random.Random) -> Model:
    """Record tasks of two projects, whose values change; return what they are in the end."""
    model: dict[str, tuple[ProjectId, str | None, Priority]] = {}
    for n in range(1, 41):
        project, key = chance.choice([(ENG, "ENG"), (OPS, "OPS")])
        kind = kind_in(project)
        values = NUMBERS if project == ENG else OFFERED[OPS]
        priority = chance.choice([Priority.URGENT, Priority.LOW])
        events: list[Any] = [replace(task(n, project=project, key=key), priority=priority)]
        value = None
        for _ in range(chance.randrange(4)):
            value = chance.choice([None, *values])
            events.append(TaskFieldSet(key="size", kind=kind, to=value))
        events.append(TaskFieldSet(key="other", kind=FieldType.TEXT, to=f"{n}"))
        gone = chance.random() < 0.2
        if gone or chance.random() < 0.2:
            events.append(TaskDeleted())
        if not gone:
            events += [TaskRestored()] if isinstance(events[-1], TaskDeleted) else []
            model[f"{key}-{n}"] = (project, value, priority)
        await record(log, on(UUID(int=1_000 + n), *events))
    return model


def expected(model: Model, turned: bool, wanted: Callable[[Priority], bool]) -> list[str]:
    """Return the keys in order: options by their ranks, then numbers, then those without any."""

    def place(key: str) -> tuple[Any, ...]:
        project, value, _ = model[key]
        name, _, number = key.partition("-")
        if value is None:
            return (2, 0, name, int(number))
        if project == OPS:
            return (0, OFFERED[OPS].index(value), key, 0)
        return (1, float(value), key, 0)

    keys = [key for key, (_, _, priority) in model.items() if wanted(priority)]
    return sorted(keys, key=place, reverse=turned)


@pytest.mark.parametrize("turned", [False, True])
async def test_a_walk_equals_a_model(store: ReadStore, turned: bool) -> None:
    async with opened(MemoryStore()) as log:
        model = await history(log, random.Random(5))  # noqa: S311 - a model needs no secrets
        await (await project_all(log, store, [Tasks()])).release()
    models = models_of(store, [Tasks()])

    async def walked(wanted: TaskFilter, limit: int, lanes: Sequence[Lane]) -> list[str]:
        walk = FieldWalk(lanes, ALONE, wanted, FieldOrder("size", turned), OFFERED)
        shown: list[str] = []
        after: str | None = None
        while True:
            page = await tasks_in_field_order(models, ACME, walk, limit, after)
            assert len(page.keys) == page.size == len(page.items)
            shown += [json.loads(item)["key"] for item in page.items]
            after = page.next_key
            if after is None:
                return shown
            assert page.size == limit

    everything = expected(model, turned, lambda _: True)
    assert await walked(EVERY_TASK, 3, LANES) == everything
    assert await walked(EVERY_TASK, 50, LANES) == everything
    apart = [Lane((ENG,)), Lane((OPS,))]
    assert await walked(EVERY_TASK, 7, apart) == everything
    urgent = expected(model, turned, Priority.URGENT.__eq__)
    assert await walked(URGENT, 4, LANES) == urgent


def test_numbers_sort_as_numbers_and_texts_whatever_their_case() -> None:
    def keys(kind: FieldType, *texts: str) -> list[str]:
        told = [replace(TASK, fields=(f"size:{kind}:{each}",)) for each in texts]
        return [field_entries(each)[0] for each in told]

    numbers = keys(FieldType.NUMBER, "-1e15", "-2", "-0.25", "0", "1e-9", "3", "20", "1e15")
    assert numbers == sorted(set(numbers))
    assert len(set(keys(FieldType.NUMBER, "-0", "0", "-0.0"))) == 1
    texts = keys(FieldType.TEXT, "", "Ab", "aB", "b")
    assert texts[1] == texts[2]
    assert texts == sorted(texts)
    assert keys(FieldType.NUMBER, "erased")[0] > numbers[-1]


def test_the_first_of_several_options_counts() -> None:
    chosen = ("size:multi_select:l", "size:multi_select:s")

    [only] = field_entries(replace(TASK, fields=chosen))

    assert [only] == field_entries(replace(TASK, fields=chosen[:1]))
