"""Folded streams in memory: which are kept, and whose are given out."""

import pytest

from commands.handler import CommandHandler
from commands.states import Loaded, StateCache
from domain.base import NotFound
from domain.work.project import Project
from domain.work.task.state import Task
from eventstore.identifiers import new_id
from tests.domain.spec import ACME, ENG, NOW, OTHER, TASK


def test_the_least_recently_used_state_is_dropped_first() -> None:
    cache, loaded = StateCache(size_max=2), Loaded(Task(), 1, ACME, NOW)
    first, second, third = new_id(), new_id(), new_id()

    cache.put(first, loaded)
    cache.put(second, loaded)
    cache.get(first)
    cache.put(third, loaded)

    assert cache.get(second) is None
    assert cache.get(first) == cache.get(third) == loaded


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
