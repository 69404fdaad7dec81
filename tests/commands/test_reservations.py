"""What commands count next to the log, and the limits of plans that hold because of it."""

import pytest

from commands.base import Command
from commands.handler import CommandHandler
from commands.happening import FEW_CHANGES, Happening, Reservations, added_up
from commands.hooks.webhook import CreateWebhook, DeleteWebhook, RestoreWebhook
from commands.identity.organization import RemoveMember
from commands.plan_counts import counted_of, tasks_in
from commands.relation_counts import open_subtasks
from commands.reservations import note
from commands.work.project import (
    ArchiveProject,
    CreateProject,
    DeleteProject,
    HoldProject,
    RestoreProject,
    UnarchiveProject,
)
from commands.work.task import ChangeTaskStatus
from commands.work.task_create import CreateTask
from commands.work.trash.task import DeleteTask, RestoreTask
from domain.base import ProjectId, WebhookId
from domain.identity.organization.membership import (
    InvitationAccepted,
    InvitationRevoked,
    MemberInvited,
    MembershipEvent,
    Role,
)
from domain.identity.plan import Countable, PlanLimitReached
from domain.work.task.events import TaskStatus
from eventstore.claim import CountChange
from eventstore.identifiers import new_id
from eventstore.log import EventLog
from tests.commands.acme import ACCOUNTS, CHILD, OPS
from tests.domain.spec import ACME, ANA, CLEO, DAY, ENG, INVITATION, NOW, TASK
from tests.spec import context, record

HOOK = WebhookId(new_id())
CREATE_HOOK = CreateWebhook(
    webhook_id=HOOK, url="https://a.example", events=("*",), from_seq=0, sealed_secret=b"s"
)
CREATE_CHILD = CreateTask(task_id=CHILD, project_id=ENG, title="A part of it", parent_id=TASK)
SUBTASKS = open_subtasks(ACME, TASK)


def move(to: TaskStatus) -> ChangeTaskStatus:
    return ChangeTaskStatus(task_id=CHILD, to=to)


@pytest.mark.parametrize(
    ("what", "steps"),
    [
        (
            Countable.PROJECTS,
            [
                (CreateProject(project_id=OPS, key="OPS", name="Ops"), 1),
                (HoldProject(project_id=OPS), 0),
                (DeleteProject(project_id=OPS), -1),
                (RestoreProject(project_id=OPS), 1),
                (ArchiveProject(project_id=OPS), -1),
                (DeleteProject(project_id=OPS), 0),
                (RestoreProject(project_id=OPS), 0),
                (UnarchiveProject(project_id=OPS), 1),
            ],
        ),
        (
            Countable.TASKS,
            [
                (CREATE_CHILD, 1),
                (move(TaskStatus.CANCELLED), 0),
                (DeleteTask(task_id=CHILD), -1),
                (RestoreTask(task_id=CHILD), 1),
            ],
        ),
        (
            Countable.WEBHOOKS,
            [
                (CREATE_HOOK, 1),
                (DeleteWebhook(webhook_id=HOOK), -1),
                (RestoreWebhook(webhook_id=HOOK), 1),
            ],
        ),
        (Countable.MEMBERS, [(RemoveMember(organization_id=ACME, user_id=CLEO), -1)]),
    ],
    ids=lambda value: value if isinstance(value, Countable) else "",
)
async def test_a_plan_counts_only_what_exists(
    log: EventLog, handler: CommandHandler, what: Countable, steps: list[tuple[Command, int]]
) -> None:
    await record(log, *ACCOUNTS)
    [count] = await log.counted(counted_of(ACME, what))

    for command, by in steps:
        await handler.handle(command, context())
        count += by
        assert await log.counted(counted_of(ACME, what)) == [count], command


