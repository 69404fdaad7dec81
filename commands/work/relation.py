"""Commands on the relations between tasks."""

import asyncio
from collections.abc import Generator
from typing import TypeVar
from uuid import UUID

from commands.base import Context, Decision, changes_of
from commands.reads import Reads
from commands.work.task import TaskCommand, read_task, refuse_unless_sees_task
from domain.base import TaskId
from domain.work.relation import (
    DependencyGraph,
    Relation,
    RelationAdded,
    RelationKind,
    RelationRemoved,
    graph_of,
    relation,
)
from domain.work.task.state import Task
from domain.work.workflow.events import FINISHED

R = TypeVar("R")


class RelationCommand(TaskCommand, frozen=True, kw_only=True):
    """A command on the relation of one task to another."""

    kind: RelationKind
    other_id: TaskId

    def turn(self, context: Context) -> UUID | None:
        """Return the graph of the organization, which all of these commands change."""
        return graph_of(context.organization)

    async def permit(self, read: Reads, context: Context, /) -> None:
        await super().permit(read, context)
        await refuse_unless_sees_task(read, context, self.other_id)

    async def read_both(self, read: Reads) -> tuple[Relation, Task]:
        """Return the relation as it is stored, and its first task.

        :raises NotFound: one of the tasks is not there.
        """
        task, project = await read_task(read, self.task_id)
        project.refuse_unless_editable()
        other, _ = await read_task(read, self.other_id)
        found = relation(self.task_id, self.kind, self.other_id)
        return found, task if found.from_ == self.task_id else other


class AddRelation(RelationCommand, frozen=True, kw_only=True):
    """Say that a task blocks, duplicates or concerns another one."""

    records = (RelationAdded,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        added, first = await self.read_both(read)
        stream = graph_of(context.organization)
        graph = read.new(DependencyGraph, stream)
        events = await in_steps(graph.add(added, is_open=first.group not in FINISHED))
        return changes_of(stream, events)


class RemoveRelation(RelationCommand, frozen=True, kw_only=True):
    """Say that a task no longer blocks, duplicates or concerns another one."""

    records = (RelationRemoved,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        removed, first = await self.read_both(read)
        stream = graph_of(context.organization)
        graph = read.new(DependencyGraph, stream)
        return changes_of(stream, graph.remove(removed, is_open=first.group not in FINISHED))


async def in_steps(steps: Generator[None, None, R]) -> R:
    """Return the result of *steps*; between two of them other requests are served."""
    while True:
        try:
            next(steps)
        except StopIteration as ended:
            result: R = ended.value
            return result
        await asyncio.sleep(0)
