"""Two processes want what excludes each other: no limit, leaving or hold is forgotten."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from commands.lint.walk import lint_log
from commands.plan_counts import counted_of
from domain.base import TaskId, UserId
from domain.identity.organization.events import PlanChanged
from domain.identity.organization.legal_hold import LegalHoldLifted, LegalHoldPlaced
from domain.identity.organization.membership import MemberLeft
from domain.identity.plan import PLAN_LIMITS, Countable, Plan
from domain.work.attachment import AttachmentDeleted, AttachmentPurged
from domain.work.project.events import (
    ProjectCreated,
    ProjectDeleted,
    ProjectMemberAdded,
    ProjectMemberRemoved,
    ProjectTeamLinked,
    ProjectVisibilityChanged,
    Visibility,
)
from domain.work.task.events import TaskAssigned, TaskDeleted
from domain.work.task.state import Task
from domain.work.team import TeamCreated, TeamMemberAdded, TeamMemberRemoved, TeamRole
from eventstore.identifiers import new_id
from eventstore.log import EventLog
from eventstore.open import open_store
from eventstore.recorded import Recorded
from tests.commands.acme import ACCOUNTS, HERE, OPS, attachment, task
from tests.domain.spec import ACME, ANA, BEN, CLEO, TASK
from tests.eventstore.processes.outcomes import outcomes_of
from tests.eventstore.processes.racing import CLIENTS, FILES, GEARS, TASKS, UNSEEN
from tests.spec import folded, on, opened, record

LIMIT = PLAN_LIMITS[Plan.FREE].tasks
ROOM = 7
"""For how many tasks the plan has room while the others are restored."""


@pytest.fixture
async def log(url: str) -> AsyncIterator[EventLog]:
    """Open a log in whose trash are tasks of Cleo's, some of them in a project there, and files."""
    async with opened(await asyncio.to_thread(open_store, url)) as log:
        await record(log, *ACCOUNTS, *HERE)
        await record(log, on(OPS, ProjectCreated(key="OPS", name="Two", created_by=ANA)))
        there = TASKS[-CLIENTS:]
        for n, each in enumerate(TASKS):
            created = task(n + 2) if each not in there else task(n - 15, project=OPS, key="OPS")
            await record(log, on(each, created, TaskAssigned(user_id=CLEO), TaskDeleted()))
        gone = AttachmentDeleted(task_id=TASK, deleted_by=ANA)
        await record(log, *(on(each, attachment(), gone) for each in FILES))
        yield log


async def became(url: str, *sides: str) -> Counter[str]:
    """Let a process do each of *sides*; return what became of all commands, and how often."""
    return await outcomes_of("tests.eventstore.processes.racing", [(url, side) for side in sides])


async def events(log: EventLog) -> list[Recorded]:
    return await log.tail(0, 10_000, part=log.part(ACME))


async def findings(log: EventLog) -> list[str]:
    return [str(finding) async for finding in lint_log(log)]


@pytest.mark.servers
@pytest.mark.timeout(120)
async def test_what_is_restored_after_somebody_left_does_not_name_them(
    url: str, log: EventLog
) -> None:
    await record(log, on(OPS, ProjectDeleted()))

    found = await became(url, "restore", "leave")

    assert found["RestoreTask"] > 0
    [left] = [r.position for r in await events(log) if isinstance(r.event, MemberLeft)]
    restored = {r.stream_id: r.position for r in await events(log) if r.tag == "task.restored"}
    for each in TASKS:
        known = await folded(log, Task, each, ACME)
        assert known.assignees == (() if restored[each] > left else (CLEO,))
    assert await findings(log) == []


@pytest.mark.servers
@pytest.mark.timeout(120)
async def test_what_is_restored_after_somebody_lost_sight_of_it_does_not_name_them(
    url: str, log: EventLog
) -> None:
    added = TeamMemberAdded(user_id=BEN, role=TeamRole.MEMBER)
    await record(log, on(GEARS, TeamCreated(name="Gears", created_by=ANA), added))
    private = ProjectVisibilityChanged(from_=Visibility.ORGANIZATION, to=Visibility.PRIVATE)
    linked = (ProjectMemberAdded(user_id=CLEO), ProjectTeamLinked(team_id=GEARS))
    await record(log, on(OPS, *linked, private))
    both = (TaskAssigned(user_id=BEN), TaskAssigned(user_id=CLEO), TaskDeleted())
    for n, each in enumerate(UNSEEN, CLIENTS + 1):
        await record(log, on(each, task(n, project=OPS, key="OPS"), *both))

    await became(url, "restore_unseen", "lose_sight")

    lost: dict[UserId, int] = {}
    for recorded in await events(log):
        if isinstance(recorded.event, ProjectMemberRemoved | TeamMemberRemoved):
            lost[recorded.event.user_id] = recorded.position
    restored = {r.stream_id: r.position for r in await events(log) if r.tag == "task.restored"}
    for each in UNSEEN:
        known = await folded(log, Task, each, ACME)
        assert known.assignees == tuple(u for u in (BEN, CLEO) if restored[each] < lost[UserId(u)])
    assert any(restored[each] > max(lost.values()) for each in UNSEEN)
    assert await findings(log) == []


@pytest.mark.servers
@pytest.mark.timeout(120)
async def test_the_task_limit_of_the_plan_holds_while_two_processes_restore(
    url: str, log: EventLog
) -> None:
    assert LIMIT is not None
    first = 2 + len(TASKS) - CLIENTS
    more = range(first, first + LIMIT - 1 - ROOM)
    await record(log, *(on(TaskId(new_id()), task(n)) for n in more))

    found = await became(url, "restore_too_much", "restore_too_much")

    tasks = [await folded(log, Task, each, ACME) for each in TASKS]
    assert sum(not each.deleted for each in tasks) == ROOM
    assert found.keys() <= {"RestoreTask", "plan_limit", "conflict"}
    assert found["plan_limit"] > 0
    assert await log.counted(counted_of(ACME, Countable.TASKS)) == [LIMIT]
    assert await findings(log) == []


@pytest.mark.servers
@pytest.mark.timeout(120)
async def test_no_file_is_purged_while_there_is_a_legal_hold(url: str, log: EventLog) -> None:
    await record(log, on(ACME, PlanChanged(from_=Plan.FREE, to=Plan.PREMIUM)))

    await became(url, "purge", "hold")

    held, purged = False, 0
    for recorded in await events(log):
        match recorded.event:
            case LegalHoldPlaced() | LegalHoldLifted():
                held = isinstance(recorded.event, LegalHoldPlaced)
            case AttachmentPurged():
                purged += 1
                assert not held
            case _:
                pass
    assert purged == len(FILES)
    assert await findings(log) == []
