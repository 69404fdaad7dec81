"""Any sequence of commands on what blocks what, beside the model.

In the end the read model of tasks shows what the model knows.
"""

from collections.abc import Sequence

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from commands.relation_counts import open_blockers
from commands.work.relation import AddRelation, RemoveRelation
from domain.base import TaskId, UserId
from domain.permission import Permission
from domain.work.relation import RelationKind, graph_of
from domain.work.workflow.events import Guard
from projections.work.task import Tasks
from tests.commands.machines.patience import examples
from tests.commands.machines.world import PEOPLE
from tests.commands.test_machine_of_tasks import Board
from tests.domain.spec import ACME
from tests.projections.spec import shown

BLOCKS = RelationKind.BLOCKS


class Web(Board):
    """The company, whose tasks block each other."""

    projects, tasks = Board.projects, Board.tasks

    def __init__(self) -> None:
        super().__init__()
        self.blocks: set[tuple[TaskId, TaskId]] = set()

    def is_held_up(self, task: TaskId, guards: Sequence[Guard]) -> bool:
        """Return whether a guard holds *task*; what a deleted project hides holds nothing."""
        return super().is_held_up(task, guards) or (
            Guard.NO_OPEN_BLOCKER in guards
            and any(self.pieces[one].project not in self.trash for one in self.blockers(task))
        )

    def open_above(self, task: TaskId) -> int:
        """Return how many open tasks block *task*, also in deleted projects."""
        return len(self.blockers(task))

    def blockers(self, task: TaskId) -> list[TaskId]:
        """Return the open tasks that block *task* and are not in the trash by themselves."""
        return [
            one
            for one, other in self.blocks
            if other == task and self.is_open(one) and self.shown(one)
        ]

    def leads(self, start: TaskId, goal: TaskId) -> bool:
        return start == goal or any(
            self.leads(other, goal) for one, other in self.blocks if one == start
        )

    @rule(one=tasks, other=tasks, by=PEOPLE, adds=st.booleans())
    def relate(self, one: TaskId, other: TaskId, by: UserId, adds: bool) -> None:
        first, second = self.pieces[one].project, self.pieces[other].project
        right = self.may(by, Permission.TASK_EDIT, first) and self.sees(by, second)
        right = right and self.editable(first) and second not in self.trash
        right = right and self.shown(one) and self.shown(other)
        if adds:
            right = right and (one, other) not in self.blocks and not self.leads(other, one)
        else:
            right = right and (one, other) in self.blocks
        kind = AddRelation if adds else RemoveRelation
        if self.passes(kind(task_id=one, kind=BLOCKS, other_id=other), by, right):
            (self.blocks.add if adds else self.blocks.discard)((one, other))

    @invariant()
    def what_blocks_a_task_is_counted_and_folded(self) -> None:
        expected = {open_blockers(ACME, task): self.open_above(task) for task in self.pieces}
        assert self.run(self.log.counted(*expected)) == list(expected.values())
        if self.blocks:
            graph = self.replayed(graph_of(ACME))
            assert {(t, o) for t in self.pieces for o in graph.blocked_by(t)} == self.blocks

    async def check_the_end(self) -> None:
        await super().check_the_end()
        events = await self.log.tail(0, 10_000)
        listed = shown(Tasks(), *(e for e in events if e.tag in Tasks.tags))
        assert len(listed) == len(self.pieces)
        for task, piece in self.pieces.items():
            document = listed[f"{ACME}:{task}"]
            view = msgspec.json.decode(document.json)
            told = (view["projectId"], view["number"], view["status"], view["blocked"])
            blocked = self.open_above(task) > 0
            assert told == (str(piece.project), piece.number, piece.status, blocked)
            assert document.deleted is not self.shown(task)


Web.TestCase.settings = settings(max_examples=examples(20), stateful_step_count=30)
TestWeb = Web.TestCase
