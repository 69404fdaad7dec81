"""Folded streams in memory: which are kept, and whose are given out."""

import asyncio

import pytest

from commands.handler import CommandHandler
from commands.states import Loaded, StateCache
from domain.base import NotFound
from domain.work.project.state import Project
from domain.work.task.events import TaskRetitled
from domain.work.task.state import Task
from eventstore.engine.turns import STREAM_PIECE
from eventstore.identifiers import new_id
from eventstore.log import EventLog
from tests.domain.spec import ACME, ENG, NOW, OTHER, TASK
from tests.spec import on, record


def test_what_was_not_used_for_half_the_size_is_dropped_first() -> None:
    cache, loaded = StateCache(size_max=4), Loaded(Task(), 1, ACME, NOW)
    first, second, third = new_id(), new_id(), new_id()

    cache.put(first, loaded)
    cache.put(second, loaded)
    cache.get(first)
    cache.put(third, loaded)

    assert cache.get(second) is None
    assert cache.get(first) == cache.get(third) == loaded


def test_an_older_version_does_not_replace_one_of_the_older_generation() -> None:
    cache, stream = StateCache(size_max=4), new_id()
    newer, older = Loaded(Task(title="B"), 2, ACME, NOW), Loaded(Task(title="A"), 1, ACME, NOW)

    cache.put(stream, newer)
    cache.put(new_id(), older)
    cache.put(stream, older)

    assert cache.get(stream) == newer


def test_an_older_version_does_not_replace_a_newer_one() -> None:
    cache, stream = StateCache(), new_id()
    newer, older = Loaded(Task(title="B"), 2, ACME, NOW), Loaded(Task(title="A"), 1, ACME, NOW)

    cache.put(stream, newer)
    cache.put(stream, older)

    assert cache.get(stream) == newer


async def test_a_fresh_state_is_given_only_to_its_organization_and_as_its_kind(
    handler: CommandHandler,
) -> None:
    [task, project] = await handler.states.all_fresh([(Task, TASK), (Project, ENG)], ACME)

    assert (task.version, project.version) == (1, 1)
    for wanted, org_id in (((Task, TASK), OTHER), ((Task, ENG), ACME), ((Task, new_id()), ACME)):
        with pytest.raises(NotFound):
            await handler.states.all_fresh([wanted], org_id)


@pytest.mark.parametrize("more", [2 * STREAM_PIECE - 1, 2 * STREAM_PIECE])
async def test_a_long_stream_is_folded_in_pieces_between_which_others_run(
    log: EventLog, handler: CommandHandler, more: int
) -> None:
    events = [TaskRetitled(from_="-", to=f"Title {n}") for n in range(more)]
    await record(log, on(TASK, *events, org_id=ACME))
    handler.states.cache.drop(TASK)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    running = asyncio.create_task(others())
    loaded = await handler.states.load(Task, TASK, ACME)
    running.cancel()

    assert (loaded.version, loaded.state.title) == (1 + more, f"Title {more - 1}")
    assert turns >= 2
    assert len(await log.stream(TASK, ACME)) == 1 + more
