"""HTTP routes of the relations of a task."""

from datetime import datetime
from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from api.http.paging import list_json
from api.http.parameters import Page, nothing, shows
from api.http.policy import needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command
from api.work.task_key import TaskRef, task_here, task_id_of
from commands.work.relation import AddRelation, RemoveRelation
from domain.base import NotFound, TaskId
from domain.permission import Permission
from domain.work.project.errors import ProjectIsArchived
from domain.work.relation import (
    DependencyGraph,
    RelationCycle,
    RelationExists,
    RelationKind,
    RelationToItself,
    TooManyRelations,
    graph_of,
)
from projections.work.relation import RelationView, render_relation


class NewRelation(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a relation: how this task is related to another one."""

    kind: RelationKind
    task_id: TaskId


class RelationController(Controller):
    """Which tasks a task blocks, duplicates or concerns."""

    path = "/api/task/{task:str}/relations"
    tags = ("Relations",)

    @post(
        "/",
        opt=needs(
            Permission.TASK_EDIT,
            fails=(
                ProjectIsArchived,
                RelationCycle,
                RelationExists,
                RelationToItself,
                TooManyRelations,
            ),
        ),
        responses=shows(RelationView, 201),
    )
    async def add_relation(
        self, request: ApiRequest, task: TaskRef, data: JSONBody[NewRelation]
    ) -> ApiResponse:
        """Say how a task is related to another one of the organization, in any project."""
        graph = graph_of(await request.own_organization())
        task_id = await task_id_of(request, task)
        body = await _shown(request, data.kind, data.task_id)
        command = AddRelation(task_id=task_id, kind=data.kind, other_id=data.task_id)

        def show(found: DependencyGraph, version: int, at: datetime) -> bytes:
            return body

        reply = Reply(stream=graph, show=show, status=201, tagged=False)
        return await run_command(request, command, reply)

    @get("/", opt=needs(Permission.TASK_READ), responses=shows(Page[RelationView]))
    async def list_relations(self, request: ApiRequest, task: TaskRef) -> ApiResponse:
        """List the relations of a task to tasks that the caller may see; they are at most 50."""
        task_id = await task_id_of(request, task)
        await task_here(request, task_id)
        items = [
            body
            for kind, other in (await _graph(request)).relations(task_id)
            if (body := await _shown_if_here(request, kind, other)) is not None
        ]
        return ApiResponse(list_json(b",".join(items), None))

    @delete(
        "/{kind:str}/{other_id:uuid}",
        status_code=200,
        opt=needs(Permission.TASK_EDIT, fails=(ProjectIsArchived,)),
        responses=nothing(),
    )
    async def remove_relation(
        self, request: ApiRequest, task: TaskRef, kind: FromPath[str], other_id: FromPath[UUID]
    ) -> ApiResponse:
        """Say that a task is no longer related to another one in this way."""
        if kind not in [*RelationKind]:
            raise NotFound
        command = RemoveRelation(
            task_id=await task_id_of(request, task),
            kind=RelationKind(kind),
            other_id=TaskId(other_id),
        )
        return await run_command(
            request, command, Reply(stream=graph_of(await request.own_organization()))
        )


async def _graph(request: ApiRequest) -> DependencyGraph:
    """Return the relations of the organization as they are now."""
    try:
        return (await request.newest(DependencyGraph, graph_of(request.organization))).state
    except NotFound:
        return DependencyGraph()


async def _shown(request: ApiRequest, kind: RelationKind, other: TaskId) -> bytes:
    """Return the JSON of a relation to a task.

    :raises NotFound: that task is not there.
    """
    found, project = await task_here(request, other)
    return render_relation(kind, other, found.state, project)


async def _shown_if_here(request: ApiRequest, kind: RelationKind, other: TaskId) -> bytes | None:
    try:
        return await _shown(request, kind, other)
    except NotFound:
        return None
