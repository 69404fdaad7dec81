"""What somebody's inbox shows, on what they see now; for requests and for mails alike."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct, to_builtins
from msgspec.structs import replace

from commands.planning.inbox import read_up_to
from commands.sight import hidden_projects
from domain.base import NotFound, OrgId, ProjectId, TaskId, UserId
from domain.identity.organization.state import Organization
from domain.planning.inbox import Inbox, stream_of_inbox
from domain.work.project.state import Project
from projections.base import View, document_id
from projections.engine.find import ReadModels
from projections.planning.inbox import (
    InboxEntry,
    InboxNoticeKind,
    NoticeActor,
    Reading,
    WatchedTask,
    decode_tasks,
    notices_at,
    notices_of,
    watched_tasks,
)
from projections.work.dashboard import Now, due_soon_of
from projections.work.project import ids_of_projects
from runtime.system import System


class NoticeTask(View, frozen=True, kw_only=True):
    """The task that a notice is about."""

    id: TaskId
    key: str
    title: str
    project_id: ProjectId


class InboxNotice(View, frozen=True, kw_only=True):
    """Something in an inbox: what somebody did, or that a task is due soon.

    What is due soon has neither `seq`, `type` nor `actor`; `at` is when it is due. It is unread
    until it is archived, and so is what was snoozed until a time that has come.
    """

    id: str
    kind: InboxNoticeKind
    unread: bool
    at: datetime
    seq: int | None = None
    type: str | None = None
    actor: NoticeActor | None = None
    task: NoticeTask
    snoozed_until: datetime | None = None


class _DueTask(WatchedTask, frozen=True, rename="camel"):
    due_date: date | None = None
    due_at: datetime | None = None


_decode_due = msgspec.json.Decoder(_DueTask).decode


class Owner(Struct, frozen=True):
    """Whose inbox it is, in which organization."""

    org_id: OrgId
    user_id: UserId


class InboxReader(Struct, frozen=True, kw_only=True):
    """Reads an inbox once: its owner, what they see, watch, have read and put away."""

    system: System
    models: ReadModels
    owner: Owner
    projects: Mapping[ProjectId, Project]
    watched: Mapping[TaskId, WatchedTask]
    archived: frozenset[str]
    snoozed: Mapping[str, datetime]
    digest: bool
    read_up_to: int

    async def page(
        self, limit: int, below: int | None = None, *, unread: bool
    ) -> tuple[list[InboxNotice], int | None]:
        """Return notices of what others did, and the number below which there may be more."""
        above = self.read_up_to if unread else None
        found, end = await notices_of(self.models, self._reading(below, above), limit)
        return await self._notices(found), end

    async def came_back(self) -> list[InboxNotice]:
        """Return notices that were snoozed until a time that has come, the latest first."""
        now = self.system.clock()
        found = await self._snoozed({one: at for one, at in self.snoozed.items() if at <= now})
        return [replace(each, unread=True) for each in reversed(found)]

    async def asleep(self) -> list[InboxNotice]:
        """Return notices that are snoozed until a time ahead, the next one first."""
        now = self.system.clock()
        snoozed = {one: until for one, until in self.snoozed.items() if until > now}
        due = [each for each in await self._due() if each.id in snoozed]
        both = [*await self._snoozed(snoozed), *due]
        return sorted(both, key=lambda each: snoozed[each.id])

    async def due_soon(self) -> list[InboxNotice]:
        """Return notices of the tasks that the owner has to finish soon, the next one first."""
        now = self.system.clock()
        return [
            each
            for each in await self._due()
            if each.id not in self.archived
            if each.snoozed_until is None or each.snoozed_until <= now
        ]

    async def _due(self) -> list[InboxNotice]:
        org_id, user_id = self.owner.org_id, self.owner.user_id
        organization = await self.system.commands.states.fresh(Organization, org_id, org_id)
        now = Now(self.system.clock(), ZoneInfo(organization.settings.time_zone))
        found = await due_soon_of(self.models, org_id, [*self.projects], user_id, now)
        notices: list[InboxNotice] = []
        for task in map(_decode_due, found):
            when = task.due_at or (None if task.due_date is None else now.end_of(task.due_date))
            notice = f"due:{task.id}:{to_builtins(task.due_at or task.due_date)}"
            if when is not None:
                notices.append(
                    InboxNotice(
                        id=notice,
                        kind=InboxNoticeKind.DUE_SOON,
                        unread=True,
                        at=when,
                        task=self._shown(task),
                        snoozed_until=self.snoozed.get(notice),
                    )
                )
        return notices

    async def _snoozed(self, wanted: Mapping[str, datetime]) -> list[InboxNotice]:
        """Return notices of what others did, those that are snoozed until the earliest first."""
        seqs = [int(each) for each in sorted(wanted, key=wanted.__getitem__) if each.isdecimal()]
        found = await notices_at(self.models, self._reading(), seqs)
        return await self._notices([found[seq] for seq in seqs if seq in found])

    def _reading(self, below: int | None = None, above: int | None = None) -> Reading:
        return Reading(
            org_id=self.owner.org_id,
            user_id=self.owner.user_id,
            watched=self.watched.keys(),
            archived=self.archived.union(self.snoozed),
            below=below,
            above=above,
        )

    async def _notices(self, found: Sequence[InboxEntry]) -> list[InboxNotice]:
        tasks = await self._tasks(found)
        return [
            InboxNotice(
                id=str(each.seq),
                kind=each.kind,
                unread=each.seq > self.read_up_to,
                at=each.at,
                seq=each.seq,
                type=each.type,
                actor=each.actor,
                task=tasks[each.task_id],
                snoozed_until=self.snoozed.get(str(each.seq)),
            )
            for each in found
            if each.task_id in tasks
        ]

    async def _tasks(self, notices: Iterable[InboxEntry]) -> dict[TaskId, NoticeTask]:
        """Return the tasks of *notices* that the owner sees."""
        wanted = dict.fromkeys(each.task_id for each in notices)
        org_id = self.owner.org_id
        others = [document_id(org_id, each) for each in wanted if each not in self.watched]
        found = await self.models.here("tasks", others)
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


async def inbox_reader(system: System, models: ReadModels, owner: Owner) -> InboxReader:
    """Return the reader of somebody's inbox, on what they see now."""
    projects = await projects_seen_by(system, models, owner)
    stream = stream_of_inbox(owner.user_id, owner.org_id)
    inbox = await inbox_of(system, stream)
    return InboxReader(
        system=system,
        models=models,
        owner=owner,
        projects=projects,
        watched=await watched_tasks(models, owner.org_id, projects, owner.user_id),
        archived=frozenset(inbox.archived),
        snoozed=inbox.snoozed,
        digest=inbox.digest,
        read_up_to=await read_up_to(system.log, stream, inbox),
    )


async def inbox_of(system: System, stream: UUID) -> Inbox:
    """Return the newest state of an inbox, which need not have been used yet."""
    try:
        return await system.commands.states.fresh(Inbox, stream)
    except NotFound:
        return Inbox()


async def projects_seen_by(
    system: System, models: ReadModels, owner: Owner
) -> dict[ProjectId, Project]:
    """Return the projects that somebody sees as they are now, also archived ones.

    They come in the order of the keys that they had when they were listed.
    """
    org_id, states = owner.org_id, system.commands.states
    hidden = await hidden_projects(system.log, states, org_id, owner.user_id)
    ids = await ids_of_projects(models, org_id, hidden)
    found = await states.all_fresh([(Project, each) for each in ids], org_id) if ids else []
    projects: dict[ProjectId, Project] = {i: one.state for i, one in zip(ids, found, strict=True)}
    return {each: project for each, project in projects.items() if not project.deleted}
