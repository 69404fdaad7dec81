"""Logged time is listed by indexes, and timesheets leave out what is not seen now."""

import asyncio
import json
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.base import ProjectId, TaskId, UserId
from domain.planning.worklog import WorklogDeleted
from domain.work.task.events import TaskDeleted
from eventstore.memory import MemoryStore
from projections.catalog import PROJECTIONS
from projections.engine.progress import Progress
from projections.engine.store import ReadStore
from projections.planning import timesheet
from projections.planning.timesheet import TimeFilter, TimeGrouping, Timesheet
from projections.planning.worklog import Worklogs, worklogs_of
from tests.commands.acme import ACCOUNTS, CHILD, HERE, OPS, task
from tests.commands.planning.plans import OTHER_PROJECT, spent
from tests.domain.spec import ACME, ANA, BEN, ENG, OTHER, TASK
from tests.projections.engine.test_find import SLOW, Asked
from tests.projections.spec import live, project_all
from tests.spec import Past, on, opened, record

FIRST = date(2026, 2, 1)
BOTH = {ENG: "ENG", OPS: "OPS"}


def entry(number: int, day: int, by: UserId = ANA, task_id: TaskId = TASK, **about: Any) -> Past:
    return on(
        UUID(int=500 + number),
        spent(by, day=FIRST + timedelta(days=day), task_id=task_id, minutes=number, **about),
    )


@pytest.fixture
async def models(store: ReadStore) -> Asked:
    gone = on(UUID(int=599), spent(), WorklogDeleted(task_id=TASK, minutes=30, deleted_by=ANA))
    theirs = on(UUID(int=598), spent(), org_id=OTHER)
    trashed = TaskId(UUID(int=34))
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE, OTHER_PROJECT, on(CHILD, task(7, project=OPS)))
        await record(log, gone, theirs, on(trashed, task(2), TaskDeleted()))
        await record(log, entry(1, 3), entry(2, 1, BEN), entry(30, 1, task_id=CHILD), entry(4, 2))
        await record(log, entry(5, 9, BEN), entry(6, 1, task_id=trashed))
        await project_all(log, store)
    asked = Asked(store, Progress(store), PROJECTIONS)
    asked.queries = []
    return asked


def sheet(
    models: Asked, projects: dict[ProjectId, str], days: int = 3, user: UserId | None = None
) -> Timesheet:
    wanted = TimeFilter(first=FIRST, last=FIRST + timedelta(days=days), user_id=user)
    return Timesheet(models, ACME, projects, wanted)


def minutes(page: Any) -> list[int]:
    return [json.loads(item)["minutes"] for item in page.items]


async def test_time_is_listed_by_its_indexes(store: ReadStore, models: Asked) -> None:
    last = await worklogs_of(models, ACME, TASK, limit=2)
    rest = await worklogs_of(models, ACME, TASK, before=last.next_key)
    every = await sheet(models, BOTH).page(50, None)
    hers = await sheet(models, BOTH, user=BEN).page(50, None)

    assert (minutes(last), minutes(rest)) == ([5, 1], [4, 2])
    assert (minutes(every), minutes(hers)) == ([2, 30, 4, 1], [2])
    assert minutes(await worklogs_of(models, OTHER, TASK)) == [30]
    for query in models.queries:
        plan = await store.explain(await live(store, Worklogs()), query)
        assert "by_org_" in plan, f"{query}: {plan}"
        assert not [word for word in SLOW if word in plan], f"{query}: {plan}"


async def test_pages_of_any_size_are_the_same_list(models: Asked) -> None:
    for projects, expected in ((BOTH, [2, 30, 4, 1]), ({OPS: "OPS"}, [30]), ({}, [])):
        for limit in (1, 2, 3, 50):
            after: str | None = None
            found: list[int] = []
            while True:
                page = await sheet(models, projects).page(limit, after)
                found += minutes(page)
                assert page.size == limit or page.next_key is None
                after = page.next_key
                if after is None:
                    break
            assert found == expected


async def test_time_is_added_up_by_what_is_asked_for(
    models: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timesheet, "ENTRIES_AT_ONCE", 2)  # in several slices
    monkeypatch.setattr(timesheet, "TASKS_KNOWN_MAX", 0)

    totals = {by: await sheet(models, BOTH).totals(by) or [] for by in TimeGrouping}

    told = {by: [(one.minutes, one.entries) for one in groups] for by, groups in totals.items()}
    assert told == {
        TimeGrouping.USER: [(35, 3), (2, 1)],
        TimeGrouping.PROJECT: [(30, 1), (7, 3)],
        TimeGrouping.TASK: [(30, 1), (7, 3)],
        TimeGrouping.DAY: [(32, 2), (4, 1), (1, 1)],
    }
    assert [one.user_id for one in totals[TimeGrouping.USER]] == [ANA, BEN]
    assert [one.project_id for one in totals[TimeGrouping.PROJECT]] == [OPS, ENG]
    assert [one.task_key for one in totals[TimeGrouping.TASK]] == ["OPS-7", "ENG-1"]
    for most, answered in ((4, False), (5, True)):  # with that of the task in the trash
        monkeypatch.setattr(timesheet, "ENTRIES_MAX", most)
        assert (await sheet(models, BOTH).totals(TimeGrouping.DAY) is not None) is answered
    for most, answered in ((2, False), (3, True)):
        monkeypatch.setattr(timesheet, "SUMS_MAX", most)
        assert (await sheet(models, BOTH).totals(TimeGrouping.DAY) is not None) is answered


async def test_others_have_their_turn_while_time_is_added_up(
    models: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timesheet, "ENTRIES_AT_ONCE", 1)
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.ensure_future(take_turns())
    await sheet(models, BOTH).totals(TimeGrouping.DAY)
    other.cancel()

    assert turns >= 5  # one for each entry that was looked at
