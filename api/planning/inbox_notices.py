"""The notices of the caller's inbox, each only as long as they see its task."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct, to_builtins

from api.http.paging import wait_for_own_writes
from api.http.request import ApiRequest
from api.work.sight import projects_seen
from commands.planning.inbox import read_up_to
from domain.base import NotFound, ProjectId, TaskId
from domain.identity.organization.state import Organization
from domain.planning.inbox import Inbox, stream_of_inbox
from domain.work.project.state import Project
from projections.base import View, document_id
from projections.planning.inbox import (
    Notice,
    NoticeActor,
    NoticeKind,
    Reading,
    WatchedTask,
    decode_tasks,
    notices_of,
    watched_tasks,
)
from projections.work.dashboard import Now, due_soon_of


class NoticeTask(View, frozen=True, kw_only=True):
    """The task that a notice is about."""

    id: TaskId
    key: str
    title: str
    project_id: ProjectId


class NoticeView(View, frozen=True, kw_only=True):
    """Something in an inbox: what somebody did, or that a task is due soon.

    What is due soon has neither `seq`, `type` nor `actor`; `at` is when it is due, and it is unread
    until it is archived.
    """

    id: str
    kind: NoticeKind
    unread: bool
    at: datetime
    seq: int | None = None
    type: str | None = None
    actor: NoticeActor | None = None
    task: NoticeTask


class _DueTask(WatchedTask, frozen=True, rename="camel"):
    due_date: date | None = None
    due_at: datetime | None = None


_decode_due = msgspec.json.Decoder(_DueTask).decode


class InboxReader(Struct, frozen=True, kw_only=True):
    """What one request reads of the caller's inbox."""

    projects: Mapping[ProjectId, Project]
    watched: Mapping[TaskId, WatchedTask]
    archived: frozenset[str]
    read_up_to: int

    async def page(
        self, request: ApiRequest, limit: int, below: int | None, *, unread: bool
    ) -> tuple[list[NoticeView], int | None]:
        """Return notices of what others did, and the number below which there may be more."""
        reading = Reading(
            org_id=request.organization,
            user_id=request.caller.user_id,
            watched=self.watched.keys(),
            archived=self.archived,
            below=below,
            above=self.read_up_to if unread else None,
        )
        found, end = await notices_of(request.api.models, reading, limit)
        tasks = await self._tasks(request, found)
        shown = [
            NoticeView(
                id=str(each.seq),
                kind=each.kind,
                unread=each.seq > self.read_up_to,
                at=each.at,
                seq=each.seq,
                type=each.type,
                actor=each.actor,
                task=tasks[each.task_id],
            )
            for each in found
            if each.task_id in tasks
        ]
        return shown, end

    async def due_soon(self, request: ApiRequest) -> list[NoticeView]:
        """Return notices of the tasks that the caller has to finish soon, the next one first."""
        org_id = request.organization
        zone = (await request.newest(Organization, org_id)).state.settings.time_zone
        now = Now(request.api.system.clock(), ZoneInfo(zone))
        found = await due_soon_of(
            request.api.models, org_id, [*self.projects], request.caller.user_id, now
        )
        notices: list[NoticeView] = []
        for task in map(_decode_due, found):
            when = task.due_at or (None if task.due_date is None else now.end_of(task.due_date))
            notice = f"due:{task.id}:{to_builtins(task.due_at or task.due_date)}"
            if when is not None and notice not in self.archived:
                kind, shown = NoticeKind.DUE_SOON, self._shown(task)
                notices.append(NoticeView(id=notice, kind=kind, unread=True, at=when, task=shown))
        return notices

    async def _tasks(
        self, request: ApiRequest, notices: Iterable[Notice]
    ) -> dict[TaskId, NoticeTask]:
        """Return the tasks of *notices* that the caller sees."""
        wanted = dict.fromkeys(each.task_id for each in notices)
        org_id = request.organization
        others = [document_id(org_id, each) for each in wanted if each not in self.watched]
        found = await request.api.models.here("tasks", others)
        known: Sequence[WatchedTask] = decode_tasks(b"[%b]" % b",".join(found.values()))
        return {
            task.id: self._shown(task)
            for task in [*self.watched.values(), *known]
            if task.id in wanted and task.project_id in self.projects
        }

    def _shown(self, task: WatchedTask) -> NoticeTask:
        project = self.projects[task.project_id]
        return NoticeTask(
            id=task.id,
            key=f"{project.key}-{task.number}",
            title=task.title,
            project_id=task.project_id,
        )


async def inbox_reader(request: ApiRequest) -> InboxReader:
    """Return the reader of the caller's inbox, on what they see now."""
    await wait_for_own_writes(request, "projects", "tasks", "activity")
    org_id, user_id = request.organization, request.caller.user_id
    system, projects = request.api.system, await projects_seen(request)
    stream = stream_of_inbox(user_id, org_id)
    inbox = await _inbox(request, stream)
    return InboxReader(
        projects=projects,
        watched=await watched_tasks(request.api.models, org_id, projects, user_id),
        archived=frozenset(inbox.archived),
        read_up_to=await read_up_to(system.log, stream, inbox),
    )


async def _inbox(request: ApiRequest, stream: UUID) -> Inbox:
    """Return the newest state of an inbox, which need not have been used yet."""
    try:
        return await request.api.system.commands.states.fresh(Inbox, stream)
    except NotFound:
        return Inbox()
