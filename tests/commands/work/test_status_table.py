"""Who may change the status of a task, from which to which: a table for each kind of workflow.

``status_table.txt`` is what was agreed. ``make examples`` records it.
"""

import os
from collections import defaultdict
from itertools import product
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from commands.handler import CommandHandler
from commands.work.task import ChangeTaskStatus
from domain.base import DomainError, TaskId, UserId
from domain.identity.organization.membership import MemberJoined, Role
from domain.work.project.events import ProjectPutOnHold, ProjectTeamLinked
from domain.work.relation import RelationAdded, RelationKind, graph_of
from domain.work.task.events import TaskAssigned
from domain.work.team import TeamCreated, TeamMemberAdded, TeamRole
from domain.work.workflow.events import StatusRule, WorkflowDefined
from domain.work.workflow.state import FREE, STANDARD, Workflow
from eventstore.memory import MemoryStore
from tests.commands.acme import OPENED, TEAM, task
from tests.domain.spec import ACME, ANA, BEN, CLEO, DAN, ENG, GEARS
from tests.domain.work.test_workflow import OWN
from tests.spec import Past, context, on, opened, record

BLOCKS = RelationKind.BLOCKS
TABLE = Path(__file__).parent / "status_table.txt"
EVE, FAY = UserId(UUID(int=5)), UserId(UUID(int=6))
WHO = {
    "ADMIN": ANA,
    "MANAGER": BEN,
    "LEAD of its team": DAN,
    "its creator": EVE,
    "an assignee": FAY,
    "another MEMBER": CLEO,
}
MORE = on(ACME, *(MemberJoined(user_id=each, role=Role.MEMBER) for each in (DAN, EVE, FAY)))
GUIDED = (
    on(GEARS, TeamCreated(name="Gears", created_by=ANA)),
    on(GEARS, TeamMemberAdded(user_id=DAN, role=TeamRole.LEAD)),
    on(ENG, OPENED, ProjectTeamLinked(team_id=GEARS)),
)
WORKFLOWS = {"standard": STANDARD, "free": FREE, "of its own": OWN}
BLOCKER = TaskId(UUID(int=900))


class Situation(NamedTuple):
    """What else is so, and whether the change is forced."""

    what: str
    held_up: bool = False
    on_hold: bool = False
    force: bool = False


SITUATIONS = (
    Situation("nothing is in the way"),
    Situation("an open task blocks it and a subtask is open", held_up=True),
    Situation("the same, forced", held_up=True, force=True),
    Situation("its project is on hold", on_hold=True),
)


def history(workflow: Workflow, situation: Situation) -> tuple[list[Past], dict[str, TaskId]]:
    """Return what has happened, and the task that is in each status."""
    past = [TEAM, MORE, *GUIDED]
    if workflow is not STANDARD:
        past.append(on(ENG, defined(workflow)))
    there = {key: TaskId(UUID(int=100 + n)) for n, key in enumerate(workflow.by_key)}
    for number, (key, each) in enumerate(there.items(), start=1):
        made = replace(task(number, by=EVE), status=key, group=workflow.by_key[key].group)
        past.append(on(each, made, TaskAssigned(user_id=FAY)))
    if situation.held_up:
        begun = len(there) + 1
        opened = replace(task(begun), status=workflow.start.key)
        past.append(on(BLOCKER, opened))
        for number, each in enumerate(there.values(), start=begun + 1):
            below = replace(task(number, parent=each), status=workflow.start.key)
            past.append(on(TaskId(UUID(int=800 + number)), below))
        blocks = [
            RelationAdded(kind=BLOCKS, from_=BLOCKER, to=t, open=True) for t in there.values()
        ]
        past.append(on(graph_of(ACME), *blocks))
    if situation.on_hold:
        past.append(on(ENG, ProjectPutOnHold()))
    return past, there


def defined(workflow: Workflow) -> WorkflowDefined:
    """Return the event that gives a project *workflow*."""
    return WorkflowDefined(
        version=3,
        statuses=tuple(StatusRule(key=one.key, group=one.group) for one in workflow.statuses),
        names="\n".join(one.name for one in workflow.statuses),
        transitions=workflow.transitions,
    )


async def table(workflow: Workflow, situation: Situation) -> list[str]:
    """Return a line for each answer to each change."""
    past, there = history(workflow, situation)
    lines: list[str] = []
    async with opened(MemoryStore()) as log:
        await record(log, *past)
        handler = CommandHandler(log)
        for (at, each), to in product(there.items(), workflow.by_key):
            if at == to:
                continue
            command = ChangeTaskStatus(task_id=each, to=to, force=situation.force)
            answers: defaultdict[str, list[str]] = defaultdict(list)
            for name, who in WHO.items():
                answers[await answer(handler, command, who)].append(name)
            for answered, names in sorted(answers.items()):
                whom = "everybody" if len(names) == len(WHO) else ", ".join(names)
                lines.append(f"  {at} to {to}: {answered}: {whom}")
    return lines


async def answer(handler: CommandHandler, command: ChangeTaskStatus, who: UserId) -> str:
    """Return "yes", or why the change is refused."""
    try:
        await handler.handle(command, context(who, dry_run=True))
    except DomainError as refused:
        return refused.code
    return "yes"


async def test_a_status_changes_for_those_and_only_those_who_were_agreed_on() -> None:
    blocks: list[str] = []
    for (name, workflow), situation in product(WORKFLOWS.items(), SITUATIONS):
        lines = await table(workflow, situation)
        blocks.append("\n".join((f"workflow {name}: {situation.what}", *lines)))
    found = "\n\n".join(blocks) + "\n"
    if os.environ.get("RECORD_EXAMPLES"):
        TABLE.write_text(found)

    assert found == TABLE.read_text(), "if this is as wanted: make examples"
