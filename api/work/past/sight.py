"""What the caller may see of a past moment, by the rights that they have now.

A thing is shown if they see it now, and also see the project that it was in then. What was in the
trash then, or is by now, is shown to whoever sees it in the trash.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar
from uuid import UUID

from msgspec.structs import replace

from api.http.request import ApiRequest
from commands.past.states import PastStates
from commands.sight import Read, sees_project
from commands.states import Loaded
from commands.work.task_tree import trashed_above
from domain.base import ERASED, NotFound, ProjectId, State, TaskId, UserId
from domain.identity.organization.membership import Role
from domain.permission import Permission, is_allowed
from domain.work.project.state import Project
from domain.work.task.state import Task
from domain.work.task.trash_events import PURGED_TASK
from domain.work.team import Team

S = TypeVar("S", bound=State)


class PastTask(NamedTuple):
    """A task as it was, and whether the caller may know the task that was above it."""

    found: Loaded[Task]
    shows_parent: bool


class PastSight:
    """What one caller sees of one moment; what it reads is read once."""

    def __init__(self, request: ApiRequest, seq: int) -> None:
        self._request = request
        self._then = PastStates(request.api.system.log, request.organization, seq)
        self._seen: dict[ProjectId, bool] = {}

    async def look_up(self, kind: type[State], streams: Sequence[UUID]) -> None:
        """Look up how far streams are now, with one query for all."""
        request = self._request
        states = request.api.system.commands.states
        await states.all_fresh(
            [(kind, each) for each in streams], request.organization, request.heads
        )

    async def project(self, project_id: ProjectId) -> Loaded[Project]:
        """Return a project as it was.

        :raises NotFound: it did not exist, or the caller does not see it.
        """
        now = await self._now(Project, project_id)
        if not await self._sees(project_id):
            raise NotFound
        then = await self._then.load(Project, project_id)
        if (now.deleted or then.state.deleted) and not await self._sees_trashed(now):
            raise NotFound
        return replace(then, state=_emptied(then.state)) if now.purged else then

    async def task(self, task_id: TaskId) -> PastTask:
        """Return a task as it was, under the key and in the status that it had.

        ``deleted_at`` is since when it was in the trash, by itself or with what it was in.

        :raises NotFound: it did not exist, or the caller does not see it or the project it was in.
        """
        now = await self._now(Task, task_id)
        project_id = _project_of(now)
        if not await self._sees(project_id):
            raise NotFound
        then = await self._then.load(Task, task_id)
        project = await self.project(_project_of(then.state))
        around = await self._now(Project, project_id)
        trashed_now = await self._trashed(self._now, now, around)
        trashed = await self._trashed(self._then, then.state, project.state)
        since = [each.deleted_at for each in trashed if each.deleted_at is not None]
        if project.state.deleted and project.at is not None:
            since.append(project.at)
        place = project.state.workflow.place(then.state.status, then.state.group)
        state = replace(
            then.state,
            project_key=project.state.key,
            status=place.key,
            group=place.group,
            deleted_at=min(since, default=None),
        )
        # What is within something that was purged is purged soon after it.
        if now.purged or around.purged or any(each.purged for each in trashed_now):
            state = replace(state, **PURGED_TASK)
        shows_parent = state.parent_id is None or await self._sees_task(state.parent_id)
        return PastTask(replace(then, state=state), shows_parent)

    async def _trashed(self, read: Read, task: Task, project: Project) -> list[Task]:
        """Return what is in the trash of a task and the nearest of those above it that are.

        :raises NotFound: the caller does not see one of them in the trash, or *project*.
        """
        above = await trashed_above(read, task)
        every = [task] if above is None else [task, await read(Task, above)]
        trashed = [each for each in every if each.deleted]
        for each in trashed:
            if not await self._sees_trashed(project, each.created_by):
                raise NotFound
        if project.deleted and not await self._sees_trashed(project):
            raise NotFound
        return trashed

    async def _sees_trashed(self, project: Project, owner: UserId | None = None) -> bool:
        """Return whether the caller sees in the trash what is in *project*, or the project itself.

        *owner* is who created it, if that lets a MEMBER see it.
        """
        caller = self._request.caller
        if not is_allowed(caller.role, Permission.TRASH_READ, caller.scopes):
            return False
        if caller.role is not Role.MEMBER or owner == caller.user_id:
            return True
        team_id = project.team_id
        return team_id is not None and (await self._now(Team, team_id)).is_led_by(caller.user_id)

    async def _sees(self, project_id: ProjectId) -> bool:
        """Return whether the caller sees a project now."""
        if project_id not in self._seen:
            request = self._request
            project = await self._now(Project, project_id)
            self._seen[project_id] = await sees_project(
                self._now, request.organization, request.caller.user_id, project
            )
        return self._seen[project_id]

    async def _sees_task(self, task_id: TaskId) -> bool:
        """Return whether the caller sees the project that a task is in now."""
        return await self._sees(_project_of(await self._now(Task, task_id)))

    async def _now(self, kind: type[S], stream: UUID, /) -> S:
        return (await self._request.newest(kind, stream)).state


def _project_of(task: Task) -> ProjectId:
    if task.project_id is None:
        raise NotFound
    return task.project_id


def _emptied(project: Project) -> Project:
    """Return a project of which everything that it said is gone for good."""
    workflow = project.workflow.without_names()
    return replace(project, name=ERASED, description=None, workflow=workflow)
