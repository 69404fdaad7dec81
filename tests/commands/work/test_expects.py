"""How many streams the append verifies for a command on a task: few, however deep it is nested."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from commands.base import Command
from commands.handler import CommandHandler
from commands.planning.recurrence import SetRecurrence, StopRecurrence
from commands.undo.task import PutBackAtRank, PutBackInStatus
from commands.work.leaving import UnassignFormerMember
from commands.work.losing_sight import ReleaseWithoutSight
from commands.work.relation import AddRelation, RelationCommand, RemoveRelation
from commands.work.task import AssignTask, ChangeTaskStatus, EditTask, TaskCommand, UnassignTask
from commands.work.task_create import CreateTask
from commands.work.task_label import LabelTask, UnlabelTask
from commands.work.task_move import MoveTask
from commands.work.task_rank import RankTask
from commands.work.task_watch import UnwatchTask, WatchTask
from commands.work.trash.task import DeleteTask, RestoreTask
from domain.base import LabelId, TaskId
from domain.work.label import LabelCreated
from domain.work.relation import RelationAdded, RelationKind, graph_of
from domain.work.task.events import TaskAssigned, TaskDeleted, TaskLabelled
from eventstore.append import Append, Outcome
from eventstore.memory import MemoryStore
from tests.commands.acme import ACCOUNTS, CHILD, HERE, LAPTOP, OPS, started, task
from tests.commands.work.test_task_tree import CHAIN, NODES, OTHER
from tests.domain.spec import ACME, ANA, BEN, CLEO, DAN, ENG, NOW, TASK
from tests.spec import context, on, opened, record

EXPECTS_MAX = 10  # 9, but for a relation to a subtask: what is above it could hide it
LABELS = [LabelId(UUID(int=2_000 + n)) for n in range(50)]
NAMED = [
    on(each, LabelCreated(name=str(each), color="#ff0000", created_by=ANA, created_at=NOW))
    for each in LABELS
]

GONE = TaskId(UUID(int=507))
LABELLED = on(CHILD, TaskAssigned(user_id=CLEO), TaskLabelled(label_id=LABELS[1]))
RELATED = on(graph_of(ACME), RelationAdded(kind=RelationKind.BLOCKS, from_=CHILD, to=TASK))

COMMANDS = [
    CreateTask(task_id=NODES[6], project_id=ENG, title="Deep", parent_id=NODES[3]),
    CreateTask(task_id=NODES[6], project_id=ENG, title="Labelled", labels=tuple(LABELS)),
    EditTask(task_id=CHILD, parent_id=NODES[3]),
    AssignTask(task_id=CHILD, user_id=BEN),
    UnassignTask(task_id=CHILD, user_id=CLEO),
    WatchTask(task_id=CHILD, user_id=BEN),
    UnwatchTask(task_id=CHILD, user_id=CLEO),
    ChangeTaskStatus(task_id=CHILD, to="CANCELLED"),
    DeleteTask(task_id=CHILD),
    RestoreTask(task_id=GONE),
    MoveTask(task_id=CHILD, project_id=OPS, status="IN_PROGRESS"),
    AddRelation(task_id=CHILD, kind=RelationKind.BLOCKS, other_id=NODES[3]),
    RemoveRelation(task_id=CHILD, kind=RelationKind.BLOCKS, other_id=TASK),
    LabelTask(task_id=CHILD, label_id=LABELS[0]),
    UnlabelTask(task_id=CHILD, label_id=LABELS[1]),
    UnassignFormerMember(task_id=CHILD, user_id=DAN),
    ReleaseWithoutSight(task_id=CHILD, user_id=CLEO),
    RankTask(task_id=CHILD, beside=TASK, before=False, neighbor=NODES[1]),
    PutBackInStatus(task_id=CHILD, to="CANCELLED"),
    SetRecurrence(task_id=CHILD, series_id=GONE, rrule="FREQ=DAILY"),
    StopRecurrence(task_id=NODES[3]),
    PutBackAtRank(task_id=CHILD, rank="1"),
]


class _Watched(MemoryStore):
    """Notes how many streams each append verifies."""

    verified: tuple[int, ...] = ()

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        self.verified += tuple(len(append.expects) for append in appends)
        return super().commit(appends)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
async def test_a_command_on_a_task_verifies_few_streams(command: Command) -> None:
    store = _Watched()
    async with opened(store) as log:
        session = on(LAPTOP, started(ANA))
        await record(log, *ACCOUNTS, session, *HERE, *CHAIN, on(CHILD, task(6)), *NAMED)
        await record(log, OTHER, RELATED, on(GONE, task(7), TaskDeleted()), LABELLED)
        seen = {LAPTOP: 1, ANA: 1}
        await CommandHandler(log).handle(command, context(seen=seen, session_id=LAPTOP))

    assert store.verified[-1] <= EXPECTS_MAX


def test_every_command_on_a_task_is_among_them() -> None:
    found, ahead = set[type[Command]](), [TaskCommand]
    for kind in ahead:
        ahead += kind.__subclasses__()
        found |= {kind} - {TaskCommand, RelationCommand}

    ours = {kind for kind in found if kind.__module__.startswith("commands.")}
    assert ours <= {type(each) for each in COMMANDS}
