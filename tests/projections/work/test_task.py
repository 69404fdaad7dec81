"""The task that readers see is the task that its events tell of."""

import json
from uuid import UUID

from msgspec.structs import replace

from domain.base import TaskId
from domain.planning.worklog import WorklogChanged, WorklogDeleted, WorklogRestored
from domain.work.relation import RelationAdded, RelationKind, RelationRemoved, graph_of
from domain.work.task.events import (
    TaskAssigned,
    TaskDeleted,
    TaskEvent,
    TaskRestored,
    TaskRetitled,
    TaskStatus,
    TaskUnassigned,
)
from domain.work.task.rank import rank_of_number
from domain.work.task.state import Task
from projections.work.task import Tasks, render_task
from tests.commands.acme import CHILD, CREATED, task, went
from tests.commands.planning.plans import SPENT, SPENT_ON, spent
from tests.domain.spec import ACME, ANA, BEN, ENG, NOW, TASK, stepped
from tests.projections.spec import shown, story

KEY = f"{ACME}:{TASK}"


def test_a_new_task_is_shown_with_its_key_and_everything_about_it() -> None:
    document = shown(Tasks(), *story(TASK, CREATED))[KEY]

    assert json.loads(document.json) == {
        "id": str(TASK),
        "key": "ENG-1",
        "projectId": str(ENG),
        "number": 1,
        "title": "Oil it",
        "description": None,
        "status": "TODO",
        "group": "TODO",
        "mentions": [],
        "priority": "MEDIUM",
        "parentId": None,
        "blocked": False,
        "rank": rank_of_number(1),
        "startDate": None,
        "dueDate": None,
        "dueAt": None,
        "estimate": None,
        "assignees": [],
        "labels": [],
        "cycleId": None,
        "milestoneId": None,
        "fields": {},
        "watchers": [str(ANA)],
        "createdBy": str(ANA),
        "createdAt": NOW.isoformat().replace("+00:00", "Z"),
        "updatedAt": NOW.isoformat().replace("+00:00", "Z"),
        "startedAt": None,
        "completedAt": None,
        "deletedAt": None,
        "imported": None,
        "recurrence": None,
        "version": 1,
        "comments": 0,
        "attachments": 0,
        "timeSpentMinutes": 0,
        "subtasks": {"done": 0, "all": 0},
    }


def test_a_reply_to_a_command_and_a_later_read_are_the_same_bytes() -> None:
    events: list[TaskEvent] = [CREATED, *went(TaskStatus.IN_PROGRESS), TaskAssigned(user_id=BEN)]
    task = Task()
    for event in events:
        task = task.evolve(event)

    document = shown(Tasks(), *story(TASK, *events))[KEY]

    assert render_task(TASK, task, 3, NOW) == document.json


def test_repeated_events_change_nothing() -> None:
    # An assignment would be there twice: to fold it again is not harmless by itself.
    events = story(TASK, CREATED, TaskRetitled(from_="Oil it", to="Oil"), TaskAssigned(user_id=BEN))

    assert shown(Tasks(), *events, *events) == shown(Tasks(), *events)


def test_a_task_in_the_trash_is_in_no_list_and_is_restored_unchanged() -> None:
    before = shown(Tasks(), *story(TASK, CREATED))[KEY]
    trashed = shown(Tasks(), *story(TASK, CREATED, TaskDeleted()))[KEY]
    restored = shown(Tasks(), *story(TASK, CREATED, TaskDeleted(), TaskRestored()))[KEY]

    assert trashed.deleted
    assert not restored.deleted
    assert restored.fields == before.fields | {"own_version": 3}


