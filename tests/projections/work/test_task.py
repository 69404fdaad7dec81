"""The task that readers see is the task that its events tell of."""

import json

import pytest

from domain.base import ProjectId, UserId
from domain.work.task.events import (
    Priority,
    TaskAssigned,
    TaskDeleted,
    TaskEvent,
    TaskRestored,
    TaskRetitled,
    TaskStatus,
    TaskUnassigned,
)
from domain.work.task.state import Task
from projections.work.task import IN_TRASH, Tasks, facets, render_task
from tests.commands.acme import CREATED, went
from tests.domain.spec import ACME, ANA, BEN, ENG, NOW, TASK
from tests.projections.spec import shown, story

KEY = f"{ACME}:{TASK}"


def test_a_new_task_is_shown_with_its_key_and_everything_about_it() -> None:
    document = shown(Tasks(), *story(TASK, CREATED))[KEY]

    assert json.loads(document["json"]) == {
        "id": str(TASK),
        "key": "ENG-1",
        "projectId": str(ENG),
        "number": 1,
        "title": "Oil it",
        "description": None,
        "status": "TODO",
        "priority": "MEDIUM",
        "parentId": None,
        "assignees": [],
        "createdBy": str(ANA),
        "createdAt": NOW.isoformat().replace("+00:00", "Z"),
        "updatedAt": NOW.isoformat().replace("+00:00", "Z"),
        "version": 1,
    }


def test_a_reply_to_a_command_and_a_later_read_are_the_same_bytes() -> None:
    events: list[TaskEvent] = [CREATED, *went(TaskStatus.IN_PROGRESS), TaskAssigned(user_id=BEN)]
    task = Task()
    for event in events:
        task = task.evolve(event)

    document = shown(Tasks(), *story(TASK, *events))[KEY]

    assert render_task(TASK, task, 3, NOW) == document["json"]


def test_events_that_come_again_change_nothing() -> None:
    events = story(TASK, CREATED, TaskRetitled(from_="Oil it", to="Grease it"))

    assert shown(Tasks(), *events, *events) == shown(Tasks(), *events)


def test_a_task_in_the_trash_is_in_no_list_and_comes_back_as_it_was() -> None:
    before = shown(Tasks(), *story(TASK, CREATED))[KEY]
    trashed = shown(Tasks(), *story(TASK, CREATED, TaskDeleted()))[KEY]
    restored = shown(Tasks(), *story(TASK, CREATED, TaskDeleted(), TaskRestored()))[KEY]

    assert trashed["deleted"]
    assert trashed["facets"] == [IN_TRASH]
    assert restored["facets"] == before["facets"]
    assert not restored["deleted"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("||", True),
        ("TODO||", True),
        ("DONE||", False),
        ("|MEDIUM|", True),
        (f"TODO|MEDIUM|{ANA}", True),
        (f"||{BEN}", True),
        (f"TODO|HIGH|{ANA}", False),
    ],
)
def test_a_task_is_found_by_every_combination_of_its_own(wanted: str, found: bool) -> None:
    task = Task(
        project_id=ProjectId(ENG),
        status=TaskStatus.TODO,
        priority=Priority.MEDIUM,
        assignees=(UserId(ANA), UserId(BEN)),
    )

    assert (wanted in facets(task)) is found


def test_whoever_is_unassigned_no_longer_finds_it() -> None:
    gone = (TaskAssigned(user_id=BEN), TaskUnassigned(user_id=BEN))

    document = shown(Tasks(), *story(TASK, CREATED, *gone))[KEY]

    assert not [one for one in document["facets"] if str(BEN) in one]
