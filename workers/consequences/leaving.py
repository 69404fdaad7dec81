"""Leaving: when somebody leaves an organization, their open tasks, teams and projects lose them.

So do tasks in the trash, and in projects there. Their sessions and keys end, too.
"""

from collections.abc import AsyncIterator
from uuid import UUID

import msgspec

from commands.identity.leaving import EndSessionsOfFormerMember, RevokeKeyOfFormerMember
from commands.work.leaving import UnassignFormerMember
from commands.work.losing_sight import (
    RemoveFormerMemberFromProject,
    RemoveFormerMemberFromTeam,
)
from domain.base import ApiKeyId, OrgId, ProjectId, TaskId, TeamId, UserId
from domain.identity.organization.membership import MemberLeft
from eventstore.operations.crew import Owns, everything
from eventstore.recorded import Recorded, Row
from projections.engine.progress import Progress
from projections.identity.api_key import api_keys_of
from projections.work.project import ids_of_all_projects, projects_of_person
from projections.work.task_filter import TaskFilter
from projections.work.task_list import tasks_of_project
from projections.work.team import teams_of
from runtime.system import System
from workers.consequences.base import READ_AT_ONCE, Consequences


class _Named(msgspec.Struct, frozen=True):
    """What is needed of a project or task in a list."""

    id: str


_named = msgspec.json.Decoder(_Named).decode


class Leaving(Consequences):
    """Acts on every event by which somebody left an organization."""

    def __init__(
        self, system: System, progress: Progress | None = None, *, owns: Owns = everything
    ) -> None:
        super().__init__(system, "leaving", (MemberLeft,), progress, owns)

    async def follow(self, cause: Recorded, row: Row, part: int) -> None:
        """End the sessions of whoever left, revoke their keys, and let what they had go of them."""
        event, org_id = cause.event, row.org_id
        assert isinstance(event, MemberLeft)  # noqa: S101  the only event asked for
        user_id = event.user_id
        await self.follow_up(EndSessionsOfFormerMember(user_id=user_id), cause)
        for model in ("tasks", "api_keys", "teams", "projects"):
            await self.until_projected(model, row, part)
        async for key_id in self._keys_of(org_id, user_id):
            await self.follow_up(RevokeKeyOfFormerMember(api_key_id=key_id), cause)
        async for team_id in self._teams_of(org_id, user_id):
            command = RemoveFormerMemberFromTeam(team_id=team_id, user_id=user_id)
            await self.follow_up(command, cause)
        for project_id in await projects_of_person(self.models, org_id, user_id):
            gone = RemoveFormerMemberFromProject(project_id=project_id, user_id=user_id)
            await self.follow_up(gone, cause)
        async for task_id in self._tasks_of(org_id, user_id):
            await self.follow_up(UnassignFormerMember(task_id=task_id, user_id=user_id), cause)

    async def _keys_of(self, org_id: OrgId, user_id: UserId) -> AsyncIterator[ApiKeyId]:
        after: str | None = None
        while True:
            keys = await api_keys_of(self.models, org_id, user_id, limit=READ_AT_ONCE, after=after)
            for key in map(_named, keys.items):
                yield ApiKeyId(UUID(key.id))
            if keys.next_key is None:
                return
            after = keys.next_key

    async def _teams_of(self, org_id: OrgId, user_id: UserId) -> AsyncIterator[TeamId]:
        after: str | None = None
        while True:
            teams = await teams_of(self.models, org_id, user_id, limit=READ_AT_ONCE, after=after)
            for team in map(_named, teams.items):
                yield TeamId(UUID(team.id))
            if teams.next_key is None:
                return
            after = teams.next_key

    async def _tasks_of(self, org_id: OrgId, user_id: UserId) -> AsyncIterator[TaskId]:
        """Yield the tasks that somebody is assigned to, project by project, the trash included."""
        for project_id in await ids_of_all_projects(self.models, org_id):
            for hidden in (False, True):
                wanted = TaskFilter(assignees=(user_id,), hidden=hidden)
                async for task in self._tasks_in(org_id, project_id, wanted):
                    yield task

    async def _tasks_in(
        self, org_id: OrgId, project_id: ProjectId, wanted: TaskFilter
    ) -> AsyncIterator[TaskId]:
        below: int | None = None
        while True:
            tasks = await tasks_of_project(
                self.models, org_id, project_id, wanted, limit=READ_AT_ONCE, below=below
            )
            for task in map(_named, tasks.items):
                yield TaskId(UUID(task.id))
            if tasks.next_key is None:
                return
            below = tasks.next_key
