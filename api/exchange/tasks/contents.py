"""What is beside the tasks of a project on its way out: comments, files, relations."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from api.exchange.tasks.packing import PackedFile
from api.http.paging import LIMIT_MAX
from api.http.request import ApiRequest
from api.work.task_key import task_here
from domain.base import PLATFORM, AttachmentId, CommentId, NotFound, TaskId, UserId, WorklogId
from domain.work.attachment import ScanState
from domain.work.relation import DependencyGraph, RelationKind, graph_of
from domain.work.task.imported import TaskOrigin
from projections.base import document_id
from projections.engine.find import ReadModels
from projections.engine.query import ListSlice
from projections.planning.worklog import worklogs_of
from projections.work.attachment import attachments_of
from projections.work.comment import comments_of

Line = dict[str, Any]
_FORWARD = frozenset({RelationKind.BLOCKS, RelationKind.DUPLICATES})
_TASKS_OF_A_TURN = 200
"""Tasks whose relations are looked up before others get their turn."""


class _Comment(Struct, frozen=True, rename="camel"):
    id: CommentId
    parent_id: CommentId | None
    body: str
    mentions: tuple[UserId, ...]
    created_by: UserId | None
    created_at: datetime | None
    imported: TaskOrigin | None


class _File(Struct, frozen=True, rename="camel"):
    id: AttachmentId
    name: str
    type: str
    size: int
    sha256: str
    state: ScanState
    created_by: UserId | None
    created_at: datetime | None
    imported: TaskOrigin | None


class _Worklog(Struct, frozen=True, rename="camel"):
    id: WorklogId
    user_id: UserId | None
    minutes: int
    date: str
    note: str | None
    created_at: datetime | None
    imported: TaskOrigin | None

    @property
    def created_by(self) -> UserId | None:
        """Whose time it is, whom a file names as its author."""
        return self.user_id


class _User(Struct, frozen=True):
    email: str


_comment = msgspec.json.Decoder(_Comment).decode
_file = msgspec.json.Decoder(_File).decode
_worklog = msgspec.json.Decoder(_Worklog).decode
_user = msgspec.json.Decoder(_User).decode


def line_of(about: Line) -> Line:
    """Return a line without what it does not say."""
    return {name: value for name, value in about.items() if value not in (None, [], {})}


async def addresses_of(models: ReadModels, people: Iterable[UserId | None]) -> dict[UserId, str]:
    """Return the addresses of people, without those whose account was erased."""
    ids = {document_id(PLATFORM, each): each for each in people if each is not None}
    found = await models.many("users", list(ids))
    return {ids[key]: _user(user).email for key, user in found.items()}


async def comment_lines(request: ApiRequest, task_id: TaskId, known_as: str) -> list[Line]:
    """Return the comments of a task, the oldest first, so that none comes before its thread."""
    models, org_id = request.api.models, request.organization
    found = [
        _comment(item)
        async for item in _all(
            lambda after: comments_of(models, org_id, task_id, None, LIMIT_MAX, after)
        )
    ]
    people = await addresses_of(
        models, (each for one in found for each in (one.created_by, *one.mentions))
    )
    ids = {
        one.id: str(one.id) if one.imported is None else one.imported.external_id for one in found
    }
    return [
        line_of(
            {
                "type": "comment",
                "id": ids[one.id],
                "task": known_as,
                "parent": None if one.parent_id is None else ids.get(one.parent_id),
                "body": one.body,
                "mentions": [people[each] for each in one.mentions if each in people],
                "occurredAt": one.imported.occurred_at if one.imported else one.created_at,
                "author": _author(one, people),
            }
        )
        for one in found
    ]


def _author(one: _Comment | _File | _Worklog, people: Mapping[UserId, str]) -> str | None:
    if one.imported is not None:
        return one.imported.author
    return None if one.created_by is None else people.get(one.created_by)


async def worklog_lines(request: ApiRequest, task_id: TaskId, known_as: str) -> list[Line]:
    """Return the time that was logged on a task, the latest day first."""
    models, org_id = request.api.models, request.organization
    found = [
        _worklog(item)
        async for item in _all(
            lambda before: worklogs_of(models, org_id, task_id, LIMIT_MAX, before)
        )
    ]
    people = await addresses_of(models, (one.user_id for one in found))
    return [
        line_of(
            {
                "type": "worklog",
                "id": str(one.id) if one.imported is None else one.imported.external_id,
                "task": known_as,
                "minutes": one.minutes,
                "date": one.date,
                "note": one.note,
                "occurredAt": one.imported.occurred_at if one.imported else one.created_at,
                "author": _author(one, people),
            }
        )
        for one in found
    ]


async def files_told(request: ApiRequest, task_id: TaskId) -> list[Line]:
    """Return what is known about the files of a task; their contents stay where they are."""
    found = await _files_of(request, task_id)
    people = await addresses_of(request.api.models, (one.created_by for one in found))
    return [
        line_of(
            {
                "id": str(one.id),
                "name": one.name,
                "type": one.type,
                "size": one.size,
                "sha256": one.sha256,
                "createdBy": None if one.created_by is None else people.get(one.created_by),
                "createdAt": one.created_at,
            }
        )
        for one in found
    ]


async def file_lines(
    request: ApiRequest, task_id: TaskId, named: str, files: list[PackedFile]
) -> list[Line]:
    """Return the files of a task, and add to *files* whose contents go into the archive."""
    found = await _files_of(request, task_id)
    people = await addresses_of(request.api.models, (one.created_by for one in found))
    lines: list[Line] = []
    for one in found:
        path: str | None = None
        if one.state is ScanState.CLEAN:
            path = f"files/{len(files) + 1}/{one.name}"
            files.append(PackedFile(task_id, one.id, path))
        lines.append(
            line_of(
                {
                    "type": "file",
                    "id": str(one.id) if one.imported is None else one.imported.external_id,
                    "task": named,
                    "name": one.name,
                    "mediaType": one.type,
                    "size": one.size,
                    "sha256": one.sha256,
                    "path": path,
                    "occurredAt": one.imported.occurred_at if one.imported else one.created_at,
                    "author": _author(one, people),
                }
            )
        )
    return lines


async def _files_of(request: ApiRequest, task_id: TaskId) -> list[_File]:
    models, org_id = request.api.models, request.organization
    return [
        _file(item)
        async for item in _all(
            lambda after: attachments_of(models, org_id, task_id, LIMIT_MAX, after)
        )
    ]


async def relation_lines(
    request: ApiRequest, known: Mapping[TaskId, str]
) -> AsyncIterator[list[Line]]:
    """Yield the relations of the tasks in *known*, which are named as it says, each once.

    Those to tasks of other projects are among them if the caller sees those now.
    """
    try:
        graph = (await request.newest(DependencyGraph, graph_of(request.organization))).state
    except NotFound:
        return
    places = {task_id: place for place, task_id in enumerate(known)}
    lines: list[Line] = []
    for task_id, place in places.items():
        for kind, other in graph.relations(task_id):
            if other not in places:
                lines += await _relation_to_elsewhere(request, known[task_id], kind, other)
            elif kind in _FORWARD or _is_first(kind, place, places[other]):
                names = known[task_id], known[other]
                lines.append({"type": "relation", "task": names[0], "kind": kind, "to": names[1]})
        if place % _TASKS_OF_A_TURN == _TASKS_OF_A_TURN - 1:
            yield lines
            lines = []
            await asyncio.sleep(0)
    yield lines


async def _relation_to_elsewhere(
    request: ApiRequest, task: str, kind: RelationKind, other: TaskId
) -> list[Line]:
    """Return the line of a relation to a task of another project; none if it is not seen."""
    try:
        found, project = await task_here(request, other)
    except NotFound:
        return []
    to = known_as(other, found.state.origin)
    line = {"type": "relation", "task": task, "kind": kind, "to": to, "toProject": project.key}
    return [line]


def known_as(task_id: TaskId, origin: TaskOrigin | None) -> str:
    """Return by which id files know a task."""
    return str(task_id) if origin is None else origin.external_id


def _is_first(kind: RelationKind, place: int, other: int) -> bool:
    """Return whether a relation that is the same from both ends is told from this one."""
    return kind is RelationKind.RELATES and place < other


async def _all(page_of: Callable[[str | None], Awaitable[ListSlice]]) -> AsyncIterator[bytes]:
    """Yield every item of a list."""
    after: str | None = None
    while True:
        page = await page_of(after)
        for item in page.items:
            yield item
        if page.next_key is None:
            return
        after = str(page.next_key)
