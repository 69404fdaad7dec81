"""Queries of an inbox: what others did to somebody, and to the tasks that they watch.

Nothing is stored for it but the activity of tasks and persons: an event that concerns nobody costs
nothing, and who watches a task is asked when the inbox is read.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from domain.base import OrgId, ProjectId, TaskId, UserId
from projections.base import text_of
from projections.engine.find import ReadModels, full_page
from projections.engine.query import EITHER_MAX, LIMIT_MAX, ListSlice, Query, list_slice
from projections.shape import Value
from projections.work.task_filter import TaskFilter
from projections.work.task_list import find_tasks, merged
from projections.work.task_query import TaskOrder, TaskSort, lanes_of

WATCHED_MAX = 5_000
"""How many of the tasks that somebody watches their inbox looks at: those that changed last."""
_AT_ONCE = 100
"""How many events are looked at in one query."""
_SILENT = frozenset({"task.created", "task.ranked", "task.watched", "task.unwatched"})
"""Changes of a task that nobody is told of."""


_CREATING = frozenset({"CreateTask", "CreateFromTemplate", "ImportTasks", "ImportFiles"})
"""Commands that set the fields of a new task, or bring old files, which are no changes."""
_OLD_NEWS = "ImportComments"
"""The command that posts comments which were written elsewhere, some time ago."""


class InboxNoticeKind(StrEnum):
    """Why something is in somebody's inbox."""

    ASSIGNED = "assigned"
    MENTIONED = "mentioned"
    COMMENTED = "commented"
    REACTED = "reacted"
    CHANGED = "changed"
    DUE_SOON = "due_soon"


class NoticeActor(Struct, frozen=True):
    """Who did it: a user, an API key, or the system."""

    type: str
    id: UUID


class InboxEntry(Struct, frozen=True):
    """Something that somebody else did, which an inbox shows."""

    seq: int
    kind: InboxNoticeKind
    type: str
    at: datetime
    actor: NoticeActor
    task_id: TaskId


class WatchedTask(Struct, frozen=True, rename="camel"):
    """What an inbox shows of a task."""

    id: TaskId
    project_id: ProjectId
    number: int
    title: str


class _Happened(Struct, frozen=True, rename="camel"):
    """An event as the activity has it."""

    seq: int
    type: str
    at: datetime
    actor: NoticeActor
    command: str
    stream: dict[str, Any]
    data: dict[str, Any]
    on_behalf_of: UUID | None = None


_happened = msgspec.json.Decoder(_Happened).decode
decode_tasks = msgspec.json.Decoder(list[WatchedTask]).decode


async def watched_tasks(
    models: ReadModels, org_id: OrgId, projects: Collection[ProjectId], user_id: UserId
) -> dict[TaskId, WatchedTask]:
    """Return the tasks of *projects* that somebody watches, at most ``WATCHED_MAX``."""
    lanes = lanes_of([(each, None) for each in projects])
    wanted, order = TaskFilter(watchers=(user_id,)), TaskOrder(TaskSort.UPDATED)
    found: dict[TaskId, WatchedTask] = {}
    after: str | None = None
    while len(found) < WATCHED_MAX:
        page = await find_tasks(models, org_id, lanes, wanted, order, LIMIT_MAX, after)
        found |= {task.id: task for task in decode_tasks(b"[%b]" % page.json)}
        after = page.next_key
        if after is None:
            break
    return found


class Reading(Struct, frozen=True):
    """Whose inbox is read, and which part: below and above a sequence number, without archived."""

    org_id: OrgId
    user_id: UserId
    watched: Collection[TaskId]
    archived: Collection[str] = frozenset()
    below: int | None = None
    above: int | None = None


async def notices_of(
    models: ReadModels, reading: Reading, limit: int
) -> tuple[list[InboxEntry], int | None]:
    """Return notices, the newest first, and the sequence number below which there are more."""
    found: dict[int, InboxEntry] = {}

    async def find(_: int, below: int | None) -> ListSlice:
        happenings = await _happenings(models, reading, below)
        some: dict[int, bytes] = {}
        for item in happenings.items:
            happened = _happened(item)
            kind = _kind(happened, text_of(reading.user_id))
            if kind is not None and str(happened.seq) not in reading.archived:
                found[happened.seq], some[happened.seq] = _notice(happened, kind), item
        return list_slice([*some.values()], happenings.next_key, [*some])

    page = await full_page(find, limit, reading.below)
    return [found[seq] for seq in page.keys], page.next_key


async def notices_at(
    models: ReadModels, reading: Reading, seqs: Iterable[int]
) -> dict[int, InboxEntry]:
    """Return the notices with these numbers that still concern somebody, also archived ones."""
    found: dict[int, InboxEntry] = {}
    for seq in seqs:
        one = replace(reading, archived=frozenset(), below=seq + 1, above=seq - 1)
        entries, _ = await notices_of(models, one, 1)
        found |= {entry.seq: entry for entry in entries}
    return found


async def _happenings(models: ReadModels, reading: Reading, below: int | None) -> ListSlice:
    """Return the newest events about the person and what they watch, and where there are more."""
    about = [text_of(reading.user_id), *map(text_of, reading.watched)]
    queries = [
        _query(reading, about[at : at + EITHER_MAX], below)
        for at in range(0, len(about), EITHER_MAX)
    ]
    return merged(await models.pages(*queries), _AT_ONCE, descending=True)


def _query(reading: Reading, about: Sequence[str], below: int | None) -> Query:
    where: dict[str, Value] = {"org": text_of(reading.org_id)}
    return Query(
        model="activity",
        where=where | {"about": about[0]} if len(about) == 1 else where,
        either=("about", about) if len(about) > 1 else None,
        sort="seq",
        descending=True,
        limit=_AT_ONCE,
        below=below,
        above=reading.above,
        keyed=True,
    )


def _kind(happened: _Happened, user_id: str) -> InboxNoticeKind | None:
    """Return why an event concerns somebody; None if it does not, or they did it."""
    by = happened.on_behalf_of or happened.actor.id
    if text_of(by) == user_id:
        return None
    if happened.type == "task.assigned" and happened.data["userId"] == user_id:
        return InboxNoticeKind.ASSIGNED
    if happened.type.startswith("comment."):
        return _kind_of_comment(happened, user_id)
    if happened.type == "task.mentioned":
        return InboxNoticeKind.MENTIONED if user_id in happened.data["added"] else None
    if happened.type in _SILENT or happened.command in _CREATING:
        return None
    changes = happened.type.startswith("task.") or happened.type == "attachment.uploaded"
    return InboxNoticeKind.CHANGED if changes else None


def _kind_of_comment(happened: _Happened, user_id: str) -> InboxNoticeKind | None:
    if happened.command == _OLD_NEWS:
        return None
    if happened.type == "comment.posted":
        mentioned = user_id in happened.data.get("mentions", ())
        return InboxNoticeKind.MENTIONED if mentioned else InboxNoticeKind.COMMENTED
    if happened.type == "comment.reaction_added":
        return InboxNoticeKind.REACTED if happened.data["author"] == user_id else None
    is_new = happened.type == "comment.edited" and user_id in happened.data.get("added", ())
    return InboxNoticeKind.MENTIONED if is_new else None


def _notice(happened: _Happened, kind: InboxNoticeKind) -> InboxEntry:
    task_id = UUID(happened.data.get("taskId") or happened.stream["id"])
    return InboxEntry(
        seq=happened.seq,
        kind=kind,
        type=happened.type,
        at=happened.at,
        actor=happened.actor,
        task_id=TaskId(task_id),
    )