def test_a_task_can_be_looked_up_by_everything_that_is_shown_of_it() -> None:
    gone = (TaskAssigned(user_id=BEN), TaskUnassigned(user_id=BEN), TaskAssigned(user_id=ANA))

    document = shown(Tasks(), *story(TASK, CREATED, *gone))[KEY]

    assert document.org == str(ACME)
    assert document.fields == {
        "blocked": False,
        "open": True,
        "due": None,
        "due_order": "9999-12-31T25!ENG-1",
        "urgency": "1!2026-03-01T09:30:00.000000+00:00!0000001!ENG",
        "ordered": [],
        "facets": [
            f"assignee:{ANA}",
            f"watcher:{ANA}",
            f"watcher:{BEN}",
            "lacks:lpcmd",
            "status:TODO",
            "priority:MEDIUM",
            f"created_by:{ANA}",
            "blocked:false",
        ],
        "comments": 0,
        "attachments": 0,
        "time_spent_minutes": 0,
        "has_subtasks": False,
        "created": "2026-03-01T09:30:00.000000+00:00!0000001!ENG",
        "changed": "2026-03-01T09:30:00.000000+00:00!ENG-1",
        "created_us": 1_772_357_400_000_000,
        "changed_us": 1_772_357_400_000_000,
        "completed_us": None,
        "open_blockers": 0,
        "hidden_by": 0,
        "trashed": False,
        "lacks": "lpcmd",
        "own_version": 4,
        "changed_at": "2026-03-01T09:30:00Z",
        "project_id": str(ENG),
        "project_key": "ENG",
        "number": 1,
        "title": "Oil it",
        "description": None,
        "status": "TODO",
        "group": "TODO",
        "priority": "MEDIUM",
        "parent_id": None,
        "rank": rank_of_number(1),
        "place": f"{rank_of_number(1)}!ENG-1",
        "start_date": None,
        "due_date": None,
        "due_at": None,
        "estimate": None,
        "recurrence": None,
        "labels": [],
        "cycle_id": None,
        "milestone_id": None,
        "fields": [],
        "watchers": [str(ANA), str(BEN)],
        "mentions": [],
        "started_at": None,
        "completed_at": None,
        "deleted_at": None,
        "purged": False,
        "assignees": [str(ANA)],
        "created_by": str(ANA),
        "created_at": "2026-03-01T09:30:00Z",
        "external_id": None,
        "occurred_at": None,
        "author": None,
    }


def test_a_task_is_blocked_while_tasks_that_block_it_are_open() -> None:
    closed = stepped("TODO", "CANCELLED", blocking=(CHILD,))
    opened = stepped("CANCELLED", "TODO", blocking=(CHILD,))
    gone, back = TaskDeleted(blocking=(CHILD,)), TaskRestored(blocking=(CHILD,))
    unrelated = RelationRemoved(kind=RelationKind.BLOCKS, from_=TASK, to=CHILD, open=True)
    past = [*story(TASK, CREATED), *story(CHILD, task(2), start=2)]
    seen: list[bool] = []
    version = 1
    for stream, event in (
        (graph_of(ACME), RelationAdded(kind=RelationKind.BLOCKS, from_=TASK, to=CHILD, open=True)),
        (TASK, closed),
        (TASK, opened),
        (TASK, gone),
        (TASK, back),
        (graph_of(ACME), unrelated),
    ):
        version += stream == TASK
        [recorded] = story(stream, event, start=len(past) + 1)
        past.append(replace(recorded, version=version))
        documents = shown(Tasks(), *past)
        child = documents[f"{ACME}:{CHILD}"]
        assert child.fields["blocked"] is json.loads(child.json)["blocked"]
        assert (child.version, json.loads(child.json)["version"]) == (1, 1)
        assert documents[KEY].version == version
        seen.append(bool(child.fields["blocked"]))

    assert seen == [True, False, True, False, True, False]


def test_a_task_is_hidden_while_one_above_it_is_in_the_trash() -> None:
    past = [*story(TASK, CREATED), *story(CHILD, task(2, parent=TASK), start=2)]
    before = shown(Tasks(), *past)[f"{ACME}:{CHILD}"]
    seen: list[bool] = []
    outer, inner = (CHILD,), TaskId(UUID(int=99))
    for version, (stream, event) in enumerate(
        (
            (inner, TaskDeleted(below=outer)),
            (TASK, TaskDeleted(below=(inner, CHILD))),
            (CHILD, TaskDeleted()),
            (CHILD, TaskRestored()),
            (TASK, TaskRestored(below=(inner, CHILD))),
            (inner, TaskRestored(below=outer)),
        )
    ):
        past += story(stream, event, start=len(past) + 1)
        found = shown(Tasks(), *past)[f"{ACME}:{CHILD}"]
        assert Tasks().state_of(found).deleted is (version == 2)
        seen.append(found.deleted)

    assert seen == [True, True, True, True, True, False]
    assert found.fields["parent_id"] == before.fields["parent_id"]


def test_a_relation_that_blocks_nothing_now_changes_no_document() -> None:
    idle = RelationAdded(kind=RelationKind.DUPLICATES, from_=TASK, to=CHILD)

    assert Tasks().keys(story(graph_of(ACME), idle)[0]) == []


def test_a_task_shows_the_time_that_was_spent_on_it() -> None:
    entry = (
        spent(),
        WorklogChanged(task_id=TASK, minutes=45, by=15, day=SPENT_ON),
        WorklogDeleted(task_id=TASK, minutes=45, deleted_by=ANA),
        WorklogRestored(task_id=TASK, minutes=45),
    )
    created = story(TASK, CREATED)

    for told, minutes in zip(range(1, 5), (30, 45, 0, 45), strict=True):
        document = shown(Tasks(), *created, *story(SPENT, *entry[:told], start=2))[KEY]
        assert json.loads(document.json)["timeSpentMinutes"] == minutes
        assert document.version == 1
