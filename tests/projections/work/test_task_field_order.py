"""Lists in the order of a custom field: numbers, options, texts, and tasks without a value."""

import json
import random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.work.task.custom_field import FieldType, TaskFieldSet
from eventstore.memory import MemoryStore
from projections.engine.store import ReadStore
from projections.work.field_order import sorting
from projections.work.field_order.sorting import (
    FieldKinds,
    FieldOrder,
    FoundTask,
    TooManyTasks,
    sorted_page,
    tasks_with_values,
)
from projections.work.task_filter import EVERY_TASK
from projections.work.task_query import Lane
from tests.commands.acme import ACCOUNTS, HERE, OPS, task
from tests.domain.spec import ACME, ENG
from tests.projections.spec import models_of, project_all
from tests.spec import on, opened, record

VALUES: dict[int, Any] = {2: "10", 3: "9.5", 4: None, 5: "-1", 6: "10"}


def found(number: int, value: Any, project: Any = ENG) -> FoundTask:
    return FoundTask(project, value, f"ENG-{number}", b"%d" % number)


def order(*tasks: FoundTask, ranks: Any = None, turned: bool = False) -> list[int]:
    """Return the numbers of tasks in their order, read two at a time."""
    shown: list[int] = []
    after: str | None = None
    while True:
        page = sorted_page(
            tasks, FieldOrder("size", turned=turned), FieldKinds(ranks or {}), 2, after
        )
        shown += [int(item) for item in page.items]
        after = page.next_key
        if after is None:
            return shown


@pytest.mark.parametrize("turned", [False, True])
async def test_a_list_is_sorted_by_the_values_of_its_tasks(store: ReadStore, turned: bool) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE)
        for number, value in VALUES.items():
            events: list[Any] = [task(number)]
            if value is not None:
                events.append(TaskFieldSet(key="cost", kind=FieldType.NUMBER, to=value))
            await record(log, on(UUID(int=300 + number), *events))
        elsewhere = task(1, project=OPS, key="OPS")
        await record(log, on(UUID(int=400), elsewhere))
        await project_all(log, store)
    models, lanes = models_of(store), [Lane((ENG,))]

    tasks = await tasks_with_values(models, ACME, lanes, EVERY_TASK, "cost")
    page = sorted_page(tasks, FieldOrder("cost", turned=turned), FieldKinds(), 50, None)

    numbers = [json.loads(item)["number"] for item in page.items]
    expected = [5, 3, 2, 6, 1, 4]
    assert numbers == (expected[::-1] if turned else expected)
    assert page.next_key is None
    assert not await tasks_with_values(models, ACME, [], EVERY_TASK, "cost")


async def test_more_tasks_than_can_be_sorted_are_refused(
    store: ReadStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE)
        await record(log, on(UUID(int=302), task(2)))
        await project_all(log, store)

    monkeypatch.setattr(sorting, "SORTED_MAX", 1)
    with pytest.raises(TooManyTasks):
        await tasks_with_values(models_of(store), ACME, [Lane((ENG,))], EVERY_TASK, "cost")


def test_options_sort_as_they_are_offered_in_each_project() -> None:
    ranks = {ENG: {"s": 0, "m": 1, "l": 2}, OPS: {"l": 0, "s": 1}}
    tasks = [found(1, "l"), found(2, "s"), found(3, ["m", "s"]), found(4, "l", OPS), found(5, [])]

    assert order(*tasks, ranks=ranks) == [2, 4, 3, 1, 5]


def test_texts_sort_whatever_their_case_and_behind_numbers() -> None:
    tasks = [found(1, "beta"), found(2, "Alpha"), found(3, 7), found(4, None), found(5, "ALPHA")]

    assert order(*tasks) == [3, 2, 5, 1, 4]
    assert order(*tasks, turned=True) == [4, 1, 5, 2, 3]


@given(st.lists(st.none() | st.floats(-9, 9) | st.text(max_size=3), max_size=12), st.booleans())
def test_pages_show_each_task_once_in_order(values: list[Any], turned: bool) -> None:
    tasks = [found(number, value) for number, value in enumerate(values)]
    random.Random(3).shuffle(tasks)  # noqa: S311 - the same order each time

    shown = order(*tasks, turned=turned)

    whole = sorted_page(tasks, FieldOrder("size", turned=turned), FieldKinds(), 50, None)
    assert shown == [int(item) for item in whole.items]
    assert sorted(shown) == [*range(len(values))]
