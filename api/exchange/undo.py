"""HTTP route that takes back what was recorded under one correlation id."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, post
from litestar.params import FromPath, Parameter
from msgspec import Struct

from api.http.paging import wait_for_own_writes
from api.http.parameters import shows
from api.http.policy import needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command
from api.work.task_place import subtasks_known
from commands.receipt import Receipt, Response
from commands.undo.changed import RecalledEvent
from commands.undo.recall import recall
from commands.undo.task import WITH_SUBTASKS
from commands.undo.undo_changes import EVENTS_MAX, UndoChanges
from commands.undo.undoing import LeftAsItIs, Undone
from commands.work.trash.task import BELOW_MAX
from domain.base import TaskId
from domain.identity.plan import PlanLimitReached
from domain.permission import Permission
from domain.undo import TooManyChanges
from projections.work.activity import recorded_under

_encode = msgspec.json.Encoder().encode
CorrelationId = FromPath[
    Annotated[str, Parameter(max_length=64, description="What X-Correlation-Id answered")]
]


class ThingRef(Struct, frozen=True):
    """A thing by its kind and id."""

    type: str
    id: UUID


class ConflictView(Struct, frozen=True):
    """A change that was not undone: of which thing, which field of it, and why.

    ``field`` is null for a thing as a whole; ``code`` is what refused it.
    """

    ref: ThingRef
    field: str | None
    code: str


class UndoneView(Struct, frozen=True, rename="camel"):
    """How many changes were undone, how many were so already, and which were left as they are.

    By ``correlationId`` this can be undone in turn.
    """

    correlation_id: str
    undone: int
    unchanged: int
    conflicts: list[ConflictView]


class UndoController(Controller):
    """Taking back what was done."""

    path = "/api/undo/{correlation_id:str}"
    tags = ("Undo",)

    @post(
        "/",
        status_code=200,
        opt=needs(
            Permission.CHANGE_UNDO,
            fails=(
                PlanLimitReached,
                TooManyChanges,
                (503, "read_model_behind"),
                (503, "rebuilding"),
            ),
        ),
        responses=shows(UndoneView),
    )
    async def undo(self, request: ApiRequest, correlation_id: CorrelationId) -> ApiResponse:
        """Undo what was recorded under a correlation id, by as many new events as it takes.

        What was changed since stays as it is and is among the `conflicts`, as is what the caller
        may not change back. What is undone already is unchanged.
        """
        recalled = await _recalled(request, correlation_id)
        undone: list[Undone] = []
        command = UndoChanges(
            correlation_id=correlation_id,
            recalled=recalled,
            below=await _below(request, recalled),
            fingerprint=request.api.system.log.keys.fingerprint,
            note=undone.append,
        )

        def shown(_: Receipt) -> Response:
            return Response(200, 0, _encode(_view(request, undone[-1])))

        def rehearsed() -> dict[str, Any]:
            told: dict[str, Any] = msgspec.to_builtins(_view(request, undone[-1]))
            del told["correlationId"]
            return told

        reply = Reply(stream=None, whole=shown, tagged=False, dry=rehearsed)
        return await run_command(request, command, reply)


async def _recalled(request: ApiRequest, correlation_id: str) -> tuple[RecalledEvent, ...]:
    """Return the events that have a correlation id, of too many one more than can be undone."""
    org_id, api = await request.own_organization(), request.api
    await wait_for_own_writes(request, "activity")
    sequences = await recorded_under(api.models, org_id, correlation_id, EVENTS_MAX)
    return tuple(await recall(api.system.log, org_id, correlation_id, sequences))


async def _below(
    request: ApiRequest, recalled: tuple[RecalledEvent, ...]
) -> dict[UUID, tuple[TaskId, ...]]:
    """Return the subtasks of the tasks that may go, come back or be put elsewhere."""
    roots = dict.fromkeys(each.stream for each in recalled if isinstance(each.event, WITH_SUBTASKS))
    return {each: await subtasks_known(request, TaskId(each), BELOW_MAX) for each in roots}


def _view(request: ApiRequest, undone: Undone) -> UndoneView:
    return UndoneView(
        request.client_info.correlation,
        undone.undone,
        undone.unchanged,
        [_conflict(each) for each in undone.conflicts],
    )


def _conflict(told: LeftAsItIs) -> ConflictView:
    first, *others = told.field.split("_")
    name = first + "".join(map(str.capitalize, others))
    return ConflictView(ThingRef(told.kind, told.id), name or None, told.code)