async def test_a_task_counts_its_subtasks_that_are_open_and_not_in_the_trash(
    log: EventLog, handler: CommandHandler
) -> None:
    steps: list[tuple[Command, int]] = [
        (CREATE_CHILD, 1),
        (move(TaskStatus.IN_PROGRESS), 1),
        (move(TaskStatus.DONE), 0),
        (DeleteTask(task_id=CHILD), 0),
        (RestoreTask(task_id=CHILD), 0),
        (move(TaskStatus.TODO), 1),
        (DeleteTask(task_id=CHILD), 0),
        (RestoreTask(task_id=CHILD), 1),
        (move(TaskStatus.CANCELLED), 0),
    ]

    for command, expected in steps:
        await handler.handle(command, context())
        assert await log.counted(SUBTASKS) == [expected], command


async def test_a_project_counts_its_tasks_by_status_without_those_in_the_trash(
    log: EventLog, handler: CommandHandler
) -> None:
    counts = [tasks_in(ACME, ENG, status) for status in TaskStatus]
    before = await log.counted(*counts)
    here: dict[TaskStatus, int] = dict.fromkeys(TaskStatus, 0)
    steps: list[tuple[Command, TaskStatus | None]] = [
        (CREATE_CHILD, TaskStatus.TODO),
        (move(TaskStatus.IN_PROGRESS), TaskStatus.IN_PROGRESS),
        (move(TaskStatus.DONE), TaskStatus.DONE),
        (DeleteTask(task_id=CHILD), None),
        (RestoreTask(task_id=CHILD), TaskStatus.DONE),
    ]

    for command, status in steps:
        await handler.handle(command, context())
        expected = here if status is None else here | {status: 1}
        found = await log.counted(*counts)
        grown = [now - then for now, then in zip(found, before, strict=True)]
        assert grown == list(expected.values()), command


@pytest.mark.parametrize(
    ("event", "by"),
    [
        (
            MemberInvited(
                invitation_id=INVITATION,
                email="dan@example.com",
                role=Role.MEMBER,
                token_hash="0" * 64,
                expires_at=NOW + DAY,
            ),
            1,
        ),
        (InvitationRevoked(invitation_id=INVITATION), -1),
        (InvitationAccepted(invitation_id=INVITATION, user_id=ANA), -1),
    ],
    ids=["invited", "revoked", "accepted"],
)
def test_an_open_invitation_takes_the_place_of_a_member(event: MembershipEvent, by: int) -> None:
    reserved = Reservations([], [])

    note(Happening(type(event), event, None, ACME, ACME, 0, None, lambda *_: b""), reserved)

    assert [(c.count, c.by) for c in reserved.counts] == [(counted_of(ACME, Countable.MEMBERS), by)]


async def test_a_full_plan_allows_another_one_only_after_one_is_gone(
    handler: CommandHandler,
) -> None:
    projects = [ProjectId(new_id()) for _ in range(5)]  # with the one that is there: one too many
    creating = [
        CreateProject(project_id=project, key=f"P{number}", name="Another")
        for number, project in enumerate(projects)
    ]
    for command in creating[:4]:
        await handler.handle(command, context())

    with pytest.raises(PlanLimitReached) as refused:
        await handler.handle(creating[4], context())
    await handler.handle(ArchiveProject(project_id=ENG), context())
    await handler.handle(creating[4], context())

    assert refused.value.details.items() >= {"limit": 5, "used": 5}.items()
    with pytest.raises(PlanLimitReached):
        await handler.handle(UnarchiveProject(project_id=ENG), context())


def test_changes_of_counts_that_nothing_limits_are_added_up() -> None:
    left, reached = tasks_in(ACME, ENG, "TODO"), tasks_in(ACME, ENG, "DONE")
    limited = CountChange(SUBTASKS, 1, limit=3)
    multiplied = CountChange(tasks_in(ACME, OPS, "TODO"), -1, times=(reached,))
    moves = [CountChange(left, -1), CountChange(left, 1)]

    few = [CountChange(left, -1)] * FEW_CHANGES
    assert added_up(few) == tuple(few)
    assert added_up([*few, CountChange(left, -1)]) == (CountChange(left, -1 - FEW_CHANGES),)
    assert added_up([*moves * FEW_CHANGES, limited, limited]) == (limited, limited)
    apart = [CountChange(reached, 1), multiplied, CountChange(reached, 1)]
    assert added_up([*moves * FEW_CHANGES, *apart]) == tuple(apart)
