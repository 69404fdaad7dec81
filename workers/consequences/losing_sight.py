"""Losing sight: whoever no longer sees a private project loses its open tasks."""

from collections.abc import AsyncIterator
from typing import TypeVar
from uuid import UUID

import msgspec

from commands.fork.finish import ForkOrganization
from commands.project_claims import PRIVATE_PROJECT
from commands.sight import sees_project
from commands.work.losing_sight import ReleaseWithoutSight
from domain.base import NotFound, OrgId, ProjectId, State, TaskId, UserId
from domain.identity.organization.forked import OrganizationForked
from domain.identity.organization.membership import MemberRoleChanged
from domain.work.project.events import (
    ProjectLeadAssigned,
    ProjectMemberRemoved,
    ProjectRestored,
    ProjectTeamLinked,
    ProjectVisibilityChanged,
)
from domain.work.project.state import Project
from domain.work.team import TeamDeleted, TeamMemberRemoved
from eventstore.operations.crew import Owns, everything
from eventstore.recorded import Recorded, Row
from projections.engine.progress import Progress
from projections.work.task_list import tasks_of_project
from runtime.system import System
from workers.consequences.base import READ_AT_ONCE, Consequences

S = TypeVar("S", bound=State)

_OF_A_PROJECT = (
    ProjectVisibilityChanged,
    ProjectMemberRemoved,
    ProjectLeadAssigned,
    ProjectTeamLinked,
    ProjectRestored,  # in the trash it let go of nobody
)
_OF_A_TEAM = (TeamMemberRemoved, TeamDeleted)
_OF_BOTH = (*_OF_A_PROJECT, *_OF_A_TEAM)
_CAUSES = (*_OF_BOTH, MemberRoleChanged, OrganizationForked)
_FORKING = ForkOrganization.__name__


class _Listed(msgspec.Struct, frozen=True):
    """What is needed of a task in a list."""

    id: TaskId
    assignees: tuple[UserId, ...] = ()
    watchers: tuple[UserId, ...] = ()


_listed = msgspec.json.Decoder(_Listed).decode


class LosingSight(Consequences):
    """Acts on every event by which somebody may no longer see a private project."""

    def __init__(
        self, system: System, progress: Progress | None = None, *, owns: Owns = everything
    ) -> None:
        super().__init__(system, "losing sight", _CAUSES, progress, owns)

    async def follow(self, cause: Recorded, row: Row, part: int) -> None:
        """Let everybody go of the tasks of each private project that they no longer see."""
        if cause.metadata.command == _FORKING and isinstance(cause.event, _OF_BOTH):
            return  # it has no members yet: what follows does once it is whole
        for project_id in await self._concerned(cause):
            await self.until_projected("tasks", row, part)
            await self._release(row.org_id, project_id, cause)

    async def _concerned(self, cause: Recorded) -> list[ProjectId]:
        """Return the private projects that somebody may have lost sight of."""
        org_id = cause.org_id
        private = await self.system.log.claimed(org_id, PRIVATE_PROJECT, org_id)
        event, states = cause.event, self.system.commands.states
        if isinstance(event, _OF_A_PROJECT):
            private = [each for each in private if each == cause.stream_id]
        if isinstance(event, _OF_A_TEAM):
            found = await states.all_fresh([(Project, each) for each in private], org_id)
            private = [
                each
                for each, project in zip(private, found, strict=True)
                if project.state.team_id == cause.stream_id
            ]
        return [ProjectId(each) for each in private]

    async def _release(self, org_id: OrgId, project_id: ProjectId, cause: Recorded) -> None:
        """Let everybody go of the tasks of a project who no longer sees it."""
        known: dict[UserId, bool] = {}
        async for task in self._tasks(org_id, project_id):
            for user in dict.fromkeys((*task.assignees, *task.watchers)):
                user_id = UserId(user)
                if user_id not in known:
                    known[user_id] = await self._sees(org_id, project_id, user_id)
                if not known[user_id]:
                    command = ReleaseWithoutSight(task_id=task.id, user_id=user_id)
                    await self.follow_up(command, cause)

    async def _sees(self, org_id: OrgId, project_id: ProjectId, user_id: UserId) -> bool:
        states = self.system.commands.states

        async def read(kind: type[S], stream: UUID, /) -> S:
            return await states.fresh(kind, stream, org_id)

        try:
            return await sees_project(read, org_id, user_id, await read(Project, project_id))
        except NotFound:
            return False

    async def _tasks(self, org_id: OrgId, project_id: ProjectId) -> AsyncIterator[_Listed]:
        below: int | None = None
        while True:
            page = await tasks_of_project(
                self.models, org_id, project_id, limit=READ_AT_ONCE, below=below
            )
            for item in page.items:
                yield _listed(item)
            if page.next_key is None:
                return
            below = page.next_key
