"""How many streams the append verifies for a command on a task: few, however deep it is nested."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from commands.base import Command
from commands.handler import CommandHandler
from commands.work.task import AssignTask, EditTask
from commands.work.task_create import CreateTask
from commands.work.task_label import LabelTask
from commands.work.task_rank import RankTask
from domain.base import LabelId
from domain.work.label import LabelCreated
from eventstore.append import Append, Outcome
from eventstore.memory import MemoryStore
from tests.commands.acme import ACCOUNTS, CHILD, HERE, LAPTOP, started, task
from tests.commands.work.test_task_tree import CHAIN, NODES
from tests.domain.spec import ANA, BEN, ENG, NOW, TASK
from tests.spec import context, on, opened, record

EXPECTS_MAX = 9
LABELS = [LabelId(UUID(int=2_000 + n)) for n in range(50)]
NAMED = [
    on(each, LabelCreated(name=str(each), color="#ff0000", created_by=ANA, created_at=NOW))
    for each in LABELS
]


class _Watched(MemoryStore):
    """Notes how many streams each append verifies."""

    verified: tuple[int, ...] = ()

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        self.verified += tuple(len(append.expects) for append in appends)
        return super().commit(appends)


@pytest.mark.parametrize(
    "command",
    [
        CreateTask(task_id=NODES[6], project_id=ENG, title="Deep", parent_id=NODES[3]),
        CreateTask(task_id=NODES[6], project_id=ENG, title="Labelled", labels=tuple(LABELS)),
        EditTask(task_id=CHILD, parent_id=NODES[3]),
        AssignTask(task_id=CHILD, user_id=BEN),
        LabelTask(task_id=CHILD, label_id=LABELS[0]),
        RankTask(task_id=CHILD, beside=TASK, before=False, neighbor=NODES[1]),
    ],
    ids=lambda command: type(command).__name__,
)
async def test_a_command_on_a_task_verifies_few_streams(command: Command) -> None:
    store = _Watched()
    async with opened(store) as log:
        session = on(LAPTOP, started(ANA))
        await record(log, *ACCOUNTS, session, *HERE, *CHAIN, on(CHILD, task(6)), *NAMED)
        seen = {LAPTOP: 1, ANA: 1}
        await CommandHandler(log).handle(command, context(seen=seen, session_id=LAPTOP))

    assert store.verified[-1] <= EXPECTS_MAX
