"""The check of a whole log finds nothing in what commands recorded, and every forgery."""

from collections.abc import AsyncIterator
from pathlib import Path
from shutil import copy
from uuid import UUID, uuid4

import pytest

from commands.base import Idempotency
from commands.handler import CommandHandler
from commands.identity.organization import CreateOrganization, EditOrganization
from commands.identity.user import RegisterUser
from commands.lint.walk import lint_log
from commands.work.project import ArchiveProject, CreateProject, HoldProject, ResumeProject
from commands.work.relation import AddRelation
from commands.work.task import ChangeTaskStatus, EditTask
from commands.work.task_create import CreateTask
from commands.work.trash.task import DeleteTask, RestoreTask
from domain.base import Event, ProjectId, TaskId
from domain.identity.organization.events import PlanChanged, SubdomainChanged
from domain.identity.organization.membership import MemberJoined, MemberRoleChanged, Role
from domain.identity.plan import Plan
from domain.identity.user.erasure import UserErasureRequested
from domain.identity.user.events import UserDeactivated, UserProfileChanged, UserRegistered
from domain.work.project.events import ProjectCreated, ProjectRenamed
from domain.work.relation import RelationKind
from domain.work.task.events import (
    Priority,
    TaskCreated,
    TaskDeleted,
    TaskRetitled,
    TaskStatus,
)
from domain.work.task.plan_events import TaskMilestoneChanged
from domain.work.task.trash_events import TasksInStatus
from domain.work.workflow.events import StatusGroup
from eventstore.append import Append, KeyUse
from eventstore.log import EventLog
from eventstore.sqlite import SqliteStore
from tests.commands.lint.forged_content import FORGED_CONTENT, TALK
from tests.commands.lint.forged_plans import FORGED_PLANS
from tests.commands.lint.forged_relations import FORGED_RELATIONS
from tests.commands.planning.plans import BETA
from tests.domain.spec import ACME, ANA, BEN, ENG, NOW, OTHER, TASK, stepped
from tests.spec import Past, context, on, opened, record

OLD, CHILD = ProjectId(UUID(int=24)), TaskId(UUID(int=32))


