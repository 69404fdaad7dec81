"""Responses to commands on one task: the task as it is after them."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import replace

from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, Show, run_command
from api.work.tasks.detail import TaskDetail, Viewer, beside_of
from commands.exchange.from_template import CreateFromTemplate, MadeFromTemplate, TemplateLeftOut
from commands.states import Loaded
from commands.work.task import TaskCommand
from commands.work.task_create import CreateTask
from domain.base import TaskId, TemplateId
from domain.identity.organization.state import Organization
from domain.planning.template.values import SUBTASKS_MAX
from domain.work.task.state import Task
from eventstore.identifiers import new_id
from projections.base import View
from projections.work.task import NOTHING_BESIDE, Beside, Subtasks

_encode = msgspec.json.Encoder().encode
_members = msgspec.json.Decoder(dict[str, Raw]).decode
_Read = Mapping[UUID, Loaded[Any]]
"""What a command read. Written out in a function within another, it would be made at each call."""


class _Seen(Struct, frozen=True):
    """A task, and who sees it."""

    task: Task
    viewer: Viewer


def shown_task(
    request: ApiRequest, task_id: UUID, status: int = 200, beside: Beside = NOTHING_BESIDE
) -> Reply:
    """Return the reply that shows a task in full."""

    def show(seen: _Seen, version: int, at: datetime) -> bytes:
        return seen.viewer.rendered(TaskId(task_id), seen.task, version, at, beside)

    return _reply_with_task(request, task_id, show, status)


def _reply_with_task(request: ApiRequest, task_id: UUID, show: Show, status: int = 200) -> Reply:
    """Return the reply in which *show* renders a task as somebody sees it (``_Seen``)."""
    location = "/api/task/{id}" if status == 201 else ""
    adapt = partial(_seen, request)
    return Reply(stream=task_id, show=show, adapt=adapt, status=status, location=location)


def _seen(request: ApiRequest, task: Task, read: _Read) -> _Seen:
    return _Seen(_as_now(task, read), _viewer(request, read))


def _as_now(task: Task, read: _Read) -> Task:
    """Return a task under the key, and in the status, that its project has for it now."""
    project = None if task.project_id is None else read.get(task.project_id)
    if project is None:
        return task
    place = project.state.workflow.place(task.status, task.group)
    return replace(task, project_key=project.state.key, status=place.key, group=place.group)


def _viewer(request: ApiRequest, read: _Read) -> Viewer:
    """Return the caller as a viewer in the time zone that the command has read."""
    [organization] = [one.state for one in read.values() if isinstance(one.state, Organization)]
    zone = ZoneInfo(organization.settings.time_zone)
    return Viewer(request.caller.user_id, request.api.system.clock(), zone)


async def change_task(request: ApiRequest, command: TaskCommand) -> ApiResponse:
    """Run a command on a task and return the task."""
    # In memory, a session can still be without an organization: then it is read again.
    org_id = request.caller.org_id or await request.own_organization()
    # What the command does not change.
    beside = await beside_of(request.api.system, org_id, command.task_id)
    return await run_command(request, command, shown_task(request, command.task_id, beside=beside))


class LeftOutValue(View, frozen=True):
    """A value of a template that a task did not get; `code` says why, as a refusal would.

    `subtask` is the place of a subtask among those of the template, from 0, and null for the task
    itself. A field with several values is named once for each that was left out.
    """

    subtask: int | None
    field: str
    value: str | float | list[str]
    code: str


class CreatedTask(TaskDetail, frozen=True, kw_only=True):
    """A new task; `templateLeftOut` is there if it was created from a template."""

    template_left_out: list[LeftOutValue] | UnsetType = UNSET


class _Noted:
    """What the command says of a template, once it has decided."""

    made = MadeFromTemplate()

    def note(self, made: MadeFromTemplate) -> None:
        self.made = made

    @property
    def left_out(self) -> list[LeftOutValue]:
        """What is told of it."""
        return [_told(each) for each in self.made.left_out]


async def create_from_template(
    request: ApiRequest, task: CreateTask, template_id: TemplateId, body: type[Struct]
) -> ApiResponse:
    """Create a task from a template, and show it; what the *body* of the request gives wins."""
    noted = _Noted()
    command = CreateFromTemplate(
        template_id=template_id,
        task=task,
        given=_given(await request.body(), body),
        subtask_ids=tuple(TaskId(new_id()) for _ in range(SUBTASKS_MAX)),
        note=noted.note,
    )

    def show(seen: _Seen, version: int, at: datetime) -> bytes:
        subtasks = Subtasks(noted.made.finished, noted.made.subtasks)
        beside = Beside(subtasks=subtasks)
        shown = seen.viewer.rendered(task.task_id, seen.task, version, at, beside)
        return b'%b,"templateLeftOut":%b}' % (shown[:-1], _encode(noted.left_out))

    def dry() -> dict[str, Any]:
        return {"templateLeftOut": noted.left_out}

    reply = replace(_reply_with_task(request, task.task_id, show, 201), dry=dry)
    return await run_command(request, command, reply)


def _given(body: bytes, kind: type[Struct]) -> frozenset[str]:
    """Return the names of the fields of *kind* that *body*, which was decoded as one, gives."""
    names = dict(zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True))
    return frozenset(names[each] for each in _members(body))


def _told(left_out: TemplateLeftOut) -> LeftOutValue:
    field, refused = left_out.misfit.field, left_out.misfit.refused
    name, _, key = field.partition(".")
    first, *others = name.split("_")
    camel = "".join([first, *(each.capitalize() for each in others)])
    return LeftOutValue(
        subtask=left_out.subtask,
        field=f"{camel}.{key}" if key else camel,
        value=msgspec.to_builtins(left_out.misfit.value),
        code=refused.code,
    )
