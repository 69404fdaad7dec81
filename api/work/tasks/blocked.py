"""Which tasks only seem to be blocked: what blocks them is in projects in the trash."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, TypeVar
from uuid import UUID

from api.http.request import ApiRequest
from commands.relation_counts import open_blockers
from commands.states import States
from commands.work.task_event import hidden_blockers
from domain.base import OrgId, State, TaskId
from domain.work.project.state import Project
from domain.work.relation import DependencyGraph, graph_of
from domain.work.task.state import Task
from eventstore.log import EventLog
from projections.work.project import has_deleted_projects

BLOCKED, FREE = b'"blocked":true', b'"blocked":false'
"""What a task says in a list, and nothing else in it does: inside a text, quotes are escaped."""
S = TypeVar("S", bound=State)


class _Now:
    """Reads states as they are now; what is read again is as it was the first time."""

    def __init__(self, states: States, org_id: OrgId) -> None:
        self._states, self._org_id = states, org_id
        self.heads: dict[UUID, int] = {}

    async def __call__(self, kind: type[S], stream: UUID, /) -> S:
        [found] = await self._states.all_fresh([(kind, stream)], self._org_id, self.heads)
        state: S = found.state
        return state


class Unblocked(NamedTuple):
    """Tasks of which all open blockers are hidden.

    ``heads`` are the versions of what was read that tell so; None if it follows from more.
    """

    tasks: frozenset[TaskId] = frozenset()
    heads: Mapping[UUID, int] | None = MappingProxyType({})


async def unblocked(
    log: EventLog, states: States, org_id: OrgId, blocked: Sequence[TaskId]
) -> Unblocked:
    """Return those of *blocked* tasks of which all open blockers are hidden."""
    if not blocked:
        return Unblocked()
    read = _Now(states, org_id)
    graph = await read(DependencyGraph, graph_of(org_id))
    blockers = {other: Task for each in blocked for other in graph.blockers_of(each)}
    tasks = await states.all_fresh([(k, s) for s, k in blockers.items()], org_id, read.heads)
    around = {each.state.project_id for each in tasks if each.state.project_id is not None}
    projects = await states.all_fresh([(Project, each) for each in around], org_id, read.heads)
    if not any(each.state.deleted for each in projects):
        return Unblocked(heads=read.heads)
    counts = await log.counted(*(open_blockers(org_id, each) for each in blocked))
    hidden = [await hidden_blockers(read, graph, each) for each in blocked]
    free = [each for each, n, past in zip(blocked, counts, hidden, strict=True) if n <= past]
    return Unblocked(frozenset(free), None)


def is_blocked(task: bytes) -> bool:
    """Return whether a task, as JSON, says that it is blocked."""
    return BLOCKED in task


async def hides_blockers(request: ApiRequest) -> bool:
    """Return whether there may be tasks that only seem to be blocked."""
    return await has_deleted_projects(request.api.models, request.organization)