@pytest.fixture(scope="module", params=[1, 8])
async def recorded(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Path:
    """Record two organizations at work, in one partition and in several; return the file."""
    path = tmp_path_factory.mktemp("lint") / "log.db"
    async with opened(SqliteStore(str(path), parts=request.param)) as log:
        await live(CommandHandler(log))
    return path


@pytest.fixture
async def log(recorded: Path, tmp_path: Path) -> AsyncIterator[EventLog]:
    """Open a copy of the recorded log."""
    async with opened(SqliteStore(str(copy(recorded, tmp_path)))) as log:
        yield log


async def live(handler: CommandHandler) -> None:
    """Let two people found organizations and work in one of them."""
    for user, org_id, name in ((ANA, ACME, "acme"), (BEN, OTHER, "other")):
        founding = CreateOrganization(organization_id=org_id, name=name, subdomain=name)
        registering = RegisterUser(
            user_id=user,
            email=f"{name}@example.com",
            name=name,
            password_hash=b"hash",
            organization=founding,
        )
        await handler.handle(registering, context(user, org_id=None))
    for project, key in ((ENG, "ENG"), (OLD, "OLD")):
        creating = CreateProject(project_id=project, key=key, name=key)
        await handler.handle(creating, context())
    for task, project, parent in ((TASK, ENG, None), (CHILD, ENG, TASK), (None, OLD, None)):
        command = CreateTask(
            task_id=task or TaskId(uuid4()), project_id=project, title="Oil", parent_id=parent
        )
        await handler.handle(command, context())
    for to in (TaskStatus.IN_PROGRESS, TaskStatus.DONE, TaskStatus.TODO):
        await handler.handle(ChangeTaskStatus(task_id=CHILD, to=to), context())
    for about in (
        *TALK,
        DeleteTask(task_id=CHILD),
        RestoreTask(task_id=CHILD),
        AddRelation(task_id=TASK, kind=RelationKind.BLOCKS, other_id=CHILD),
        ChangeTaskStatus(task_id=TASK, to=TaskStatus.CANCELLED),
        ChangeTaskStatus(task_id=TASK, to=TaskStatus.TODO),
        HoldProject(project_id=ENG),
        ResumeProject(project_id=ENG),
        ArchiveProject(project_id=OLD),
        EditOrganization(organization_id=ACME, subdomain="apex"),
    ):
        await handler.handle(about, context())


async def found(log: EventLog) -> list[str]:
    return [str(finding) async for finding in lint_log(log)]


async def test_nothing_is_found_in_what_commands_recorded(log: EventLog) -> None:
    assert await found(log) == []


async def test_commands_can_come_meanwhile(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    commands, read = [DeleteTask(task_id=CHILD)], log.counts_in

    async def read_later(part: int) -> dict[tuple[str, UUID], int]:
        while commands:
            await CommandHandler(log).handle(commands.pop(), context())
        return await read(part)

    monkeypatch.setattr(log, "counts_in", read_later)
    assert await found(log) == []


async def test_a_used_key_whose_command_is_gone_is_found(log: EventLog) -> None:
    key = KeyUse(key_hash=b"key", request_hash=b"hash", at=1)
    asked = Idempotency(key_hash=b"k", request_hash=b"hash")
    editing = EditTask(task_id=TASK, title="Other")
    await CommandHandler(log).handle(editing, context(idempotency=asked))
    nothing = Append(rows=[], expects={}, keys={}, org_id=ACME, key_use=key)
    await log.append(nothing)
    assert await found(log) == []

    store = log.store
    assert isinstance(store, SqliteStore)
    forge = store._execute  # pyright: ignore[reportPrivateUsage]  # as somebody with the file would
    where = "WHERE key_hash = ?"
    forge(f"UPDATE idempotency_keys SET event_id = ? {where}", (ANA.bytes, b"k"))
    [other] = await found(log)
    assert f"an Idempotency-Key was used for event {ANA}, which is not here" in other

    forge(f"UPDATE idempotency_keys SET position = 999 {where}", (b"k",))
    [gone] = await found(log)
    assert "position 999" in gone


def created(number: int, project: ProjectId = ENG, parent: TaskId | None = None) -> TaskCreated:
    return TaskCreated(
        project_id=project,
        project_key="ENG",
        number=number,
        title="Oil",
        status=TaskStatus.TODO,
        group=StatusGroup.TODO,
        priority=Priority.LOW,
        parent_id=parent,
        created_by=ANA,
        created_at=NOW,
    )


def joined(count: int) -> list[Event]:
    return [MemberJoined(user_id=uuid4(), role=Role.MEMBER) for _ in range(count)]  # type: ignore[arg-type]  # any id


NEW, RENAMED = UUID(int=0xF0), UserProfileChanged(name="B")
FORGED: list[tuple[str, list[Past]]] = [
    *FORGED_CONTENT,
    *FORGED_PLANS,
    ("an archived project is changed", [on(OLD, ProjectRenamed(from_="a", to="b"))]),
    ("a task of an archived project is changed", [on(NEW, created(2, OLD))]),
    (
        "a deleted task is changed",
        [on(TASK, TaskDeleted()), on(TASK, TaskRetitled(from_="a", to="b"))],
    ),
    (
        "a deleted task is changed",
        [on(TASK, TaskDeleted(), TaskMilestoneChanged(from_=None, to=BETA))],
    ),
    (
        "a task says wrongly whether it is below a deleted one",
        [on(CHILD, TaskMilestoneChanged(from_=None, to=BETA, below_trash=True))],
    ),
    (
        "a deletion counts wrongly what is planned below",
        [
            on(CHILD, TaskMilestoneChanged(from_=None, to=BETA)),
            on(TASK, TaskDeleted(below=(CHILD,), hides=(TasksInStatus("TODO", 1),))),
        ],
    ),
    (
        "a task goes from TODO to DONE",
        [on(TASK, stepped(TaskStatus.TODO, TaskStatus.DONE))],
    ),
    (
        "there are 1 open subtasks, but only 0 are allowed",
        [
            on(
                TASK,
                stepped(TaskStatus.TODO, TaskStatus.IN_PROGRESS),
                stepped(TaskStatus.IN_PROGRESS, TaskStatus.DONE),
            )
        ],
    ),
    *FORGED_RELATIONS,
    ("a task has number 4, but 3 was next", [on(NEW, created(4))]),
    ("the task number is already taken", [on(NEW, created(1))]),
    (
        "the project of a task is not one of its organization",
        [on(NEW, created(1, ProjectId(uuid4())))],
    ),
    ("the parent of a task is in another project", [on(NEW, created(3, ENG, TaskId(uuid4())))]),
    (
        "without an active ADMIN",
        [on(ACME, MemberRoleChanged(user_id=ANA, from_=Role.ADMIN, to=Role.MEMBER))],
    ),
    ("there are 11 members, but only 10 are allowed", [on(ACME, *joined(10))]),
    (
        "there are 6 projects, but only 5 are allowed",
        [on(uuid4(), ProjectCreated(key=f"P{n}", name="P", created_by=ANA)) for n in range(5)],
    ),
    (
        "the project key is already taken",
        [on(NEW, ProjectCreated(key="OLD", name="Second", created_by=ANA))],
    ),
    (
        "the subdomain is already taken",
        [on(OTHER, SubdomainChanged(from_="other", to="acme"), org_id=OTHER)],
    ),
    (
        "the email is already taken",
        [on(NEW, UserRegistered(email="acme@example.com", name="Second"))],
    ),
    ("a deactivated account is changed", [on(BEN, UserDeactivated(), RENAMED)]),
    ("an account that is being erased is changed", [on(BEN, UserErasureRequested(), RENAMED)]),
]


@pytest.mark.parametrize(("what", "past"), FORGED, ids=[what for what, _ in FORGED])
async def test_an_event_that_breaks_a_rule_is_found(
    log: EventLog, what: str, past: list[Past]
) -> None:
    for one in past:
        await record(log, one, reserving=False)

    assert any(what in finding for finding in await found(log))


async def test_a_limit_is_that_of_the_plan_at_the_time(log: EventLog) -> None:
    await record(log, on(ACME, PlanChanged(from_=Plan.FREE, to=Plan.BASIC), *joined(20)))
    await record(log, on(ACME, PlanChanged(from_=Plan.BASIC, to=Plan.FREE)))

    assert await found(log) == []


TAMPERED = {
    "the count of open blockers": "UPDATE counts SET n = 0 WHERE scope = 'open blockers'",
    "the count of tasks": "UPDATE counts SET n = n + 1 WHERE scope = 'tasks'",
    "the count of open subtasks": "UPDATE counts SET n = 0 WHERE scope = 'open subtasks'",
    "the count of tasks in TODO": "UPDATE counts SET n = n - 1 WHERE scope = 'tasks in TODO'",
    "the count of members": "UPDATE counts SET n = n + 1 WHERE scope = 'members'",
    "the count of webhooks": "INSERT INTO counts SELECT part, 'webhooks', within, 1 FROM counts"
    " WHERE scope = 'members'",
    "the count of projects": "DELETE FROM counts WHERE scope = 'projects'",
    "the count of task number": "UPDATE counts SET n = 9 WHERE scope = 'task number'",
    "the claim on project key b'ENG'": "DELETE FROM claims WHERE value = CAST('ENG' AS BLOB)",
    "the claim on email": "DELETE FROM claims WHERE scope = 'email'",
    "the claim on subdomain b'acme'": "UPDATE claims SET free_at = 0 WHERE scope = 'subdomain'",
    "the claim on task number": "UPDATE claims SET holder = within WHERE scope = 'task number'",
    "the claim on nothing": "INSERT INTO claims SELECT part, 'nothing', within, value, holder, 0"
    " FROM claims WHERE scope = 'project key'",
}


@pytest.mark.parametrize("what", TAMPERED)
async def test_a_row_that_the_log_does_not_give_is_found(log: EventLog, what: str) -> None:
    assert isinstance(log.store, SqliteStore)
    log.store._execute(TAMPERED[what], ())  # pyright: ignore[reportPrivateUsage] - nothing public changes these

    assert any(what in finding for finding in await found(log))


async def test_an_event_in_the_wrong_place_is_found(log: EventLog) -> None:
    assert isinstance(log.store, SqliteStore)
    execute = log.store._execute  # pyright: ignore[reportPrivateUsage] - events cannot be changed otherwise
    execute("DROP TRIGGER events_only_lose_values", ())
    execute("UPDATE events SET position = position + 100 WHERE tag = 'task.deleted'", ())
    execute("UPDATE events SET version = version + 100 WHERE tag = 'project.archived'", ())
    execute("UPDATE events SET org_seq = org_seq + 100 WHERE tag = 'project.resumed'", ())
    execute("UPDATE events SET state = X'7B7D' WHERE tag = 'project.put_on_hold'", ())

    findings = " ".join(await found(log))

    for what in ("is missing", "version 102", "of its organization follows", "cannot be read"):
        assert what in findings
